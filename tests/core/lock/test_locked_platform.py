"""A lock through the life of a project: promotions, a new lock, a revert, a fork, and tests of its own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from faults.child import in_a_child
from faults.clock import ManualClock
from faults.inside import Graph, rooms
from faults.locking import lock_platform
from faults.reading import content, reads

import scope_client
from scope_client import ValidationError
from scope_client.local import LocalPlatform
from scope_client.testing import PromptsClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform() as started:
        started.publish("greeting", "one {{name}}", metadata={"model": "m-1"})
        started.publish("support/greeting", [{"role": "user", "content": "Hi {{name}}"}])
        yield started


@pytest.fixture
def project(tmp_path: Path, platform: LocalPlatform) -> Path:
    """A repository whose first commit locks what is in production."""
    root = tmp_path / "project"
    lock_platform(root, platform, "greeting", "support/greeting")
    git(root, "init", "-q")
    commit(root, "lock")
    return root


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def commit(root: Path, why: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", why)


def served(platform: LocalPlatform, project: Path, name: str = "greeting") -> tuple[str, str]:
    """What a new process of the deployment reads, and where it came from."""
    with platform.client(lock=project / "scope.lock") as client:
        read = client.read_prompt(name)
        return read.version.content, read.source


def test_a_promotion_changes_nothing_a_new_lock_does_and_git_revert_rolls_back(
    platform: LocalPlatform, project: Path
) -> None:
    platform.publish("greeting", "two {{name}}")
    assert served(platform, project) == ("one {{name}}", "platform")
    lock_platform(project, platform, "greeting", "support/greeting")
    commit(project, "bump")
    assert served(platform, project) == ("two {{name}}", "platform")
    git(project, "revert", "--no-edit", "HEAD")
    assert served(platform, project) == ("one {{name}}", "platform")
    platform.stop()
    assert served(platform, project) == ("one {{name}}", "folder")
    platform.start()


def test_a_running_process_does_not_see_a_new_lock(platform: LocalPlatform, project: Path) -> None:
    clock = ManualClock()
    with platform.client(lock=project / "scope.lock", clock=clock.clock, cache_ttl=10) as client:
        assert content(client) == "one {{name}}"
        platform.publish("greeting", "two {{name}}")
        lock_platform(project, platform, "greeting")
        for _ in range(3):
            clock.passes(30)
            assert content(client) == "one {{name}}"


def test_the_platform_may_stop_and_even_forget_the_prompt(platform: LocalPlatform, project: Path) -> None:
    platform.remove("greeting")
    assert served(platform, project) == ("one {{name}}", "folder")
    platform.archive("support/greeting")
    assert served(platform, project, "support/greeting")[1] == "platform"


def test_another_platform_that_serves_the_folder_answers_as_the_first_one_did(
    platform: LocalPlatform, project: Path
) -> None:
    with LocalPlatform(project / "prompts") as local:
        for name in ("greeting", "support/greeting"):
            assert served(local, project, name) == (served(platform, project, name)[0], "platform")


def test_a_forked_child_is_locked_as_its_parent(platform: LocalPlatform, project: Path) -> None:
    with platform.client(lock=project / "scope.lock") as client:
        content(client)
        platform.publish("greeting", "two {{name}}")

        def in_the_child() -> tuple[str, str, bool]:
            first = client.read_prompt("greeting")
            second = client.read_prompt("support/greeting")
            return first.version.content, second.source, first.is_locked and second.is_locked

        assert in_a_child(in_the_child) == ("one {{name}}", "platform", True)
        platform.stop()
        assert in_a_child(lambda: client.read_prompt("support/greeting").source) == "folder"
        platform.start()


def test_the_lock_holds_nothing_that_a_child_could_not_use(platform: LocalPlatform, project: Path) -> None:
    with platform.client(lock=project / "scope.lock") as client:
        assert not Graph(rooms(client).lock).locks


def test_a_test_with_prompts_of_its_own_has_no_lock(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPE_LOCK", str(project / "scope.lock"))
    client = PromptsClient({"of the test": "Hi"})
    assert client.render_prompt("of the test") == "Hi"
    assert client.status().lock is None


def test_the_client_of_the_process_is_locked_by_the_environment(
    platform: LocalPlatform, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**platform.environ, "SCOPE_LOCK": str(project / "scope.lock")}.items():
        monkeypatch.setenv(name, value)
    platform.publish("greeting", "two {{name}}")
    try:
        assert scope_client.client().render_prompt("greeting", {"name": "Ada"}) == "one Ada"
        with pytest.raises(ValidationError, match="has no prompt 'other'"):
            scope_client.client().get_prompt_version("other")
        scope_client.configure(lock=None)
        assert scope_client.client().render_prompt("greeting", {"name": "Ada"}) == "two Ada"
    finally:
        scope_client.reset_configuration()


def test_a_cached_read_does_not_look_at_the_lock(
    platform: LocalPlatform, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform.client(lock=project / "scope.lock") as client:
        first, _ = [client.get_prompt_version("greeting") for _ in range(2)]
        monkeypatch.delattr(type(rooms(client).lock), "_find")
        assert client.get_prompt_version("greeting") is first
        assert client.get_prompt_version("greeting", label="production", fallback="Hi", deadline=1) is first
        assert client.render_prompt("greeting", {"name": "Ada"}) == "one Ada"
    assert reads(platform) == 3
