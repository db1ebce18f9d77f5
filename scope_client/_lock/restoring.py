"""Restoring: the files of a lock's folder become those that the lock names; the lock stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .._client import ScopeClient
from .._prompt.prompt_version import PromptVersion
from .._wording import listed, nearest, shown
from ..errors import ConfigurationError, NotFoundError, ValidationError
from .digest import digest_of
from .fetching import Step, fetch_all, nothing_told
from .file_changes import FileChange
from .lock_file import LockedVersion, read_lock
from .lock_place import LockPlace, shown_path
from .locked_files import LockedFile, locked_files
from .planning import octets_for, refuse_edited, with_attributes
from .pulling import arrived, by_id, changing, put_right, write


class Restored(NamedTuple):
    """What was done."""

    versions: int
    """How many locked versions were looked at."""
    written: tuple[str, ...]
    """The files that came or changed, as they are shown."""


def restore(
    client: ScopeClient,
    place: LockPlace,
    names: Sequence[str] = (),
    *,
    force: bool = False,
    step: Step = nothing_told,
) -> Restored:
    """Fetches the locked versions whose files are missing or were edited, and writes them.

    Args:
        client: Asks the platform, past its cache; not at all if every file is as it was locked.
        place: Where the lock and the folder are.
        names: The names or IDs of the prompts. By default all that the lock has.
        force: Whether files that were edited are overwritten.
        step: As for `fetch_all`.

    Raises:
        ScopeError: It says why nothing was written.
    """
    chosen = frozenset(_chosen(place, names))
    place.check_organisation(client)
    put_right(place)
    files = [each for each in locked_files(place.folder_path, place.versions).values() if each.locked in chosen]
    wrong = [each for each in files if each.octets is None or each.is_edited]
    if not force:
        refuse_edited(place, wrong)
    if not wrong:
        return Restored(len(files), ())
    fetched = _fetched(client, place, [each.locked for each in wrong], step)
    changes = with_attributes(place, [_change(each, fetched) for each in wrong])
    with changing(place):
        place.check_unchanged()
        now = locked_files(place.folder_path, place.versions)
        if any(now[each.path].octets != each.octets for each in wrong):
            raise ConfigurationError(f"{place.shown_folder} was changed meanwhile; pull again")
        write(place, changes, None, [each.locked for each in files], is_strict=not names)
    return Restored(len(files), tuple(place.shown_file(each.path) for each in changes))


def _chosen(place: LockPlace, names: Sequence[str]) -> Iterable[LockedVersion]:
    versions = (place.lock or read_lock(shown_path(place.lock_path))).versions
    known = {each.name for each in versions}
    for name in names:
        if not any(name in (each.name, each.prompt_id) for each in versions):
            near = nearest(name, known)
            nearest_one = f"; the nearest one is {near!r}" if near else ""
            raise ValidationError(
                f"the lock {place.shown_lock} has no prompt {shown(name)}{nearest_one}: correct the name, or lock it "
                "by a pull without --locked"
            )
    return [each for each in versions if not names or {each.name, each.prompt_id} & {*names}]


def _fetched(
    client: ScopeClient, place: LockPlace, locked: Sequence[LockedVersion], step: Step
) -> dict[LockedVersion, PromptVersion]:
    asked = [by_id(each) for each in locked]
    try:
        found = arrived(fetch_all(client, asked, step), asked, "nothing was written")
    except NotFoundError as error:
        error.message += "; put the files back with git"
        error.args = (error.message,)
        raise
    versions = {each: found[by_id(each)] for each in locked}
    other = [shown(each.name) for each, version in versions.items() if not _is(each, version)]
    if other:
        raise ConfigurationError(
            f"what {place.shown_lock} says of {listed(other, written=str)} does not match the platform's version of "
            f"that ID either, so nothing was written: the lock was edited, or the version was changed on the platform; "
            f"put {place.shown_lock} back with git"
        )
    return versions


def _is(locked: LockedVersion, version: PromptVersion) -> bool:
    return digest_of(version) == locked.sha256 and locked.version_number in (None, version.version_number)


def _change(file: LockedFile, fetched: Mapping[LockedVersion, PromptVersion]) -> FileChange:
    version = fetched[file.locked]
    after = octets_for(file.path, file.locked, version, may_be_published=file.may_be_published)
    return FileChange(file.path, file.octets, after, file.locked.name)
