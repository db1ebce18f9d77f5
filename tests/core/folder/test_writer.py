"""A folder is written so that no reader meets half a change, and nothing that somebody else wrote is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest
from faults.child import in_a_child

from scope_client._folder import replacing, whole_file, writer
from scope_client._folder.reader import SETTLING_SECONDS, PromptFolder, read_prompt_dir
from scope_client._folder.record import new_version
from scope_client._folder.writer import FolderWriter, state_of
from scope_client.errors import ConfigurationError

AT = "2026-01-01T00:00:00.000Z"
DRAFT, PUBLISHED = b"---\nstatus: draft\n---\n", b"---\nstatus: published # live\n---\n"


class Folder:
    """A folder, and what its reader and its writer say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def put(self, name: str, octets: bytes = b"Hello\n") -> Path:
        file = self.path / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_bytes(octets)
        return file

    def writer(self) -> FolderWriter:
        return FolderWriter(PromptFolder(self.path))

    def statuses(self, name: str) -> dict[int, str]:
        return {each.number: each.status for each in read_prompt_dir(self.path).get(name, ())}

    def all(self) -> dict[str, bytes]:
        """Every file with its bytes, hidden ones too."""
        files = (file for file in self.path.rglob("*") if file.is_file())
        return {str(file.relative_to(self.path)): file.read_bytes() for file in files}

    def new(self, name: str, number: int, content: str = "New", **parts: object) -> object:
        return new_version(name, number, content, **{"status": "draft", "at": AT, **parts})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "prompts")


