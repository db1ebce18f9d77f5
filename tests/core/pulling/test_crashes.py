"""A pull that is killed, fails or meets another one leaves what readers can use, and what the next one repairs."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from typing import TYPE_CHECKING, Callable

import pytest
from core.pulling.conftest import Project
from faults.child import in_a_child

from scope_client._folder.reader import PromptFolder, read_prompt_dir
from scope_client._lock import file_changes, pulling
from scope_client._lock.one_at_a_time import alone_in
from scope_client.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_STEPS = 200
STEPS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "open")
BEFORE, AFTER = "Good {{time_of_day}}, {{name}}!", "Hello {{name}}!"


@pytest.fixture
def moved_on(project: Project) -> Project:
    """One prompt has another version, one goes back and forth between production and latest, one is new."""
    project.pull("greeting", "support-chat")
    project.platform.draft("support-chat", "Draft")
    project.pull("support-chat", label="latest")
    project.platform.publish("greeting", AFTER)
    project.platform.publish("support-chat", "Published")
    project.platform.publish("third", "Hi")
    return project


def copied(project: Project, name: str) -> Project:
    copy = Project(project.path.parent / name, project.platform)
    shutil.copytree(project.path, copy.path)
    return copy


def at_each_step(below: Path, do: Callable[[str], object]) -> None:
    """From here on, in this process, this is done before each change of the disk."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in STEPS or not str(arguments[0]).startswith(str(below)):
            return
        if event != "open" or (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            do(event)

    sys.addaudithook(hook)


def pull_until(project: Project, step: int) -> str:
    """In a child that is killed before this step; how it ended."""

    def run() -> str:
        taken = 0

        def die(_: str) -> None:
            nonlocal taken
            taken += 1
            if taken > step:
                os._exit(1)

        at_each_step(project.path, die)
        project.client = project.platform.client()
        project.pull("greeting", "support-chat", "third")
        return "done"

    try:
        return str(in_a_child(run))
    except EOFError:
        return "killed"


def test_killed_at_any_step_it_leaves_a_folder_that_can_be_read_and_the_next_one_repairs_it(moved_on: Project) -> None:
    whole = copied(moved_on, "whole")
    whole.pull("greeting", "support-chat", "third")
    expected = whole.all()
    for step in range(MOST_STEPS):
        crashed = copied(moved_on, f"crashed-{step}")
        ended = pull_until(crashed, step)
        contents = {
            name: [each.content for each in all_of_it] for name, all_of_it in read_prompt_dir(crashed.folder).items()
        }
        assert contents["greeting"] in ([BEFORE], [AFTER]), step
        assert contents.get("third", ["Hi"]) == ["Hi"], step
        crashed.pull("greeting", "support-chat", "third")
        assert crashed.all() == expected, step
        shutil.rmtree(crashed.path)
        if ended == "done":
            break
    assert 20 < step < MOST_STEPS - 1


def test_killed_it_counts_as_nothing_for_a_pull_of_other_prompts(moved_on: Project) -> None:
    before = {name: octets for name, octets in moved_on.all().items() if "greeting" in name}
    for step in range(0, MOST_STEPS, 7):
        crashed = copied(moved_on, f"crashed-{step}")
        ended = pull_until(crashed, step)
        if ended == "done":
            break
        crashed.pull("third")
        locked = crashed.lock.find("greeting")
        there = {name: octets for name, octets in crashed.all().items() if "greeting" in name}
        assert locked is not None
        assert (locked.version_number == 2) or there == before, step
        assert not [name for name in crashed.names() if ".scope-pull" in name]
    assert ended == "done"


def test_what_somebody_has_written_since_a_crash_is_not_put_back(moved_on: Project) -> None:
    former = {name for name in moved_on.names() if name.endswith(".md")}
    for step in range(MOST_STEPS):
        crashed = copied(moved_on, f"crashed-{step}")
        assert pull_until(crashed, step) == "killed"
        new = {name for name in crashed.names() if name.endswith(".md") and ".scope-pull" not in name} - former
        if new:
            break
    (changed,) = new
    (crashed.path / changed).write_text("Ours")
    with pytest.raises(ConfigurationError):
        crashed.pull("greeting", "support-chat", "third")
    assert (crashed.path / changed).read_text() == "Ours"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"lock": 1}', '{"lock": "x", "before": null, "ours": [null], "former": {"../../x": "0"}}']
)
def test_a_list_of_changes_that_is_not_one_counts_for_nothing(text: str, project: Project) -> None:
    project.pull("greeting")
    before = project.all()
    stage = project.folder / file_changes.STAGE_NAME
    (stage / "before").mkdir(parents=True)
    (stage / "before/0").write_text("bad")
    (stage / file_changes.CHANGES_FILE_NAME).write_text(text)
    project.pull()
    assert project.all() == before
    assert not (project.path.parent / "x").exists()


