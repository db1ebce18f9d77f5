"""Pull check: which prompts of a lock the platform has moved on; nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .._client import ScopeClient
from .._prompt.prompt_version import PromptVersion
from ..errors import NoProductionVersionError, ScopeError
from .digest import digest_of
from .fetching import Outcome, Step, Wanted, fetch_all, nothing_told
from .lock_file import LockedVersion, read_lock
from .lock_place import LockPlace, shown_path
from .locked_files import LockedFile, locked_files
from .moved import Moved
from .planning import locked_version
from .pulling import arrived, by_id

GONE = (404, 410)


class Drift(NamedTuple):
    """What is not as a pull would leave it."""

    moved: tuple[Moved, ...]
    """The prompts of which the platform has another version, or none."""
    flaws: tuple[str, ...]
    """The files of the folder that are missing or were edited, with a word on each."""
    same: int
    """How many versions are the same."""


def drift_from(
    client: ScopeClient, place: LockPlace, wanted: Iterable[Wanted] | None = None, *, step: Step = nothing_told
) -> Drift:
    """Compares the lock with the platform.

    Args:
        client: Asks the platform, past its cache.
        place: Where the lock and the folder are.
        wanted: What to compare, each by a label. By default all that the lock has.
        step: As for `fetch_all`.

    Raises:
        ScopeError: It cannot be told.
    """
    lock = place.lock or read_lock(shown_path(place.lock_path))
    place.check_organisation(client)
    files = locked_files(place.folder_path, place.versions)
    asked = [Wanted(each.name, each.label) for each in lock.versions] if wanted is None else list(wanted)
    locked = {each: lock.find(each.prompt, each.label or "production") for each in asked}
    outcomes = fetch_all(client, asked, step)
    rest = {each: found for each, found in outcomes.items() if not (is_gone(found) and locked[each])}
    found = arrived(rest, asked, "it cannot be told what has moved on")
    moved = [_moved(each, locked[each], found.get(each), outcomes[each]) for each in dict.fromkeys(asked)]
    changed = [each for each in moved if each is not None]
    chosen = {each for each in locked.values() if each is not None}
    return Drift(
        tuple(_with_texts(client, changed, files.values())),
        tuple(_flaws(place, (each for each in files.values() if each.locked in chosen))),
        len(moved) - len(changed),
    )


def is_gone(found: Outcome) -> bool:
    """Whether the platform says that there is no such prompt, or no such version of it."""
    return isinstance(found, NoProductionVersionError) or (isinstance(found, ScopeError) and found.http_status in GONE)


def _moved(wanted: Wanted, locked: LockedVersion | None, new: PromptVersion | None, outcome: Outcome) -> Moved | None:
    label = wanted.label or "production"
    if new is None:
        name = wanted.prompt if locked is None else locked.name
        return Moved(name, label, locked, None, None, outcome.message if isinstance(outcome, ScopeError) else "")
    entry = locked_version(new, label)
    if locked is not None and locked.sha256 == entry.sha256:
        return None
    return Moved(entry.name, label, locked, None, new)


def _with_texts(client: ScopeClient, moved: Sequence[Moved], files: Iterable[LockedFile]) -> Iterator[Moved]:
    """With the locked versions: from the folder, or else from the platform, which may have them by their IDs."""
    known = {(file.locked.name, file.locked.version_id): file.version for file in files if file.version}
    lost = {by_id(each.locked): each for each in moved if each.locked and _key(each.locked) not in known}
    for wanted, found in fetch_all(client, lost).items():
        locked = lost[wanted].locked
        if locked is not None and isinstance(found, PromptVersion) and digest_of(found) == locked.sha256:
            known[_key(locked)] = found
    for each in moved:
        yield each if each.locked is None else each._replace(old=known.get(_key(each.locked)))


def _key(locked: LockedVersion) -> tuple[str, str]:
    return locked.name, locked.version_id


def _flaws(place: LockPlace, files: Iterable[LockedFile]) -> Iterator[str]:
    for file in files:
        if file.octets is None:
            yield f"{place.shown_file(file.path)}: is missing"
        elif file.is_edited:
            yield f"{place.shown_file(file.path)}: is not as {place.shown_lock} has it"
