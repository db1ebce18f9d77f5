"""Copies: the locked versions that the lock's folder has, and what is wrong with those that it should have."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from .._extras import missing_extra
from .._folder.flaws import flaw
from .._folder.reader import PromptFolder
from .._folder.record import VersionRecord
from .._foreign_text import printable
from .._fork import held_back
from .._prompt.prompt_version import PromptVersion
from .._wording import shown
from ..errors import ConfigurationError
from .lock_file import Lock, LockedVersion
from .verified import record_for, verified


class Copies(NamedTuple):
    """The versions of a lock's folder, and one line for each locked version that it does not have as it was locked."""

    versions: Mapping[LockedVersion, PromptVersion]
    flaws: tuple[str, ...]


def copies_of(lock: Lock, *, extra_values: str = "error") -> Copies:
    """Reads the folder of a lock.

    Raises ConfigurationError if its files have front matter, and what reads that is not installed.
    """
    unlisted: list[str] = []
    folder = PromptFolder(lock.folder_path, unlisted.append, is_strict=False)
    if not os.path.isdir(lock.folder_path):
        return Copies(MappingProxyType({}), tuple(unlisted))
    found = {locked: verified(_record(folder, locked), locked, extra_values=extra_values) for locked in lock.versions}
    flaws = [flaw for locked, version in found.items() if version is None for flaw in _flaws(folder, locked)]
    return Copies(
        MappingProxyType({locked: version for locked, version in found.items() if version is not None}),
        tuple(dict.fromkeys(flaws)),
    )


def _record(folder: PromptFolder, locked: LockedVersion) -> VersionRecord | None:
    return record_for(folder.readable(locked.name), locked)


def _flaws(folder: PromptFolder, locked: LockedVersion) -> tuple[str, ...]:
    """Why the folder does not have this locked version."""
    record = _record(folder, locked)
    if record is not None:
        file = folder.files(locked.name)[record.number][0]
        return (flaw(file, "was changed since it was locked"),)
    flaws = folder.flaws(locked.name)
    if flaws:
        _need_what_reads_front_matter()
    return flaws or (f"{printable(shown(locked.name))}: no file has its version {printable(locked.version_id)}",)


def _need_what_reads_front_matter() -> None:
    try:
        with held_back():
            import frontmatter  # noqa: F401
            import yaml  # noqa: F401
    except ImportError as error:
        needed = ("yaml", "frontmatter")
        raise ConfigurationError(missing_extra("reading the lock's folder", needed, "local", error)) from None
