"""Whether a folder has changed is known without reading it, and never missed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from scope_client._folder.reader import read_prompt_dir, signature

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "g").mkdir()
    for file in ("a.md", "g/v1.md"):
        age(tmp_path, file, "text")
    return tmp_path


def age(folder: Path, file: str, text: str, at: int = LONG_AGO) -> None:
    (folder / file).write_text(text)
    os.utime(folder / file, ns=(at, at))


def test_an_untouched_folder_has_one_signature(folder: Path) -> None:
    assert signature(folder) == signature(str(folder))


@pytest.mark.parametrize("file", ["a.md", "b.md", "g/v1.md", "g/v2.md", "h.md"])
def test_a_file_that_is_new_or_has_another_size_changes_it(file: str, folder: Path) -> None:
    before = signature(folder)
    age(folder, file, "longer text")
    assert signature(folder) != before


def test_another_time_changes_it(folder: Path) -> None:
    before = signature(folder)
    age(folder, "g/v1.md", "TEXT", at=LONG_AGO + 1)
    assert signature(folder) != before


def test_a_file_put_in_place_of_another_changes_it(folder: Path) -> None:
    before = signature(folder)
    age(folder, "new", "TEXT")
    (folder / "new").replace(folder / "a.md")
    assert signature(folder) != before


def test_a_file_that_went_changes_it(folder: Path) -> None:
    before = signature(folder)
    (folder / "a.md").unlink()
    assert signature(folder) != before


def test_what_is_not_a_prompt_does_not_change_it(folder: Path) -> None:
    before = signature(folder)
    for file in ("README.md", ".hidden.md", "g/notes.txt"):
        (folder / file).write_text("x")
    assert signature(folder) == before


def test_a_file_is_not_trusted_while_it_could_be_written_again_at_the_same_time(folder: Path) -> None:
    ticks = iter(range(LONG_AGO, LONG_AGO + 10))
    assert signature(folder, clock=lambda: next(ticks)) != signature(folder, clock=lambda: next(ticks))


def test_a_folder_that_is_not_there_has_an_empty_one(tmp_path: Path) -> None:
    assert signature(tmp_path / "gone") == ()


def test_a_link_to_nowhere_can_be_looked_at(folder: Path) -> None:
    (folder / "b.md").symlink_to(folder / "gone")
    assert signature(folder) == signature(folder)


def test_a_link_that_leads_to_itself_is_passed_over_and_hides_no_change(tmp_path):
    (tmp_path / "a.md").write_text("one")
    (tmp_path / "loop").symlink_to("loop")
    before = signature(tmp_path)
    assert list(read_prompt_dir(tmp_path)) == ["a"]
    (tmp_path / "a.md").write_text("two, longer")
    assert signature(tmp_path) != before
    assert read_prompt_dir(tmp_path)["a"][0].content == "two, longer"
