"""Bumping: the versions of a lock that the platform has moved on, and what the new ones do to the code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .._check.fit import misfits
from .._check.use import Use
from .._client import ScopeClient
from .._folder.record import is_prompt_id
from .._wording import nearest, shown
from ..errors import ValidationError
from .fetching import Step, Wanted, nothing_told
from .impact import Broken, Impact
from .lock_place import LockPlace
from .moved import Moved
from .pull_check import drift_from
from .pulling import Pulled, pull


class Bump(NamedTuple):
    """What there is to bump."""

    moved: tuple[Moved, ...]
    """The prompts that have moved on, also those that are gone."""
    impacts: Mapping[tuple[str, str], Impact]
    """By name and label, what each does to the code."""
    same: int
    """How many versions are the same."""

    @property
    def breaking(self) -> tuple[Moved, ...]:
        """Those that break calls."""
        return tuple(each for each in self.moved if self.impacts[each.name, each.label].broken)

    @property
    def gone(self) -> tuple[Moved, ...]:
        """Those that the platform does not have any more, and that stay locked as they are."""
        return tuple(each for each in self.moved if each.new is None)

    def to_write(self, *, only_safe: bool) -> tuple[Moved, ...]:
        """Those that get another version."""
        left_out = {*self.gone, *(self.breaking if only_safe else ())}
        return tuple(each for each in self.moved if each not in left_out)


def wanted_of_lock(place: LockPlace, names: Sequence[str]) -> list[Wanted] | None:
    """What to look at: these prompts, with each label that the lock has of them; None for all.

    Raises ValidationError for one that the lock does not have.
    """
    wanted = []
    for name in names:
        found = [each for each in place.versions if _is_of(name, each.name, each.prompt_id)]
        if not found:
            near = nearest(name, [each.name for each in place.versions])
            guess = f"; the nearest one is {shown(near)}" if near else ""
            raise ValidationError(f"{place.shown_lock} has no prompt {shown(name)}{guess}. `scope pull` adds one")
        wanted += [Wanted(each.name, each.label) for each in found]
    return wanted or None


def look_for_bumps(
    client: ScopeClient,
    place: LockPlace,
    wanted: Iterable[Wanted] | None,
    uses: Sequence[Use],
    *,
    step: Step = nothing_told,
) -> Bump:
    """Compares the lock with the platform, and the new versions with the code.

    Args:
        client: Asks the platform, past its cache.
        place: Where the lock and the folder are.
        wanted: What to look at; by default all of the lock.
        uses: Where the code asks for prompts.
        step: As for `fetch_all`.

    Raises:
        ScopeError: It cannot be told.
    """
    drift = drift_from(client, place, wanted, step=step)
    impacts = {(each.name, each.label): impact_of(each, uses) for each in drift.moved}
    return Bump(drift.moved, impacts, drift.same)


def carry_out_bump(client: ScopeClient, place: LockPlace, moved: Iterable[Moved]) -> Pulled:
    """Locks these versions, and writes them into the folder; raises ScopeError, and changes nothing, if it cannot."""
    known = {Wanted(each.name, each.label): each.new for each in moved if each.new is not None}
    return pull(client, place, list(known), known=known)


def impact_of(moved: Moved, uses: Iterable[Use]) -> Impact:
    """The calls that get this version, and those of them that fit the locked one and do not fit it."""
    touched = [use for use in uses if _gets(use, moved)]
    broken = [Broken(use.place, told) for use in touched if (told := _what_breaks(use, moved))]
    places = dict.fromkeys(use.place for use in touched)
    return Impact(tuple(places), tuple(broken), is_gone=moved.new is None)


def _gets(use: Use, moved: Moved) -> bool:
    if use.name is None or use.is_dynamic or use.version is not None or use.using is not None:
        return False
    versions = [each for each in (moved.old, moved.new, moved.locked) if each is not None]
    is_of_it = any(_is_of(use.name, moved.name, each.prompt_id) for each in versions)
    return is_of_it and (use.label or "production") == moved.label


def _is_of(asked: str, name: str, prompt_id: str | None) -> bool:
    if asked == name:
        return True
    return prompt_id is not None and is_prompt_id(asked) and asked.lower() == prompt_id.lower()


def _what_breaks(use: Use, moved: Moved) -> tuple[str, ...]:
    if moved.new is None or use.ignored is None:
        return ()
    before = set() if moved.old is None else {(each.code, each.subject) for each in misfits(use, moved.old)}
    return tuple(
        each.message(f"prompt {shown(use.name)}")
        for each in misfits(use, moved.new)
        if each.code not in (use.ignored or ()) and (each.code, each.subject) not in before
    )
