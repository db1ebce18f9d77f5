"""Planning: which files and which lock come of the versions that were fetched, and what stands in the way."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .._folder.reader import PromptFolder
from .._folder.record import is_prompt_id
from .._folder.served_version import record_of
from .._folder.written_file import octets_of
from .._prompt.prompt_version import PromptVersion
from .._wording import listed, shown
from ..errors import ConfigurationError
from .digest import digest_of
from .file_changes import FileChange
from .lock_file import PULL_AS_LOCKED, LockedVersion
from .lock_place import LockPlace
from .locked_files import PUBLISHED, LockedFile, locked_file, number_at, octets_at, paths_in
from .verified import record_for, verified

GIT_ATTRIBUTES = ".gitattributes"
_KEEPS_LINE_ENDS = b"*.md -text\n"


def locked_version(version: PromptVersion, label: str) -> LockedVersion:
    """The entry of a version; raises ConfigurationError for one that lacks what a lock needs."""
    name = version.name
    has_name = bool(name) and not is_prompt_id(name)
    if version.id is None or not has_name:
        lacks = "ID" if has_name else "name"
        raise ConfigurationError(
            f"the platform gave a version of {shown(name)} without its {lacks}, which a lock needs; tell those who run "
            "the platform"
        )
    return LockedVersion(name, label, version.id, digest_of(version), version.version_number, version.prompt_id)


def merged(former: Iterable[LockedVersion], new: Iterable[LockedVersion]) -> tuple[LockedVersion, ...]:
    """The former entries with the new ones in the place of those for the same prompt and label."""
    by_name = {(each.name, each.label): each for each in new}
    ids = {(each.prompt_id, each.label) for each in by_name.values() if each.prompt_id is not None}
    kept = [
        each for each in former if (each.name, each.label) not in by_name and (each.prompt_id, each.label) not in ids
    ]
    return tuple(sorted((*kept, *by_name.values()), key=lambda each: (each.name, each.label != "production")))


def refuse_edited(place: LockPlace, files: Iterable[LockedFile]) -> None:
    """Raises ConfigurationError that names every file which is not as the lock has it."""
    edited = [place.shown_file(file.path) for file in files if file.is_edited]
    if edited:
        it = _it(edited)
        raise ConfigurationError(
            f"{listed(edited, written=str)} {_is(edited)} not as {place.shown_lock} has {it} (publish changes on the "
            f"platform): put {it} back with git, or with {PULL_AS_LOCKED}"
        )


class Plan(NamedTuple):
    """What is to be written."""

    versions: tuple[LockedVersion, ...]
    """What will be locked."""
    changes: tuple[FileChange, ...]
    """The files that change."""


def planned(
    place: LockPlace,
    versions: tuple[LockedVersion, ...],
    files: Mapping[str, LockedFile],
    fetched: Mapping[LockedVersion, PromptVersion],
    *,
    force: bool,
) -> Plan:
    """The changes that make the folder hold these versions.

    Args:
        place: Where they are to be.
        versions: What is to be locked.
        files: The files of what was locked so far.
        fetched: The versions that came from the platform; of the others there are files.
        force: Whether files that somebody else wrote are replaced.

    Raises:
        ConfigurationError: A file is in the way, or cannot hold its version.
    """
    return Plan(versions, with_attributes(place, list(_changes(place, versions, files, fetched, force=force))))


def with_attributes(place: LockPlace, changes: Iterable[FileChange]) -> tuple[FileChange, ...]:
    """These changes and the `.gitattributes` that keep line ends, if there are none.

    Raises ConfigurationError if a file is read-only.
    """
    each_change = list(changes)
    if octets_at(place.folder_path, GIT_ATTRIBUTES) is None:
        each_change.insert(0, FileChange(GIT_ATTRIBUTES, None, _KEEPS_LINE_ENDS))
    for each in each_change:
        at = os.path.join(place.folder_path, *each.path.split("/"))
        if each.before is not None and not os.access(at, os.W_OK):  # for to replace it, only its folder has to be
            raise ConfigurationError(f"{place.shown_file(each.path)} is read-only for this user; make it writable")
    return tuple(each_change)


def _changes(
    place: LockPlace,
    versions: tuple[LockedVersion, ...],
    files: Mapping[str, LockedFile],
    fetched: Mapping[LockedVersion, PromptVersion],
    *,
    force: bool,
) -> Iterator[FileChange]:
    wanted = _files_of(versions)
    foreign: list[str] = []
    for path, locked in wanted.items():
        may_be = _may_be_published(locked, versions)
        there = locked_file(place.folder_path, path, locked, may_be_published=may_be, known=files)
        if there.octets is not None and not there.is_edited:
            continue
        after = octets_for(path, locked, _version_of(locked, versions, files, fetched), may_be_published=may_be)
        if there.octets is not None and path not in files and there.octets != after and not force:
            foreign.append(place.shown_file(path))
        yield FileChange(path, there.octets, after, locked.name)
    if foreign:
        raise ConfigurationError(
            f"{listed(foreign, written=str)} {_is(foreign)} there already, and {place.shown_lock} knows nothing of "
            f"{_it(foreign)}: move {_it(foreign)} away, or have {_it(foreign)} overwritten with --force"
        )
    for path, file in files.items():
        if path not in wanted and file.octets is not None:
            yield FileChange(path, file.octets, None, file.locked.name)


def _files_of(versions: Iterable[LockedVersion]) -> dict[str, LockedVersion]:
    """By path; production before latest, if the two are one version."""
    files: dict[str, LockedVersion] = {}
    for locked, path in paths_in(versions).items():
        if path not in files or locked.label == "production":
            files[path] = locked
    return files


def _may_be_published(locked: LockedVersion, versions: Sequence[LockedVersion]) -> bool:
    others = (each for each in versions if each.name == locked.name and each.label == "production")
    return all(each.version_id == locked.version_id for each in others)


def _version_of(
    locked: LockedVersion,
    versions: Iterable[LockedVersion],
    files: Mapping[str, LockedFile],
    fetched: Mapping[LockedVersion, PromptVersion],
) -> PromptVersion:
    if locked in fetched:
        return fetched[locked]
    known = {(each.locked.name, each.locked.version_id): each.version for each in files.values()}
    found = known.get((locked.name, locked.version_id))
    if found is None:
        raise ConfigurationError(f"the file of {shown(locked.name)} was changed meanwhile; pull again")
    return found


def octets_for(path: str, locked: LockedVersion, version: PromptVersion, *, may_be_published: bool) -> bytes:
    """The file of a version in the status that the lock gives it; ConfigurationError for one that no file can hold."""
    try:
        number = number_at(path)
        status = PUBLISHED if locked.label == "production" else version.status
        if status == PUBLISHED and not may_be_published:
            status = "draft"
        return octets_of(record_of(_in_status(version, status), number=number))
    except ConfigurationError as error:
        raise ConfigurationError(f"prompt {shown(locked.name)}: {error.message}") from None


def _in_status(version: PromptVersion, status: str | None) -> PromptVersion:
    """As the platform serves it in this status: the lock decides what is in production."""
    is_production = status == PUBLISHED
    if (version.status, version.is_production) == (status, is_production):
        return version
    return PromptVersion({**version.to_dict(), "status": status, "is_production": is_production})


def check_result(after: str, place: LockPlace, versions: Iterable[LockedVersion], *, is_strict: bool = True) -> None:
    """Reads the folder as it will be; raises ConfigurationError if a client could not use it.

    Args:
        after: A folder as the real one will be.
        place: Where the real one is.
        versions: What it must hold.
        is_strict: Whether the files of other prompts must have no flaws.
    """
    try:
        folder = PromptFolder(after, is_strict=is_strict)
    except ConfigurationError as error:
        _, _, flaws = error.message.partition("\n")
        raise ConfigurationError(
            f"the folder {place.shown_folder} could not be used with what was fetched, so nothing was written: "
            f"{'; '.join(map(str.strip, (flaws or error.message).splitlines()))}"
        ) from None
    for locked in versions:
        records = folder.versions(locked.name) if is_strict else folder.readable(locked.name)
        if verified(record_for(records, locked), locked) is None:
            raise ConfigurationError(
                f"the file of {shown(locked.name)} would not hold what was fetched; nothing was written"
            )


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
