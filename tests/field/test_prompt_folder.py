"""A prompt folder on a disk that hangs, in the middle of a write, behind links: readers and their content are safe."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.child import in_a_child
from faults.clock import ManualClock, ends_within, eventually
from faults.inside import is_looking_at_its_folder
from faults.opened import opened_in
from faults.reading import content, has_looked, warnings

import scope_client
from scope_client import ConfigurationError, ScopeError
from scope_client._folder.reader import PromptFolder
from scope_client.local import LocalPlatform
from scope_langchain import scope_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scope_client import ScopeClient

LOGGER = "scope_client.folder"
SECOND_NANOSECONDS = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    (folder / "g").mkdir(parents=True)
    (folder / "g" / "v1.md").write_text("---\nstatus: published\n---\none\n")
    (folder / "g" / "v2.md").write_text("two\n")
    (folder / "greeting.md").write_text("Hello\n")
    (tmp_path / "secret.md").write_text("secret\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "v1.md").write_text("secret\n")
    return folder


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    """One that is down."""
    with LocalPlatform() as started:
        started.fail(503)
        yield started


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make_client(platform: LocalPlatform, folder: Path, clock: ManualClock) -> Iterator[Callable[[], ScopeClient]]:
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(platform.client(clock=clock.clock, prompt_dir=folder, max_retries=0))


@pytest.fixture
def client(make_client: Callable[[], ScopeClient]) -> ScopeClient:
    return make_client()


class Disk:
    """Notes which threads ask for a folder's files; it can be made to hang."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = str(folder)
        self.threads: set[str] = set()
        self.answers = threading.Event()
        self.answers.set()
        for name in ("stat", "lstat", "scandir", "open"):
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(path: Any, *args: Any, **options: Any) -> Any:
            if isinstance(path, str) and path.startswith(self._folder):
                self.threads.add(threading.current_thread().name)
                assert self.answers.wait(20), "the disk hangs"
            return function(path, *args, **options)

        return watched


@pytest.fixture
def disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk(folder, monkeypatch)
    yield disk
    disk.answers.set()


def test_after_the_start_no_reader_asks_for_a_file(make_client: Any, disk: Disk, folder: Path, clock: Any) -> None:
    client = make_client()
    disk.threads.clear()
    for number in range(5):
        (folder / "greeting.md").write_text(f"edit {number}\n")
        has_looked(client, clock, "greeting", "g", "nobody")
        assert content(client) == f"edit {number}"
    assert disk.threads == {"scope-background"}


def test_a_disk_that_hangs_holds_up_one_reader_for_a_moment_and_nobody_else(
    make_client: Any, disk: Disk, folder: Path, clock: ManualClock
) -> None:
    client = make_client()
    assert content(client) == "Hello"
    disk.answers.clear()
    with ends_within(2):
        for number in range(100):
            clock.passes(1)
            assert content(client, deadline=0.5 if number % 2 else None) == "Hello"
            assert content(client, "g", label="latest") == "two"
    disk.answers.set()
    (folder / "greeting.md").write_text("edited\n")
    eventually(lambda: not is_looking_at_its_folder(client))
    has_looked(client, clock, "greeting")
    assert content(client) == "edited"


def test_a_disk_that_hangs_holds_up_no_renewal(
    make_client: Any, platform: LocalPlatform, disk: Disk, clock: ManualClock
) -> None:
    platform.recover()
    platform.publish("greeting", "first")
    platform.publish("other", "first")
    client = make_client()
    assert content(client) == content(client, "other") == "first"
    disk.answers.clear()
    platform.publish("greeting", "second")
    platform.publish("other", "second")
    clock.passes(290)  # of 300: both are due
    for name in ("greeting", "other"):
        eventually(lambda name=name: content(client, name) == "second")


def test_a_pipe_in_the_place_of_a_file_is_a_flaw_and_holds_up_nobody(
    client: ScopeClient, folder: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "greeting.md").unlink()
    os.mkfifo(folder / "greeting.md")
    for _ in range(3):
        has_looked(client, clock, "greeting")
        assert content(client) == "Hello"
    (warning,) = warnings(caplog, LOGGER)
    assert "greeting.md: is not a file" in warning