def test_a_reader_that_runs_keeps_the_former_state_of_a_prompt_that_is_being_changed(moved_on: Project) -> None:
    def run() -> tuple[list[object], list[str], list[object]]:
        warnings: list[str] = []
        reader = PromptFolder(moved_on.folder, warnings.append)
        seen: list[object] = []
        looking = threading.local()

        def look(_: str) -> None:
            if not getattr(looking, "is_", False):
                looking.is_ = True
                reader.look("greeting")
                looking.is_ = False
                seen.append([(each.number, each.content) for each in reader.versions("greeting")])

        at_each_step(moved_on.path, look)
        moved_on.client = moved_on.platform.client()
        moved_on.pull("greeting")
        reader.look_at_what_is_written("greeting")
        return seen, warnings, [(each.number, each.content) for each in reader.versions("greeting")]

    seen, warnings, after = in_a_child(run)
    assert warnings == []
    assert len(seen) > 10
    assert [each for each in seen if each not in ([(1, BEFORE)], [(2, AFTER)])] == []
    assert seen == sorted(seen)
    assert after == [(2, AFTER)]


@contextlib.contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, name: str, number: int, below: Path) -> Iterator[None]:
    """The call of this number of a function of the system fails, of those in the folder, as on a full disk."""
    real = getattr(os, name)
    taken = 0

    def fails(*arguments: object, **more: object) -> object:
        nonlocal taken
        if name == "fsync" or str(below) in str(arguments[0]):
            taken += 1
            if taken == number:
                raise OSError(28, "No space left on device", str(arguments[0]))
        return real(*arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, name, fails)
        yield
    if taken < number:
        raise LookupError


@pytest.mark.parametrize("name", ["replace", "rename", "unlink", "rmdir", "mkdir", "link", "fsync"])
def test_that_fails_at_any_step_changes_nothing_or_gets_over_it(
    name: str, moved_on: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = moved_on.all()
    whole = copied(moved_on, "whole")
    whole.pull("greeting", "support-chat", "third")
    expected = whole.all()
    outcomes: set[str] = set()
    for number in range(1, MOST_STEPS):
        trying = copied(moved_on, f"trying-{number}")
        try:
            with failing(monkeypatch, name, number, trying.path):
                trying.pull("greeting", "support-chat", "third")
        except LookupError:
            break
        except ConfigurationError as error:
            outcomes.add(error.message.partition(" (")[2])
            assert trying.all() == before, number
        else:
            assert {path: octets for path, octets in trying.all().items() if ".scope-pull" not in path} == expected
    assert number > 1
    assert outcomes <= {"No space left on device); nothing was changed"}


def test_into_a_place_where_nothing_can_be_made_says_where(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(path: object, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "makedirs", refuses)
    with pytest.raises(
        ConfigurationError, match=r"/prompts cannot be written \(Permission denied\); nothing was changed"
    ):
        project.pull("greeting")
    assert project.names() == []


def test_a_second_one_at_the_same_time_is_refused(moved_on: Project) -> None:
    before = moved_on.all()

    def second() -> str:
        moved_on.client = moved_on.platform.client()
        try:
            moved_on.pull("greeting")
        except ConfigurationError as error:
            return error.message
        return "done"

    with alone_in(str(moved_on.folder)):
        assert "another process is pulling into" in in_a_child(second)
    assert moved_on.all() == before
    assert in_a_child(second) == "done"


def test_one_that_meets_a_lock_that_was_changed_meanwhile_writes_nothing(
    moved_on: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_all = pulling.fetch_all

    def others_are_quicker(*arguments: object) -> object:
        found = fetch_all(*arguments)
        monkeypatch.setattr(pulling, "fetch_all", fetch_all)
        moved_on.pull("greeting")
        return found

    monkeypatch.setattr(pulling, "fetch_all", others_are_quicker)
    with pytest.raises(ConfigurationError, match=r"the lock .*scope\.lock was changed meanwhile; pull again"):
        moved_on.pull("third")
    assert [(each.name, each.version_number) for each in moved_on.lock.versions if each.label == "production"] == [
        ("greeting", 2),
        ("support-chat", 1),
    ]


def test_two_at_once_leave_what_one_of_them_would(moved_on: Project) -> None:
    """One may be refused; whatever came first, the folder and the lock fit."""
    outcomes: list[object] = []

    def one(name: str) -> None:
        own = Project(moved_on.path, moved_on.platform)
        with own.client:
            try:
                outcomes.append(own.pull(name))
            except ConfigurationError as error:
                outcomes.append(error)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("greeting", "third")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(outcomes) == 2
    assert [each for each in outcomes if not isinstance(each, ConfigurationError)]
    moved_on.check()
    moved_on.pull("greeting", "third")
    assert not moved_on.check("greeting", "third").flaws
