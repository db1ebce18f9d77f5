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
from scope_client.errors import ConfigurationError

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


ID, OTHER_ID = "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A", "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9B"


def of(identity: str, text: str) -> str:
    return f"---\nprompt_id: {identity}\n---\n{text}"


@pytest.mark.parametrize("asked", [ID, ID.lower(), "p 1/2", "prompt_1"])
def test_a_prompt_is_found_by_the_id_in_its_front_matter_and_not_by_the_made_up_one(asked: str, tmp_path: Path) -> None:
    identity = ID if asked.startswith("prompt_01") else asked
    write(tmp_path / "a.md", of(identity, "text"))
    watched = Watched(tmp_path)
    assert watched.contents(asked) == ["text"]
    assert watched.contents("a") == ["text"]
    assert [version.prompt_id for version in watched.folder.versions("a")] == [identity]
    assert watched.folder.versions(prompt_id("a")) in ((), watched.folder.versions("a"))


def test_an_id_that_comes_later_or_changes_is_found(watched: Watched) -> None:
    write(watched.root / "a.md", of(ID, "text"))
    assert watched.contents(ID) == ["text"]
    write(watched.root / "a.md", of(OTHER_ID, "changed"))
    assert watched.contents(OTHER_ID) == ["changed"]
    assert watched.contents(ID) == []
    (watched.root / "deep" / "er").mkdir(parents=True)
    write(watched.root / "deep" / "er" / "b.md", of(ID, "new"))
    assert watched.contents(ID) == ["new"]


def test_one_file_gives_the_id_to_all_versions(watched: Watched) -> None:
    write(watched.root / "g" / "v2.md", of(ID, "two"))
    assert watched.contents(ID) == ["text", "two"]
    write(watched.root / "g" / "v1.md", of(OTHER_ID, "one"))
    watched.folder.look("g")
    (flaw,) = watched.folder.flaws("g")
    assert flaw == f"g/v2.md: its prompt_id is '{ID}', and g/v1.md has '{OTHER_ID}'; change one"


def test_two_prompts_that_claim_one_id_are_a_flaw_until_one_gives_way(watched: Watched) -> None:
    write(watched.root / "a.md", of(ID, "a"))
    assert watched.contents("a") == ["a"]
    write(watched.root / "b.md", of(ID, "b"))
    assert watched.contents("b") == []
    assert f"b.md: its prompt_id '{ID}' is also that of a.md; change one" in watched.warnings.pop()
    assert watched.contents(ID) == ["a"]
    write(watched.root / "a.md", of(OTHER_ID, "a"))
    assert watched.contents("b") == watched.contents(ID) == ["b"]
    assert watched.contents(OTHER_ID) == ["a"]


def test_a_made_up_id_can_be_claimed_too(watched: Watched) -> None:
    write(watched.root / "b.md", of(prompt_id("a"), "b"))
    watched.folder.look("b")
    assert watched.folder.flaws("b") == (f"b.md: its prompt_id '{prompt_id('a')}' is also that of a.md; change one",)


def test_prompts_that_swap_their_ids_or_names_keep_them(watched: Watched) -> None:
    write(watched.root / "a.md", of(ID, "a"))
    write(watched.root / "b.md", of(OTHER_ID, "b"))
    assert (watched.contents(ID), watched.contents(OTHER_ID)) == (["a"], ["b"])
    write(watched.root / "a.md", of(OTHER_ID, "a2"))
    write(watched.root / "b.md", of(ID, "b2"))
    assert (watched.contents(ID), watched.contents(OTHER_ID)) == (["b2"], ["a2"])
    (watched.root / "a.md").rename(watched.root / "c.md")
    assert watched.contents("c") == watched.contents(OTHER_ID) == ["a2"]
    assert watched.warnings == []


@pytest.fixture
def nested(tmp_path: Path) -> Watched:
    for place in ("support/greeting/v1.md", "support/greeting/formal/v1.md", "support/v1.md", "support/de/reply.md"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / place, place)
    for number in range(30):
        (tmp_path / f"team{number}" / "area").mkdir(parents=True)
        write(tmp_path / f"team{number}" / "area" / "p.md", "text")
    return Watched(tmp_path)


def test_prompts_are_found_at_any_depth_also_in_the_folder_of_another_one(nested: Watched) -> None:
    for name in ("support/greeting", "support/greeting/formal", "support"):
        assert nested.contents(name) == [f"{name}/v1.md"]
    assert nested.contents("support/de/reply") == ["support/de/reply.md"]
    for name in ("support/de", "support/greeting/v1", "support/v1", "team1/area", "greeting", "support//greeting"):
        assert nested.contents(name) == []
    assert len(nested.folder.names) == 34