def test_a_file_that_somebody_is_writing_leaves_the_former_text_in_place(
    client: ScopeClient, folder: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    with open(folder / "greeting.md", "w") as file:
        for piece in ("---\nstat", "us: published\n---\nHalf"):
            file.write(piece)
            file.flush()
            has_looked(client, clock, "greeting")
            assert content(client) == "Hello"
        file.write(" of it")
    has_looked(client, clock, "greeting")
    assert content(client) == "Half of it"
    assert warnings(caplog, LOGGER) == []


def test_the_local_platform_serves_no_half_of_a_file_either(folder: Path) -> None:
    with LocalPlatform(folder) as platform, platform.client(cache_enabled=False) as client:
        with open(folder / "greeting.md", "w") as file:
            assert content(client) == "Hello"
            file.write("Half")
            file.flush()
            assert content(client) == "Hello"
            file.write(" of it")
        assert content(client) == "Half of it"


class Looks:
    """Looks at a folder itself, by a clock and a file system's time of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.seconds = 0.0
        self.age_nanoseconds = 0
        self.warnings: list[str] = []
        self.folder = PromptFolder(
            folder,
            self.warnings.append,
            now=lambda: self.seconds,
            file_time=lambda: time.time_ns() + self.age_nanoseconds,
        )

    def content(self) -> str:
        self.folder.look("greeting")
        return self.folder.versions("greeting")[-1].content


@pytest.fixture
def looks(folder: Path) -> Looks:
    return Looks(folder)


def test_an_empty_file_is_empty_when_two_seconds_have_passed(looks: Looks, folder: Path) -> None:
    (folder / "greeting.md").write_text("")
    assert looks.content() == "Hello"
    looks.age_nanoseconds = 2 * SECOND_NANOSECONDS
    assert looks.content() == ""


def test_a_file_that_never_stops_growing_is_taken_after_two_seconds(looks: Looks, folder: Path) -> None:
    with open(folder / "greeting.md", "w") as file:
        for looks.seconds, seen in ((0.0, "Hello"), (1.9, "Hello"), (2.0, "aaa")):
            file.write("a")
            file.flush()
            assert looks.content() == seen


def test_a_file_that_stays_open_is_taken_two_seconds_after_its_last_change(looks: Looks, folder: Path) -> None:
    with open(folder / "greeting.md", "w") as file:
        file.write("whole")
        file.flush()
        assert looks.content() == "Hello"
        looks.age_nanoseconds = 2 * SECOND_NANOSECONDS
        assert looks.content() == "whole"


def test_a_system_that_does_not_tell_who_writes_lets_a_file_settle(
    looks: Looks, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.delattr(fcntl, "F_SETLEASE")
    (folder / "greeting.md").write_text("edited")
    assert looks.content() == "Hello"
    looks.age_nanoseconds = SECOND_NANOSECONDS // 4
    assert looks.content() == "edited"


def test_a_new_prompt_that_is_being_written_is_not_there_yet(looks: Looks, folder: Path) -> None:
    with open(folder / "new.md", "w") as file:
        file.write("Half")
        file.flush()
        looks.folder.look("new")
        assert looks.folder.versions("new") == ()
    looks.folder.look("new")
    assert [version.content for version in looks.folder.versions("new")] == ["Half"]


def test_a_file_of_another_revision_is_read_though_size_times_and_inode_agree(folder: Path) -> None:
    """As Kubernetes swaps a ConfigMap's files, on a file system that gives the inodes of the old ones to the new."""
    (folder / "..one").mkdir()
    (folder / "..two").mkdir()
    (folder / "..one" / "m.md").write_text("text")
    os.link(folder / "..one" / "m.md", folder / "..two" / "m.md")
    (folder / "..data").symlink_to("..one")
    (folder / "m.md").symlink_to("..data/m.md")
    looked_at = PromptFolder(folder, file_time=lambda: time.time_ns() + 60 * SECOND_NANOSECONDS)
    (folder / "..next").symlink_to("..two")
    (folder / "..next").replace(folder / "..data")
    with opened_in(folder) as opened:
        looked_at.look("m")
        looked_at.look("m")
    assert opened == ["..two/m.md"]


LINKS: dict[str, tuple[str, str]] = {
    "a file": ("greeting.md", "../secret.md"),
    "a new file": ("new.md", "../secret.md"),
    "a version": ("g/v3.md", "../../secret.md"),
    "a folder": ("away", "../elsewhere"),
    "a link to a link": ("greeting.md", "new"),
}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("is_absolute", [False, True])
@pytest.mark.parametrize("is_there_at_first", [False, True])
def test_a_link_out_of_the_folder_is_not_followed_and_named_once(
    link: str,
    is_absolute: bool,
    is_there_at_first: bool,
    make_client: Any,
    folder: Path,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name, target = LINKS[link]
    client = None if is_there_at_first else make_client()
    (folder / name).unlink(missing_ok=True)
    if target == "new":
        (folder / "new").symlink_to("../secret.md")
    (folder / name).symlink_to((folder / name).parent / target if is_absolute else target)
    client = client or make_client()
    for _ in range(3):
        has_looked(client, clock, "greeting", "new", "g", "away")
    served = []
    for asked in ("greeting", "new", "g", "away"):
        for label in ("production", "latest"):
            with contextlib.suppress(ScopeError):
                served.append(content(client, asked, label=label))
    assert "secret" not in served
    assert {"one", "two"} <= set(served)
    (warning,) = warnings(caplog, LOGGER)
    assert name in warning
    assert "lead out of it" in warning


def test_a_link_within_the_folder_is_followed(folder: Path, make_client: Any) -> None:
    (folder / "also.md").symlink_to("greeting.md")
    (folder / "again").symlink_to(folder / "g")
    client = make_client()
    assert content(client, "also") == "Hello"
    assert content(client, "again", label="latest") == "two"


def test_the_folder_itself_may_be_a_link_that_is_replaced(
    tmp_path: Path, folder: Path, platform: Any, clock: Any
) -> None:
    (tmp_path / "current").symlink_to("prompts")
    with platform.client(clock=clock.clock, prompt_dir=tmp_path / "current", max_retries=0) as client:
        assert content(client) == "Hello"
        (tmp_path / "next").mkdir()
        (tmp_path / "next" / "greeting.md").write_text("next")
        (tmp_path / "link").symlink_to("next")
        (tmp_path / "link").replace(tmp_path / "current")
        has_looked(client, clock, "greeting")
        assert content(client) == "next"


def test_the_local_platform_follows_no_link_out_of_its_folder(folder: Path) -> None:
    lines: list[str] = []
    (folder / "out.md").symlink_to("../secret.md")
    with LocalPlatform(folder, log=lines.append) as platform, platform.client(cache_enabled=False) as client:
        for _ in range(3):
            with pytest.raises(ScopeError):
                content(client, "out")
        (folder / "greeting.md").unlink()
        (folder / "greeting.md").symlink_to("../secret.md")
        with pytest.raises(ScopeError):
            content(client)
    assert [line.rpartition(": ")[2] for line in lines if "lead out" in line] == ["out.md", "greeting.md, out.md"]


def test_a_link_that_was_named_is_not_named_again_beside_a_new_flaw(
    make_client: Any, folder: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "out.md").symlink_to("../secret.md")
    client = make_client()
    (folder / "greeting.md").write_text("---\nstatsu: draft\n---\n")
    has_looked(client, clock, "greeting", "out")
    assert ["out.md" in warning for warning in warnings(caplog, LOGGER)] == [True, False]


def test_a_folder_with_a_flaw_and_a_link_out_of_it_is_still_refused_at_first(folder: Path, make_client: Any) -> None:
    (folder / "out.md").symlink_to("../secret.md")
    (folder / "broken.md").write_text("---\nstatsu: draft\n---\n")
    with pytest.raises(ConfigurationError, match=r"broken\.md"):
        make_client()


@pytest.mark.parametrize("is_gone", [False, True])
def test_one_reason_is_one_warning(
    is_gone: bool, client: ScopeClient, folder: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    if is_gone:
        folder.rename(folder.with_name("gone"))
    else:
        (folder / "greeting.md").write_text("---\nstatsu: draft\n---\n")
    for _ in range(5):
        has_looked(client, clock, "greeting", "g")
        assert content(client) == "Hello"
    assert len(warnings(caplog, LOGGER)) == 1


@pytest.mark.parametrize("is_looking", [False, True])
def test_a_forked_child_goes_on_noticing_changes(
    is_looking: bool, make_client: Any, disk: Disk, folder: Path, clock: ManualClock
) -> None:
    client = make_client()
    has_looked(client, clock, "greeting")
    if is_looking:
        disk.answers.clear()
        clock.passes(1)
        assert content(client) == "Hello"

    def in_child() -> list[str]:
        disk.answers = threading.Event()
        disk.answers.set()
        seen = []
        for number in range(2):
            (folder / "greeting.md").write_text(f"edit {number}")
            has_looked(client, clock, "greeting")
            seen.append(content(client))
        return seen

    assert in_a_child(in_child) == ["edit 0", "edit 1"]


def test_on_an_event_loop_a_live_prompt_has_the_client_made_elsewhere(
    platform: LocalPlatform, folder: Path, disk: Disk, scope_platform: LocalPlatform
) -> None:
    scope_client.configure(prompt_dir=folder)
    scope_platform.publish("greeting", "Hello")
    disk.threads.clear()
    text = asyncio.run(scope_prompt("greeting").ainvoke({})).to_string()
    assert text == "Hello"
    assert disk.threads
    assert threading.current_thread().name not in disk.threads
