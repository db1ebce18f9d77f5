"""Locked files: what the folder of a lock has of each locked version, and whether anybody has edited it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .._folder.escaping import paths_of
from .._folder.record import VersionRecord
from .._folder.served_version import MAX_FILE_NUMBER
from .._folder.version_file import version_in
from .._folder.whole_file import WholeFile, read_whole
from .._folder.written_file import octets_of
from .._interrupts import pass_on
from .._prompt.prompt_version import PromptVersion
from ..errors import ConfigurationError
from .lock_file import LockedVersion
from .verified import verified

PUBLISHED = "published"


class LockedFile(NamedTuple):
    """The file of one version, which may answer production and latest."""

    path: str
    """In the folder, with forward slashes."""
    locked: LockedVersion
    """The entry; the one for production, if there are two."""
    octets: bytes | None
    """None if there is no such file."""
    version: PromptVersion | None
    """The locked version, if this is it."""
    may_be_published: bool
    """Whether no other version of the prompt is the one in production."""
    is_edited: bool
    """Whether it is there, and anything about it is not as it was written; line ends do not count."""


def paths_in(versions: Iterable[LockedVersion]) -> dict[LockedVersion, str]:
    """The path of the file of each version; one without a number gets one that is free."""
    listed = list(versions)
    paths = paths_of(each.name for each in listed)
    numbers: dict[str, dict[str, int]] = {}
    for each in sorted(listed, key=_needs_number):
        own = numbers.setdefault(each.name, {})
        own.setdefault(each.version_id, _free_number(own) if _needs_number(each) else each.version_number or 1)
    return {each: f"{paths[each.name]}/v{numbers[each.name][each.version_id]}.md" for each in listed}


def _needs_number(locked: LockedVersion) -> bool:
    return locked.version_number is None or not 0 < locked.version_number < MAX_FILE_NUMBER


def _free_number(own: Mapping[str, int]) -> int:
    return next(number for number in itertools.count(1) if number not in own.values())


def locked_files(
    folder: str, versions: Iterable[LockedVersion], known: Mapping[str, LockedFile] | None = None
) -> dict[str, LockedFile]:
    """The files of these versions, by path.

    Args:
        folder: Where they are.
        versions: What a lock says.
        known: What was found before: of files with the same bytes, that is taken over.

    Raises:
        ConfigurationError: One cannot be read, or is a link.
    """
    paths = paths_in(versions)
    in_production = {each.name: each.version_id for each in paths if each.label == "production"}
    files: dict[str, LockedFile] = {}
    for locked, path in paths.items():
        if path not in files or locked.label == "production":
            may_be = in_production.get(locked.name, locked.version_id) == locked.version_id
            files[path] = locked_file(folder, path, locked, may_be_published=may_be, known=known)
    return files


def locked_file(
    folder: str,
    path: str,
    locked: LockedVersion,
    *,
    may_be_published: bool,
    known: Mapping[str, LockedFile] | None = None,
) -> LockedFile:
    """One of them; the arguments and errors are those of `locked_files`."""
    octets = octets_at(folder, path)
    former = None if known is None else known.get(path)
    if former is not None and former[:3] == (path, locked, octets) and former.may_be_published == may_be_published:
        return former
    if octets is None:
        return LockedFile(path, locked, None, None, may_be_published, is_edited=False)
    record = _record(octets, path, locked)
    version = verified(record, locked)
    is_edited = version is None or record is None or not _is_as_written(record, octets, locked, may_be_published)
    return LockedFile(path, locked, octets, version, may_be_published, is_edited)


def _is_as_written(record: VersionRecord, octets: bytes, locked: LockedVersion, may_be_published: bool) -> bool:
    is_published = record.status == PUBLISHED
    if is_published and not may_be_published:
        return False
    if locked.label == "production" and not is_published:
        return False
    try:
        return _in_lines(octets_of(record)) == _in_lines(octets)
    except ConfigurationError:
        return False


def octets_at(folder: str, path: str) -> bytes | None:
    """The bytes of a file, or None; raises ConfigurationError if it cannot be read, or a part of its path is a link."""
    at = folder
    for part in path.split("/"):
        at = os.path.join(at, part)
        if os.path.islink(at):
            raise ConfigurationError(f"{os.path.relpath(at, folder)} is a link; replace it by what it leads to")
    try:
        return read_whole(at).octets
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        pass_on(error)
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}); make it a readable file") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{path} {error.message}") from None


def _record(octets: bytes, path: str, locked: LockedVersion) -> VersionRecord | None:
    try:
        return version_in(WholeFile(octets, 0.0), locked.name, number_at(path), "draft")
    except ConfigurationError:
        return None


def number_at(path: str) -> int:
    """The number that the name of a file says."""
    return int(path.rpartition("/v")[2][: -len(".md")])


def _in_lines(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n")
