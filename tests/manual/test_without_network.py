"""The tests on the pages about testing open no socket, or none but on loopback, where the page says so."""

from __future__ import annotations

import pytest
from manual import pages

NO_SOCKET = ("-p", "pytest_socket", "--disable-socket")
LOOPBACK = (*NO_SOCKET, "--allow-hosts=127.0.0.1")


@pytest.mark.parametrize(
    ("page", "options"), [("testing/without-network.md", NO_SOCKET), ("testing/local-platform.md", LOOPBACK)]
)
def test_its_tests_pass_under_pytest_socket(page, options, tmp_path):
    tests = [block.text for block in pages.blocks(page, "python") if block.is_test]
    for number, text in enumerate(tests):
        (tmp_path / f"test_{number}.py").write_text(text)
    if options == LOOPBACK:
        assert f"$ pytest {' '.join(LOOPBACK[2:])}" in pages.text_of("testing/without-network.md")
    done = pages.run_tests(tmp_path, *options)
    assert done.returncode == 0, done.stdout + done.stderr
