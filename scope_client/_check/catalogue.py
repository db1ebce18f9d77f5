"""Catalogues: what there is to compare uses with; a folder of prompts, a lock, or versions that are at hand."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable
from typing import Protocol

from .._folder.reader import PromptFolder
from .._folder.record import VersionRecord
from .._lock.lock_file import PULL_AS_LOCKED, Lock, LockedVersion
from .._lock.verified import record_for, verified
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._wording import shown
from .answer import Answer, unknown_prompt, unknown_version

_PUT_BACK = f"put the file and the lock back with git, or the file with {PULL_AS_LOCKED}"
_PUBLISH_ONE = "publish one, or ask for label='latest'"


class Catalogue(Protocol):
    """What there is. A name may be a prompt's name or ID."""

    def prepare(self, refs: Iterable[PromptRef]) -> None:
        """Is told of all refs before the first is asked for; raises ScopeError if it cannot answer."""

    def find(self, ref: PromptRef) -> Answer:
        """The version of this ref, or why there is none."""

    def names(self) -> Collection[str]:
        """The names of the prompts that there are, as far as they are known."""


class FolderCatalogue:
    """The prompts of a folder, as the local platform would serve them.

    Args:
        folder: Where the files are.

    Raises:
        ConfigurationError: There is no such folder, or files in it have flaws.
    """

    def __init__(self, folder: str) -> None:
        self._folder = PromptFolder(folder)
        self._where = f" in the folder {shown(folder)}"
        self._versions: dict[str, PromptVersion] = {}

    def prepare(self, refs: Iterable[PromptRef]) -> None:
        """Has read all of them."""

    def find(self, ref: PromptRef) -> Answer:
        records = self._folder.versions(ref.name)
        if not records:
            return unknown_prompt(self._where)
        if ref.version is not None:
            record = next((each for each in records if each.id == ref.version), None)
            return self._answer(record) if record else self._unknown_version(ref.version)
        if ref.label == "latest":
            return self._answer(records[-1])
        record = next((each for each in records if each.status == "published"), None)
        if record is None:
            return Answer(None, "S104", f"has no production version{self._where}: {_PUBLISH_ONE}")
        return self._answer(record)

    def names(self) -> Collection[str]:
        return self._folder.names

    def _answer(self, record: VersionRecord) -> Answer:
        if record.id not in self._versions:
            self._versions[record.id] = version_in_folder(record)
        return Answer(self._versions[record.id])

    def _unknown_version(self, version_id: str) -> Answer:
        return unknown_version(version_id, _owner(self._folder, version_id), self._where)


class LockCatalogue:
    """The versions of a lock, read from its folder and held against their hashes; nobody else is asked.

    Args:
        lock: The lock.

    Raises:
        ConfigurationError: Its folder is not there, or files in it have flaws.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._where = f"the lock {shown(lock.path)}"
        self._folder = PromptFolder(lock.folder_path) if lock.versions else None

    def prepare(self, refs: Iterable[PromptRef]) -> None:
        """Has read all of them."""

    def find(self, ref: PromptRef) -> Answer:
        if ref.version is not None:
            return self._of_version(ref.name, ref.version)
        locked = self._lock.find(ref.name, ref.label or "production")
        if locked is not None:
            return self._locked(locked)
        if ref.label == "latest":  # a lock does not bind such a read, unless it names its version
            return Answer(message="the lock has no latest version of it")
        return unknown_prompt(f" in {self._where}", f": `scope pull {shlex.quote(ref.name)}` adds it")

    def names(self) -> Collection[str]:
        return dict.fromkeys(version.name for version in self._lock.versions)

    def _locked(self, locked: LockedVersion) -> Answer:
        records = self._records(locked.name)
        version = verified(record_for(records, locked), locked)
        if version is not None:
            return Answer(version)
        wrong = "does not match" if any(each.id == locked.version_id for each in records) else "is missing of"
        which = _numbered(locked.version_number, locked.version_id)
        return Answer(None, "S106", f"{which}: its file {wrong} {self._where}; {_PUT_BACK}")

    def _of_version(self, name: str, version_id: str) -> Answer:
        """A version that is asked for by its ID, which a lock neither holds nor forbids."""
        for locked in self._lock.versions:
            if locked.version_id == version_id:
                is_of_it = name in (locked.name, locked.prompt_id)
                return self._locked(locked) if is_of_it else unknown_version(version_id, locked.name)
        record = next((each for each in self._records(name) if each.id == version_id), None)
        return (
            Answer(version_in_folder(record))
            if record
            else Answer(message="its version is not in the folder of the lock")
        )

    def _records(self, name: str) -> tuple[VersionRecord, ...]:
        return self._folder.versions(name) if self._folder is not None else ()


class VersionsCatalogue:
    """Production versions that are at hand; of all else it knows nothing.

    Args:
        versions: The versions.
    """

    def __init__(self, versions: Iterable[PromptVersion]) -> None:
        self._versions: dict[str, PromptVersion] = {}
        for version in versions:
            self._versions[version.name] = version
            if version.prompt_id:
                self._versions[version.prompt_id] = version

    def prepare(self, refs: Iterable[PromptRef]) -> None:
        """Has all of them."""

    def find(self, ref: PromptRef) -> Answer:
        found = self._versions.get(ref.name)
        return (
            Answer(found)
            if found is not None and ref.label == "production"
            else Answer(message="its version is not at hand")
        )

    def names(self) -> Collection[str]:
        return dict.fromkeys(version.name for version in self._versions.values())


def version_in_folder(record: VersionRecord) -> PromptVersion:
    """The version of a file, as if a platform had sent it."""
    return PromptVersion({"id": record.id, "version_number": record.number, **record.to_body()})


def _owner(folder: PromptFolder, version_id: str) -> str | None:
    for name in folder.names:
        if any(each.id == version_id for each in folder.versions(name)):
            return name
    return None


def _numbered(number: int | None, version_id: str) -> str:
    return f"v{number}" if number is not None else shown(version_id)
