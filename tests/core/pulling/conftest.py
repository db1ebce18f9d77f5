"""A project with a folder and a lock, and a platform that it pulls from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from scope_client._lock.fetching import Wanted
from scope_client._lock.lock_file import Lock, read_lock
from scope_client._lock.lock_place import place_of
from scope_client._lock.pull_check import Drift, drift_from
from scope_client._lock.pulling import Pulled, pull
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scope_client import ScopeClient


class Project:
    def __init__(self, path: Path, platform: LocalPlatform) -> None:
        self.path = path
        self.platform = platform
        self.client: ScopeClient = platform.client(max_retries=0)
        self.folder = path / "prompts"

    def pull(self, *names: str, label: str = "production", force: bool = False) -> Pulled:
        wanted = [Wanted(name, label) for name in names] or None
        return pull(self.client, place_of(self.path / "scope.lock", self.folder), wanted, force=force)

    def check(self, *names: str, label: str = "production") -> Drift:
        wanted = [Wanted(name, label) for name in names] or None
        return drift_from(self.client, place_of(self.path / "scope.lock", self.folder), wanted)

    @property
    def lock(self) -> Lock:
        return read_lock(self.path / "scope.lock")

    def all(self) -> dict[str, bytes]:
        """Every file with its bytes, hidden ones too."""
        files = (file for file in self.path.rglob("*") if file.is_file())
        return {file.relative_to(self.path).as_posix(): file.read_bytes() for file in files}

    def names(self) -> list[str]:
        return sorted(self.all())

    def times(self) -> dict[str, tuple[int, int]]:
        """When each file and folder was last changed, and which inode it is."""
        there = {each: os.lstat(each) for each in [self.path, *self.path.rglob("*")]}
        return {str(each): (found.st_mtime_ns, found.st_ino) for each, found in there.items()}


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform() as platform:
        platform.publish("greeting", "Good {{time_of_day}}, {{name}}!", metadata={"model": "gpt-4"})
        platform.publish("support-chat", [{"role": "user", "content": "{{question}}"}])
        yield platform


@pytest.fixture
def project(platform: LocalPlatform, tmp_path: Path) -> Iterator[Project]:
    path = tmp_path / "project"
    path.mkdir()
    project = Project(path, platform)
    with project.client:
        yield project


@pytest.fixture
def pulled(project: Project) -> Project:
    project.pull("greeting", "support-chat")
    return project