class TestPublishing:
    def test_archives_what_was_published_and_changes_nothing_but_the_two_lines(self, folder: Folder) -> None:
        folder.put("a/v1.md", PUBLISHED + b"One\n")
        folder.put("a/v2.md", DRAFT + b"Two")
        folder.put("a/v3.md", DRAFT + b"Three")
        folder.writer().publish("a", 2)
        assert folder.all() == {
            "a/v1.md": b"---\nstatus: archived # live\n---\nOne\n",
            "a/v2.md": b"---\nstatus: published\n---\nTwo",
            "a/v3.md": DRAFT + b"Three",
        }

    def test_of_a_prompt_of_which_one_file_gives_the_id_changes_the_statuses_alone(self, folder: Folder) -> None:
        folder.put("a/v1.md", PUBLISHED)
        folder.put("a/v2.md", b"---\nstatus: draft\nprompt_id: p1\n---\n")
        folder.writer().publish("a", 2)
        folder.writer().draft(folder.new("a", 3, prompt_id="p1"))
        assert folder.statuses("a") == {1: "archived", 2: "published", 3: "draft"}
        assert b"prompt_id" not in folder.all()["a/v1.md"]
        assert b"prompt_id: p1\n" in folder.all()["a/v3.md"]

    def test_of_what_is_published_changes_nothing(self, folder: Folder) -> None:
        folder.put("a.md")
        folder.writer().publish("a", 1)
        assert folder.all() == {"a.md": b"Hello\n"}

    def test_may_go_back_to_a_version_that_was_archived(self, folder: Folder) -> None:
        folder.put("a/v1.md", PUBLISHED)
        folder.put("a/v2.md", DRAFT)
        folder.writer().publish("a", 2)
        folder.writer().publish("a", 1)
        assert folder.statuses("a") == {1: "published", 2: "archived"}

    def test_keeps_the_permissions(self, folder: Folder) -> None:
        one, two = folder.put("a/v1.md", PUBLISHED), folder.put("a/v2.md", DRAFT)
        one.chmod(0o640)
        two.chmod(0o604)
        folder.writer().publish("a", 2)
        assert [file.stat().st_mode & 0o777 for file in (one, two)] == [0o640, 0o604]

    def test_leaves_a_file_alone_that_is_marked_as_read_only(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.put("a/v1.md", PUBLISHED)
        folder.put("a/v2.md", DRAFT)
        folder.put("b.md")
        before = folder.all()
        monkeypatch.setattr(os, "access", lambda path, _: "v2" in path)  # root may write all files
        for change in (
            lambda: folder.writer().publish("a", 2),
            lambda: folder.writer().archive("a", 1),
            lambda: folder.writer().draft(folder.new("b", 2)),
        ):
            with pytest.raises(ConfigurationError, match=r"(v1|b)\.md is read-only for this user; make it writable"):
                change()
        assert folder.all() == before

    def test_leaves_a_reader_with_the_former_state_at_every_moment(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.put("a/v1.md", PUBLISHED)
        folder.put("a/v2.md", DRAFT)
        warnings: list[str] = []
        reader = PromptFolder(folder.path, warnings.append)
        seen = watch(monkeypatch, reader)
        folder.writer().publish("a", 2)
        assert set(seen) == {((1, "published"), (2, "draft"))}
        assert len(seen) >= 2
        assert warnings == []
        reader.look("a")
        assert [each.status for each in reader.versions("a")] == ["archived", "published"]

    def test_that_fails_half_way_is_undone(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.put("a/v1.md", PUBLISHED)
        folder.put("a/v2.md", DRAFT)
        before = folder.all()
        replace = os.replace

        def fails(source: str, target: str) -> None:
            if target.endswith("v1.md"):
                raise OSError(28, "No space left on device")
            replace(source, target)

        monkeypatch.setattr(os, "replace", fails)
        with pytest.raises(ConfigurationError, match=r"'a' cannot be written \(No space left on device\)"):
            folder.writer().publish("a", 2)
        assert folder.all() == before

    def test_after_a_crash_in_the_middle_none_has_lost_its_status_and_the_reader_says_what_to_do(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.put("a/v1.md", PUBLISHED)
        folder.put("a/v2.md", DRAFT)
        replace = os.replace

        def replaces_once(source: str, target: str) -> None:
            replace(source, target)
            monkeypatch.setattr(os, "replace", lambda *_: os._exit(1))

        monkeypatch.setattr(os, "replace", replaces_once)
        with pytest.raises(EOFError):
            in_a_child(lambda: folder.writer().publish("a", 2))
        with pytest.raises(ConfigurationError, match=r"a/v2\.md: a/v1\.md is published too; make one of them archived"):
            read_prompt_dir(folder.path)

    def test_of_a_version_that_is_not_there_names_those_that_are(self, folder: Folder) -> None:
        folder.put("a/v1.md")
        with pytest.raises(ConfigurationError, match="there is no v7; the versions are: 1"):
            folder.writer().publish("a", 7)


NOW = 1769904000.0
DATED = b"""---
status: draft  # not yet
prompt_id: p1
created_at: 2026-01-01T00:00:00Z  # as it was served
updated_at: 2026-01-01T00:00:00Z  # so too
promoted_at: '2026-01-01T00:00:00Z'
"promoted_by": ada
metadata: {b: 1, a:   2}
---
Hi
"""


class TestTimesInFrontMatter:
    def writer(self, folder: Folder) -> FolderWriter:
        return FolderWriter(PromptFolder(folder.path), clock=lambda: NOW)

    def test_are_those_of_a_publication_and_everything_else_stays(self, folder: Folder) -> None:
        folder.put("a/b/v1.md", DATED)
        self.writer(folder).publish("a/b", 1)
        at = b"'2026-02-01T00:00:00.000Z'"
        expected = DATED.replace(b"status: draft", b"status: published").replace(b'by": ada', b"by\": 'local'")
        expected = expected.replace(b"updated_at: 2026-01-01T00:00:00Z", b"updated_at: " + at)
        expected = expected.replace(b"promoted_at: '2026-01-01T00:00:00Z'", b"promoted_at: " + at)
        assert folder.all() == {"a/b/v1.md": expected}
        (version,) = read_prompt_dir(folder.path)["a/b"]
        assert (version.created_at, version.promoted_at) == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00.000Z")

    def test_say_when_a_version_was_archived_and_that_it_was_promoted(self, folder: Folder) -> None:
        folder.put("a.md", DATED)
        self.writer(folder).archive("a", 1)
        (version,) = read_prompt_dir(folder.path)["a"]
        assert (version.status, version.updated_at) == ("archived", "2026-02-01T00:00:00.000Z")
        assert (version.promoted_at, version.promoted_by) == ("2026-01-01T00:00:00Z", "ada")

    def test_are_not_put_into_a_file_that_has_none(self, folder: Folder) -> None:
        folder.put("a/v1.md", PUBLISHED)
        folder.put("a/v2.md", DRAFT)
        self.writer(folder).publish("a", 2)
        assert not any(b"_at" in octets for octets in folder.all().values())

    def test_stay_where_a_file_only_gets_company(self, folder: Folder) -> None:
        folder.put("a.md", DATED)
        self.writer(folder).draft(folder.new("a", 2))
        assert folder.all()["a/v1.md"] == DATED

    @pytest.mark.parametrize("key", ["status: live", "is_production: false"])
    def test_are_not_changed_if_the_answer_says_the_opposite(self, key: str, folder: Folder) -> None:
        folder.put("a.md", b"---\nstatus: draft\nserved: {%s}\n---\nHi" % key.encode())
        before = folder.all()
        field = key.partition(":")[0]
        with pytest.raises(ConfigurationError, match=f"a.md: its key 'served' says {field} in another way; remove"):
            self.writer(folder).publish("a", 1)
        assert folder.all() == before


def watch(monkeypatch: pytest.MonkeyPatch, reader: PromptFolder, name: str = "a") -> list[tuple[tuple[int, str], ...]]:
    """What a reader that runs makes of the prompt after each step of a change."""
    seen: list[tuple[tuple[int, str], ...]] = []

    def settle(_: str) -> None:
        reader.look(name)
        seen.append(tuple((each.number, each.status) for each in reader.versions(name)))

    for room in (replacing, writer):
        monkeypatch.setattr(room, "settle", settle)
    return seen


class TestArchiving:
    def test_leaves_a_prompt_without_production(self, folder: Folder) -> None:
        folder.put("a.md")
        folder.writer().archive("a", 1)
        assert folder.statuses("a") == {1: "archived"}
        assert folder.all() == {"a.md": b"---\nstatus: archived\n---\nHello\n"}


class TestDrafting:
    def test_of_a_new_prompt_makes_a_folder(self, folder: Folder) -> None:
        folder.writer().draft(folder.new("a", 1))
        assert folder.all() == {"a/v1.md": DRAFT + b"New\n"}

    def test_beside_files_adds_one_with_their_permissions(self, folder: Folder) -> None:
        folder.put("a/v1.md", PUBLISHED)
        folder.put("a/V7.MD", DRAFT).chmod(0o600)
        folder.writer().draft(folder.new("a", 8))
        assert folder.statuses("a") == {1: "published", 7: "draft", 8: "draft"}
        assert (folder.path / "a/v8.md").stat().st_mode & 0o777 == 0o600

    def test_beside_the_only_file_keeps_that_published_and_its_time(self, folder: Folder) -> None:
        file = folder.put("a/v1.md")
        os.utime(file, (1e9, 1e9))
        folder.writer().draft(folder.new("a", 2))
        assert folder.all() == {"a/v1.md": b"---\nstatus: published\n---\nHello\n", "a/v2.md": DRAFT + b"New\n"}
        assert file.stat().st_mtime == 1e9

    def test_beside_a_lone_file_makes_a_folder_of_it(self, folder: Folder) -> None:
        file = folder.put("a.md", b"---\ntags: [x] # mine\n---\nHello")
        file.chmod(0o640)
        os.utime(file, (1e9, 1e9))
        folder.writer().draft(folder.new("a", 2))
        assert folder.all() == {
            "a/v1.md": b"---\nstatus: published\ntags: [x] # mine\n---\nHello",
            "a/v2.md": DRAFT + b"New\n",
        }
        assert (folder.path / "a/v1.md").stat().st_mtime == 1e9
        assert [file.stat().st_mode & 0o777 for file in (folder.path / "a").iterdir()] == [0o640] * 2
        assert folder.path.stat().st_mode == (folder.path / "a").stat().st_mode

    def test_beside_a_lone_file_leaves_a_reader_with_it_at_every_moment(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.put("a.md")
        warnings: list[str] = []
        reader = PromptFolder(folder.path, warnings.append)
        seen = watch(monkeypatch, reader)
        folder.writer().draft(folder.new("a", 2))
        assert set(seen) == {((1, "published"),)}
        assert len(seen) >= 3
        assert warnings == []
        reader.look("a")
        assert [each.status for each in reader.versions("a")] == ["published", "draft"]

    @pytest.mark.parametrize("step", range(4))
    def test_that_fails_at_any_step_loses_nothing(
        self, step: int, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.put("a.md", b"Hello")
        taken = 0

        def failing(real: object) -> object:
            def fails(*arguments: object, **more: object) -> object:
                nonlocal taken
                taken += 1
                if taken - 1 == step:
                    raise OSError(5, "Input/output error")
                return real(*arguments, **more)

            return fails

        monkeypatch.setattr(os, "link", failing(os.link))  # which is got over
        monkeypatch.setattr(os, "rename", failing(os.rename))
        with contextlib.suppress(ConfigurationError):
            folder.writer().draft(folder.new("a", 2))
        monkeypatch.undo()
        assert folder.statuses("a") in ({1: "published"}, {1: "published", 2: "draft"})
        assert {file for file in folder.all() if ".tmp" in file} == set()
        assert read_prompt_dir(folder.path)["a"][0].content == "Hello"

    def test_after_a_crash_both_are_there_and_the_reader_says_what_to_do(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Crash(BaseException):
            pass

        folder.put("a.md", b"Hello")
        rename = os.rename

        def crashes(source: str, target: str) -> None:
            if source.endswith("a.md"):
                raise Crash
            rename(source, target)

        monkeypatch.setattr(os, "rename", crashes)
        with pytest.raises(Crash):
            folder.writer().draft(folder.new("a", 2))
        assert sorted(folder.all()) == ["a.md", "a/v1.md", "a/v2.md"]
        with pytest.raises(ConfigurationError, match=r"there is a folder a/ too; keep one of the two"):
            read_prompt_dir(folder.path)
        shutil.rmtree(folder.path / "a")
        assert folder.statuses("a") == {1: "published"}

    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("a/b", "a/b/v1.md"),
            ("support/reply", "support/reply/v1.md"),
            ("support", "support/v1.md"),
            ("Support/reply", "%53upport/reply/v1.md"),
            (".a", "%2Ea/v1.md"),
            ("README.md", "README%2Emd/v1.md"),
            ("node_modules", "%6Eode_modules/v1.md"),
            ("\0", "%00/v1.md"),
            ("../secret", "%2E%2E/secret/v1.md"),
            ("/etc/passwd", "%/etc/passwd/v1.md"),
            ("GREETING", "%47%52%45%45%54%49%4E%47/v1.md"),
            ("greeting.md", "greeting%2Emd/v1.md"),
            ("loud", "%6C%6F%75%64/v1.md"),
            ("nowhere", "%6E%6F%77%68%65%72%65/v1.md"),
            ("cafe\u0301", "cafe%CC%81/v1.md"),
            ("x" * 300, f"{'x' * 180}%+/{'x' * 120}/v1.md"),
            ("LICENSE", "%4C%49%43%45%4E%53%45/v1.md"),
            ("escaped/more", "%65scaped/more/v1.md"),
        ],
    )
    def test_of_any_name_finds_a_place_for_it(self, name: str, file: str, folder: Folder) -> None:
        for there in ("greeting.md", "caf\u00e9.md", "LICENSE", "support/greeting.md", "LOUD.md", "%65scaped/one.md"):
            folder.put(there)
        (folder.path / "nowhere").symlink_to("gone")
        before = folder.all()
        folder.writer().draft(folder.new(name, 1))
        assert {each for each in folder.all() if each not in before} == {file}
        assert [each.prompt for each in read_prompt_dir(folder.path)[name]] == [name]
        folder.writer().draft(folder.new(name, 2))
        folder.writer().publish(name, 2)
        assert folder.statuses(name) == {1: "draft", 2: "published"}

    def test_of_a_name_that_no_disk_can_hold_leaves_nothing(self, folder: Folder) -> None:
        with pytest.raises(ConfigurationError, match=r"cannot be written \(File name too long\)"):
            folder.writer().draft(folder.new("x" * 5000, 1))
        assert list(folder.path.iterdir()) == []

    def test_beside_a_lone_file_in_a_folder_makes_a_folder_there(self, folder: Folder) -> None:
        folder.put("support/greeting.md")
        folder.put("support/%47reeting.md")
        for name in ("support/greeting", "support/Greeting"):
            folder.writer().draft(folder.new(name, 2))
        assert sorted(folder.all()) == [
            f"support/{stem}/v{number}.md" for stem in ("%47reeting", "greeting") for number in (1, 2)
        ]

    def test_beside_a_lone_file_keeps_the_prompts_in_the_folder_of_its_name(self, folder: Folder) -> None:
        folder.put("support.md", b"Help")
        folder.put("support/greeting.md")
        folder.writer().draft(folder.new("support", 2))
        assert sorted(folder.all()) == ["support/greeting.md", "support/v1.md", "support/v2.md"]
        assert folder.statuses("support") == {1: "published", 2: "draft"}

    def test_into_a_folder_with_other_prompts_leaves_nothing_if_it_fails(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.put("support.md", b"Help")
        folder.put("support/greeting.md")
        before = folder.all()

        def fails(*_: object) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "rename", fails)
        with pytest.raises(ConfigurationError, match="Input/output error"):
            folder.writer().draft(folder.new("support", 2))
        assert folder.all() == before

    def test_of_a_name_that_looks_like_a_file_is_a_prompt_of_that_name(self, folder: Folder) -> None:
        folder.writer().draft(folder.new("a.md", 1))
        folder.writer().draft(folder.new("a", 1))
        assert sorted(read_prompt_dir(folder.path)) == ["a", "a.md"]


class TestOthers:
    """Somebody edits the same files."""

    def test_that_changed_a_prompt_since_it_was_looked_at_win(self, folder: Folder) -> None:
        file = folder.put("a/v1.md", PUBLISHED)
        folder.put("a/v2.md", DRAFT)
        writing = folder.writer()
        state = state_of(read_prompt_dir(folder.path)["a"])
        file.write_bytes(PUBLISHED + b"Better")
        before = folder.all()
        for change in (
            lambda: writing.publish("a", 2, state),
            lambda: writing.archive("a", 1, state),
            lambda: writing.draft(folder.new("a", 3), state),
        ):
            with pytest.raises(ConfigurationError, match="'a' was changed since you looked at it; look again"):
                change()
        assert folder.all() == before
        writing.publish("a", 2, state_of(read_prompt_dir(folder.path)["a"]))
        assert folder.statuses("a") == {1: "archived", 2: "published"}

    def test_that_only_touched_a_file_are_no_reason_to_refuse(self, folder: Folder) -> None:
        file = folder.put("a/v1.md", DRAFT)
        state = state_of(read_prompt_dir(folder.path)["a"])
        os.utime(file, (1e9, 1e9))
        folder.writer().publish("a", 1, state)
        assert folder.statuses("a") == {1: "published"}

    @pytest.mark.parametrize("change", ["publish", "draft"])
    def test_that_save_in_the_very_moment_are_not_written_over(
        self, change: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = folder.put("a.md", DRAFT)
        real = replacing.hidden_name

        def saves() -> str:
            file.write_bytes(b"Better")
            return real()

        for room in (replacing, writer):
            monkeypatch.setattr(room, "hidden_name", saves)
        with pytest.raises(ConfigurationError, match=r"a\.md was changed meanwhile; look at it, and try again"):
            folder.writer().publish("a", 1) if change == "publish" else folder.writer().draft(folder.new("a", 2))
        assert folder.all() == {"a.md": b"Better"}

    @pytest.mark.parametrize("change", ["publish", "archive", "draft"])
    def test_that_save_between_the_look_and_the_reading_are_not_written_over(
        self, change: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = folder.put("a.md", DRAFT)
        real = writer.identity

        def saves_before(path: str) -> replacing.Identity:
            file.write_bytes(b"Better")
            return real(path)

        monkeypatch.setattr(writer, "identity", saves_before)
        writing = folder.writer()
        with pytest.raises(ConfigurationError, match=r"a\.md was changed meanwhile; look at it, and try again"):
            writing.draft(folder.new("a", 2)) if change == "draft" else getattr(writing, change)("a", 1)
        assert folder.all() == {"a.md": b"Better"}

    def test_that_save_while_the_lone_file_moves_are_not_lost(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = folder.put("a.md")
        rename = os.rename

        def saves(source: str, target: str) -> None:
            if source == str(file):
                file.write_bytes(b"Better")
            rename(source, target)

        monkeypatch.setattr(os, "rename", saves)
        with pytest.raises(ConfigurationError, match=r"a\.md was changed meanwhile"):
            folder.writer().draft(folder.new("a", 2))
        assert folder.all() == {"a.md": b"Better"}

    def test_that_made_the_same_version_meanwhile_keep_theirs(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.put("a/v1.md", PUBLISHED)
        real = replacing.hidden_name

        def makes() -> str:
            folder.put("a/v2.md", b"Theirs")
            return real()

        monkeypatch.setattr(replacing, "hidden_name", makes)
        with pytest.raises(ConfigurationError, match="'a' was changed meanwhile"):
            folder.writer().draft(folder.new("a", 2))
        assert folder.all()["a/v2.md"] == b"Theirs"

    def test_that_left_a_flaw_have_to_mend_it_first(self, folder: Folder) -> None:
        writing = folder.writer()
        folder.put("a.md")
        folder.put("a/v1.md")
        with pytest.raises(ConfigurationError, match=r"'a' cannot be changed: a\.md: there is a folder a/ too"):
            writing.draft(folder.new("a", 2))


def test_what_was_written_is_known_at_once_where_nobody_knows_who_has_a_file_open(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(whole_file, "fcntl", None)
    folder.put("a.md")
    reader = PromptFolder(folder.path, file_time=lambda: time.time_ns() + int(sum(slept) * 1e9))
    writing = FolderWriter(reader, sleep=slept.append)
    writing.draft(folder.new("a", 2))
    assert [each.status for each in reader.versions("a")] == ["published", "draft"]
    slept.clear()
    writing.publish("a", 2)
    assert [each.status for each in reader.versions("a")] == ["archived", "published"]
    assert slept == [SETTLING_SECONDS]


class TestLinks:
    def test_that_lead_out_are_not_written_through(self, folder: Folder, tmp_path: Path) -> None:
        outside = tmp_path / "outside.md"
        outside.write_bytes(PUBLISHED)
        (folder.path / "a.md").symlink_to(outside)
        (folder.path / "b").symlink_to(tmp_path, target_is_directory=True)
        folder.put("c/v1.md", PUBLISHED)
        (folder.path / "c/v2.md").symlink_to(outside)
        for name in "abc":
            for change in (
                lambda name=name: folder.writer().publish(name, 1),
                lambda name=name: folder.writer().draft(folder.new(name, 2)),
            ):
                with pytest.raises(ConfigurationError, match="is a link that leads out of the folder"):
                    change()
        assert outside.read_bytes() == PUBLISHED
        assert not (tmp_path / "v2.md").exists()

    def test_within_the_folder_stay_links(self, folder: Folder) -> None:
        real = folder.put(".data/one.md", DRAFT)
        (folder.path / "a.md").symlink_to(real)
        folder.writer().publish("a", 1)
        assert (folder.path / "a.md").is_symlink()
        assert real.read_bytes() == b"---\nstatus: published\n---\n"
        with pytest.raises(ConfigurationError, match=r"a\.md is a link; replace it by a file"):
            folder.writer().draft(folder.new("a", 2))


def test_a_folder_that_cannot_be_written_says_so(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put("a.md", DRAFT)

    def refuses(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(replacing.os, "fsync", refuses)
    with pytest.raises(ConfigurationError, match=r"'a' cannot be written \(Read-only file system\); nothing was lost"):
        folder.writer().publish("a", 1)
    assert folder.all() == {"a.md": DRAFT}
