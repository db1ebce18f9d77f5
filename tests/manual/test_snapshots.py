"""What the page on snapshots and coverage says is true: its tests write the file, and the run prints the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from manual import pages

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "testing/snapshots.md"


@pytest.fixture
def project(folder: Path) -> Path:
    pages.write_files(PAGE, folder)
    return folder


def test_the_first_run_writes_the_file_that_the_page_shows(project: Path) -> None:
    (shown,) = pages.blocks(PAGE, "markdown")
    done = pages.run_tests(project, CI="")
    assert done.returncode == 0, done.stdout
    file = project / "__prompts__" / "test_greeting" / "test_greets_by_name.md"
    assert shown.before == f"The first run writes `{file.relative_to(project)}`:"
    assert file.read_text() == shown.text
    assert pages.run_tests(project, CI="true").returncode == 0


def test_the_run_prints_the_figures_that_the_page_shows(project: Path) -> None:
    (shown,) = pages.blocks(PAGE, "text")
    (command,) = pages.blocks(PAGE, "console")
    _, _, *words = command.text.split()
    done = pages.run_tests(project, *words, CI="")
    assert shown.text in done.stdout
    assert done.returncode == 0
    done = pages.run_tests(project, "--scope-coverage", CI="")
    assert (shown.text in done.stdout, done.returncode) == (True, 0)
    assert pages.run_tests(project, "--scope-coverage", "--scope-coverage-fail-under=51", CI="").returncode == 1


def test_the_second_test_runs_without_a_network(project: Path) -> None:
    (block,) = [block for block in pages.blocks(PAGE, "python") if block.is_test]
    (project / "test_farewell.py").write_text(block.text)
    done = pages.run_tests(project, "test_farewell.py", "-p", "pytest_socket", "--disable-socket", CI="")
    assert done.returncode == 0, done.stdout