def test_a_look_at_one_prompt_lists_the_folders_on_its_way_and_no_others(
    nested: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(
        os, "scandir", lambda path: (listed.append(os.path.relpath(path, nested.root)), scandir(path))[1]
    )
    for name in ("support/greeting/formal", "nobody", "support/nobody"):
        listed.clear()
        nested.folder.look(name)
        expected = [".", "support", "support/greeting", "support/greeting/formal"]
        assert listed == expected[: {"nobody": 1, "support/nobody": 2}.get(name, 4)]


def test_new_changed_and_removed_prompts_at_a_depth_show(nested: Watched) -> None:
    write(nested.root / "support" / "de" / "reply.md", "changed")
    write(nested.root / "support" / "de" / "new.md", "new")
    assert nested.opened("support", "support/de/reply", "support/de/new") == [
        "support/de/reply.md",
        "support/de/new.md",
    ]
    assert nested.contents("support/de/reply") == ["changed"]
    assert nested.contents(prompt_id("support/de/new")) == ["new"]
    shutil.rmtree(nested.root / "support" / "de")
    assert nested.contents("support/de/reply") == nested.contents(prompt_id("support/de/new")) == []
    assert nested.contents("support") == ["support/v1.md"]
    assert nested.warnings == []


@pytest.mark.parametrize("target", ["..", "../..", ".", "../support", "../../support/greeting"])
def test_a_link_that_leads_back_is_passed_over(target: str, nested: Watched) -> None:
    (nested.root / "support" / "greeting" / "back").symlink_to(target)
    anew = Watched(nested.root)
    assert sorted(anew.folder.names) == sorted(nested.folder.names)
    for name in ("support/greeting/back", "support/greeting/back/greeting", "support/greeting/back/support/greeting"):
        assert anew.contents(name) == []
    assert anew.warnings == []


def test_a_link_within_the_folder_is_another_name_and_one_that_leads_out_is_named(nested: Watched) -> None:
    (nested.root.parent / f"{nested.root.name}-else").mkdir()
    write(nested.root.parent / f"{nested.root.name}-else" / "secret.md", "secret")
    (nested.root / "support" / "out").symlink_to(nested.root.parent / f"{nested.root.name}-else")
    (nested.root / "team1" / "out.md").symlink_to(nested.root.parent / f"{nested.root.name}-else" / "secret.md")
    (nested.root / "alias").symlink_to("support/de")
    notes: list[str] = []
    folder = PromptFolder(nested.root, note=notes.append)
    assert [version.content for version in folder.versions("alias/reply")] == ["support/de/reply.md"]
    assert folder.versions("support/out/secret") == folder.versions("team1/out") == ()
    (note,) = notes
    assert "'support/out/'" in note or "support/out/" in note
    assert "team1/out.md" in note
    assert folder.flaws("team1/out") == ("team1/out.md: is a link that leads out of the folder, and is not followed",)


def test_a_folder_that_cannot_be_read_leaves_the_prompts_in_it_as_they_were(
    nested: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def refuses(path: str) -> object:
        if os.fspath(path).endswith("support"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuses)
    write(nested.root / "support" / "de" / "reply.md", "changed")
    assert nested.contents("support/de/reply") == ["support/de/reply.md"]
    assert nested.contents("support") == ["support/v1.md"]
    assert nested.contents("support/nobody") == []
    assert nested.contents("team1/area/p") == ["text"]
    assert "support/: cannot be read (Permission denied); make it a readable folder" in nested.warnings.pop(0)
    assert nested.warnings == []
    monkeypatch.undo()
    assert nested.contents("support/de/reply") == ["changed"]


def test_a_folder_that_became_a_link_out_since_it_was_listed_is_not_followed(nested: Watched) -> None:
    elsewhere = nested.root.parent / f"{nested.root.name}-else"
    (elsewhere / "area").mkdir(parents=True)
    write(elsewhere / "area" / "p.md", "secret")
    seconds = [0.0]
    folder = PromptFolder(nested.root, look_seconds=1.0, now=lambda: seconds[0])
    seconds[0] = 0.9
    folder.look("new")  # the root is not listed again
    shutil.rmtree(nested.root / "team1")
    (nested.root / "team1").symlink_to(elsewhere)
    seconds[0] = 1.0
    folder._tree._listings[""] = folder._tree._listings[""]._replace(listed_at=seconds[0])
    folder.look("team1/area/p")
    assert [version.content for version in folder.versions("team1/area/p")] != ["secret"]


def test_links_that_multiply_folders_end(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"d{number}").mkdir()
        for way in ("x", "y"):
            if number < 11:
                (tmp_path / f"d{number}" / way).symlink_to(f"../d{number + 1}")
    write(tmp_path / "d11" / "p.md", "text")
    with pytest.raises(ConfigurationError, match=r"d0/x/x/x/x/x/: is too deep; move its files up, or elsewhere"):
        PromptFolder(tmp_path)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("support/what%3F.md", "support/what?"),
        ("%2Ehidden/v1.md", ".hidden"),
        ("a/%/b.md", "a//b"),
        ("a%2Fb.md", "a/b"),
        ("a%2Fb/c/v3.md", "a/b/c"),
        ("lo%+/ng%+/er/v1.md", "longer"),
        ("lo%+/ng.md", "long"),
        ("100%/v1.md", "100%"),
        ("a%zz.md", "a%zz"),
        ("%FF.md", "%FF"),
        ("v1.md", "v1"),
        ("v1/v2.md", "v1"),
        ("a/%761.md", "a/v1"),
        ("a/v7/b.md", "a/v7/b"),
    ],
)
def test_an_escaped_path_is_the_prompt_of_that_name_alone(file: str, name: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    write(tmp_path / file, "text")
    watched = Watched(tmp_path)
    assert watched.folder.names == [name]
    assert watched.contents(name) == ["text"]
    write(tmp_path / file, "changed")
    assert watched.contents(name) == watched.contents(prompt_id(name)) == ["changed"]
