"""A change in a folder is never missed, and nothing but what changed is read again."""

from __future__ import annotations

import errno
import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from faults.opened import opened_in
from faults.timelimit import TimeLimit

from scope_client._folder.reader import PromptFolder
from scope_client._folder.record import prompt_id

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = 1_000_000_000
HOUR_NANOSECONDS = 3_600_000_000_000


class Watched:
    """A folder, the looks at it, and what they warned of. Its files are an hour old, unless `file_time` says else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.warnings: list[str] = []
        self.file_time = lambda: time.time_ns() + HOUR_NANOSECONDS
        self.folder = PromptFolder(root, self.warnings.append, file_time=lambda: self.file_time())

    def contents(self, prompt: str) -> list[str]:
        self.folder.look(prompt)
        return [version.content for version in self.folder.versions(prompt)]

    def opened(self, *prompts: str) -> list[str]:
        """The files that are opened by looks at these prompts."""
        with opened_in(self.root) as files:
            for prompt in prompts:
                self.folder.look(prompt)
        return files


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    (tmp_path / "g").mkdir()
    write(tmp_path / "a.md", "text")
    write(tmp_path / "g" / "v1.md", "---\nstatus: published\n---\ntext")
    write(tmp_path / "g" / "v2.md", "text")
    return Watched(tmp_path)


def write(file: Path, text: str, at: int = LONG_AGO) -> None:
    file.write_text(text)
    os.utime(file, ns=(at, at))


def test_an_untouched_folder_is_not_read_again(watched: Watched) -> None:
    assert watched.opened("a", "g", "a", "nobody", prompt_id("g")) == []


@pytest.mark.parametrize("file", ["a.md", "b.md", "g/v1.md", "g/v2.md", "g/v3.md"])
def test_a_file_that_is_new_or_changed_is_read_and_no_other_is(file: str, watched: Watched) -> None:
    write(watched.root / file, "---\nstatus: draft\n---\nlonger text")
    assert watched.opened("a", "b", "g") == [file]
    assert "longer text" in watched.contents(file[0])
    assert watched.opened("a", "b", "g") == []


def test_an_edit_elsewhere_waits_until_its_prompt_is_looked_at(watched: Watched) -> None:
    write(watched.root / "a.md", "edited")
    assert watched.opened("g") == []
    assert watched.contents("a") == ["edited"]


@pytest.mark.parametrize("at", [LONG_AGO + 1, LONG_AGO])
def test_a_file_of_the_same_size_is_read_for_its_times(at: int, watched: Watched) -> None:
    """The second is what `rsync --times` and unpackers do: the inode and the time of the content stay as well."""
    write(watched.root / "a.md", "TEXT", at)
    assert watched.contents("a") == ["TEXT"]


def test_a_file_put_in_place_of_another_is_read(watched: Watched) -> None:
    write(watched.root / "new", "TEXT")
    (watched.root / "new").replace(watched.root / "a.md")
    assert watched.contents("a") == ["TEXT"]


def test_a_file_and_a_prompt_that_went_are_gone(watched: Watched) -> None:
    (watched.root / "g" / "v2.md").unlink()
    (watched.root / "a.md").unlink()
    assert (watched.contents("g"), watched.contents("a")) == (["text"], [])
    shutil.rmtree(watched.root / "g")
    assert (watched.contents("g"), watched.contents(prompt_id("g"))) == ([], [])


def test_a_lone_version_that_gets_company_is_a_draft_and_is_not_trusted_to_be_what_it_was(watched: Watched) -> None:
    shutil.rmtree(watched.root / "g")
    (watched.root / "g").mkdir()
    for number, statuses in ((1, ["published"]), (2, ["draft", "draft"])):
        write(watched.root / "g" / f"v{number}.md", "text")
        watched.folder.look("g")
        assert [version.status for version in watched.folder.versions("g")] == statuses


def test_a_prompt_that_came_later_is_found_by_its_id(watched: Watched) -> None:
    write(watched.root / "later.md", "text")
    assert watched.contents(prompt_id("later")) == ["text"]
    assert watched.contents(f"prompt_{prompt_id('later')[7:].lower()}") == ["text"]


def test_what_is_not_a_prompt_is_not_read(watched: Watched) -> None:
    for file in ("README.md", ".hidden.md", "g/notes.txt", "g/README.md"):
        (watched.root / file).write_text("x")
    assert watched.opened("README", ".hidden", "g", "notes.txt") == []


@pytest.mark.parametrize(
    "name", ["../secret", "g/v1", "g/../a", "", ".", "..", "./a", "a\0", "/etc/passwd", "A" * 5000]
)
def test_a_name_is_no_path(name: str, watched: Watched) -> None:
    (watched.root.parent / "secret.md").write_text("secret")
    assert watched.contents(name) == []
    assert watched.warnings == []


def test_a_file_is_not_trusted_while_it_could_be_written_again_at_the_same_time(watched: Watched) -> None:
    ticks = iter(range(1, 100))
    written_at = (watched.root / "a.md").stat().st_ctime_ns
    watched.file_time = lambda: written_at + next(ticks)
    assert [watched.opened("a") for _ in range(3)] == [["a.md"]] * 3
    watched.file_time = lambda: written_at + HOUR_NANOSECONDS
    assert [watched.opened("a") for _ in range(3)] == [["a.md"], [], []]


def test_a_file_with_a_flaw_leaves_its_prompt_as_it_was_and_no_other_prompt(watched: Watched) -> None:
    write(watched.root / "g" / "v2.md", "---\nstatsu: draft\n---\nbroken")
    write(watched.root / "g" / "v3.md", "held up")
    write(watched.root / "a.md", "edited")
    assert watched.contents("g") == ["text", "text"]
    assert watched.contents("a") == ["edited"]
    write(watched.root / "g" / "v2.md", "repaired")
    assert watched.contents("g") == ["text", "repaired", "held up"]


def test_all_flaws_are_told_of_once_and_again_if_a_new_one_comes_or_an_old_one_comes_back(watched: Watched) -> None:
    def breaks(*files: str) -> list[list[str]]:
        for file in files:
            write(watched.root / file, "---\nstatsu: draft\n---\n")
        for _ in range(3):
            watched.folder.look("a")
            watched.folder.look("g")
        told = [[line.partition(":")[0].strip() for line in text.splitlines()[1:]] for text in watched.warnings]
        watched.warnings.clear()
        return told

    assert breaks("a.md", "g/v2.md") == [["a.md", "g/v2.md"]]
    assert breaks("g/v01.md") == [["g/v01.md", "a.md", "g/v2.md"]]
    (watched.root / "g" / "v01.md").unlink()
    write(watched.root / "a.md", "repaired")
    assert breaks() == []
    assert breaks("a.md") == [["a.md", "g/v2.md"]]


def test_a_folder_that_went_leaves_all_as_it_was_and_is_told_of_once_each_time(watched: Watched) -> None:
    for _ in range(2):
        away = watched.root.rename(watched.root.with_name("away"))
        assert [watched.contents("a") for _ in range(3)] == [["text"]] * 3
        assert len(watched.warnings) == 1
        assert "does not exist" in watched.warnings.pop()
        away.rename(watched.root)
        write(watched.root / "a.md", "back")
        assert watched.contents("a") == ["back"]
        write(watched.root / "a.md", "text")
        assert watched.contents("a") == ["text"]


def test_a_link_is_followed_to_what_it_leads_to_now(watched: Watched) -> None:
    """As Kubernetes swaps the files of a ConfigMap: one link to a folder is replaced, in one step."""
    for revision in ("one", "two"):
        (watched.root / f"..{revision}").mkdir()
        write(watched.root / f"..{revision}" / "m.md", revision)
    (watched.root / "..data").symlink_to("..one")
    (watched.root / "m.md").symlink_to("..data/m.md")
    assert watched.contents("m") == ["one"]
    (watched.root / "..next").symlink_to("..two")
    (watched.root / "..next").replace(watched.root / "..data")
    assert watched.contents("m") == ["two"]


def test_a_link_to_nowhere_is_a_flaw_and_one_that_leads_to_itself_is_passed_over(watched: Watched) -> None:
    (watched.root / "loop").symlink_to("loop")
    assert watched.contents("loop") == []
    assert watched.warnings == []
    (watched.root / "b.md").symlink_to(watched.root / "gone")
    assert watched.contents("b") == []
    assert "b.md: is not a file" in watched.warnings.pop()
    assert watched.contents("a") == ["text"]
    write(watched.root / "gone", "there")
    assert watched.contents("b") == ["there"]


def test_within_the_seconds_of_a_look_there_is_no_other(watched: Watched) -> None:
    seconds = [0.0]
    folder = PromptFolder(watched.root, look_seconds=1.0, now=lambda: seconds[0], file_time=watched.file_time)
    for file in ("a.md", "b.md"):
        write(watched.root / file, "edited")
    for seconds[0], opened in ((0.9, []), (1.0, ["a.md", "b.md"]), (1.9, [])):
        with opened_in(watched.root) as files:
            folder.look("a")
            folder.look("b")
        assert files == opened
    assert [version.content for version in folder.versions("b")] == ["edited"]


@pytest.mark.parametrize("moment", ["open", "os.scandir"])
def test_the_time_limit_of_a_caller_is_no_flaw(moment: str, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a handler of SIGALRM raises in the middle of a look; TimeoutError is an OSError."""
    write(watched.root / "a.md", "edited")
    with TimeLimit(TimeoutError(errno.ETIMEDOUT, "the task took too long")) as limit:
        monkeypatch.setattr(f"builtins.{moment}" if moment == "open" else moment, limit.strikes)
        with pytest.raises(TimeoutError, match="the task"):
            watched.folder.look("a")
    monkeypatch.undo()
    assert watched.warnings == []
    assert watched.contents("a") == ["edited"]
