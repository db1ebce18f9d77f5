"""The tests on the page about testing a chain of LangChain pass."""

from __future__ import annotations

from manual import pages

PAGE = "testing/langchain.md"


def test_they_pass(folder):
    pages.write_files(PAGE, folder)
    done = pages.run_tests(folder)
    assert (done.returncode, "3 passed" in done.stdout) == (0, True), done.stdout + done.stderr
