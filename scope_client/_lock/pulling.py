"""Pulling: versions of the platform become the files of a folder and the lock, all of them or none."""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .._client import ScopeClient
from .._foreign_text import printable
from .._interrupts import pass_on
from .._prompt.prompt_version import PromptVersion
from .._wording import LONGEST_SHOWN_VALUE, cut, listed, shown
from ..errors import ConfigurationError, NoProductionVersionError, NotFoundError, ScopeError, ValidationError
from .digest import digest_of
from .fetching import Outcome, Step, Wanted, fetch_all, nothing_told
from .file_changes import STAGE_NAME, FileChange, carry_out, drop_staged, staged, undo_what_was_left
from .lock_file import LockedVersion, text_of
from .lock_place import LockPlace
from .locked_files import LockedFile, locked_files
from .moved import Moved
from .one_at_a_time import alone_in
from .planning import Plan, check_result, locked_version, merged, planned, refuse_edited

LONGEST_REFUSAL_CHARACTERS = 1000


class Pulled(NamedTuple):
    """What a pull has done."""

    moved: tuple[Moved, ...]
    """The prompts that are new in the lock, or have another version."""
    prompts: int
    """How many prompts the lock has."""
    kept: int
    """How many versions the lock has besides."""
    written: tuple[str, ...]
    """The files that came or changed, as they are shown."""
    removed: tuple[str, ...]
    """The files that went."""
    is_lock_new: bool
    """Whether the lock has changed."""


def pull(
    client: ScopeClient,
    place: LockPlace,
    wanted: Iterable[Wanted] | None = None,
    *,
    known: Mapping[Wanted, PromptVersion] | None = None,
    force: bool = False,
    step: Step = nothing_told,
) -> Pulled:
    """Locks the versions that the platform has now, and writes them into the folder.

    Args:
        client: Asks the platform, past its cache.
        place: Where the lock and the folder are.
        wanted: What to lock, each by a label; the rest of the lock stays. By default all that the lock has.
        known: The versions that were fetched already.
        force: Whether files that were edited are overwritten.
        step: As for `fetch_all`.

    Raises:
        ScopeError: It says why nothing was written.
    """
    organisation = place.check_organisation(client)
    put_right(place)
    before = locked_files(place.folder_path, place.versions)
    if not force:
        refuse_edited(place, before.values())
    asked = _all_of(place) if wanted is None else list(wanted)
    try:
        versions, fetched = _fetched(client, place, asked, before, known or {}, step)
    except (NotFoundError, NoProductionVersionError) as error:
        if wanted is None:
            error.message += f"; take the entry of a prompt that is gone for good out of {place.shown_lock} by hand"
            error.args = (error.message,)
        raise
    with changing(place):
        place.check_unchanged()
        files = locked_files(place.folder_path, place.versions, before)
        if not force:
            refuse_edited(place, files.values())
        plan = planned(place, versions, files, fetched, force=force)
        is_lock_new = _write(place, plan, organisation)
    moved = tuple(_moved(place, files.values(), plan.versions, fetched))
    return Pulled(
        moved,
        len({each.name for each in versions}),
        len(versions) - len(moved),
        tuple(place.shown_file(each.path) for each in plan.changes if each.after is not None),
        tuple(place.shown_file(each.path) for each in plan.changes if each.after is None),
        is_lock_new,
    )


def _all_of(place: LockPlace) -> list[Wanted]:
    if not place.versions:
        raise ValidationError(
            f"there is nothing to pull: name prompts, such as `scope pull greeting -o prompts`; {place.shown_lock} "
            f"{'does not exist' if place.lock is None else 'has none'}"
        )
    return [Wanted(each.name, each.label) for each in place.versions]


def _fetched(
    client: ScopeClient,
    place: LockPlace,
    asked: Sequence[Wanted],
    files: Mapping[str, LockedFile],
    known: Mapping[Wanted, PromptVersion],
    step: Step,
) -> tuple[tuple[LockedVersion, ...], dict[LockedVersion, PromptVersion]]:
    """What will be locked, and the versions that came; those of which a file is there already need not."""
    names = {(each.prompt, each.label) for each in asked}
    lost = {
        by_id(file.locked): file.locked
        for file in files.values()
        if file.version is None or file.is_edited
        if (file.locked.name, file.locked.label) not in names
    }
    unknown = [each for each in (*asked, *lost) if each not in known]
    found = {**known, **arrived(fetch_all(client, unknown, step), unknown, "nothing was written")}
    new = {locked_version(found[each], each.label or "production"): found[each] for each in asked}
    versions = merged(place.versions, new)
    for each, locked in lost.items():
        if locked in versions:
            if digest_of(found[each]) != locked.sha256:
                raise ConfigurationError(
                    f"the version {locked.version_id} of {shown(locked.name)} is not the one any more that "
                    f"{place.shown_lock} names; nothing was written: pull {shown(locked.name)} too"
                )
            new[locked] = found[each]
    return versions, new


def by_id(locked: LockedVersion) -> Wanted:
    """The very version that is locked."""
    return Wanted(locked.prompt_id or locked.name, None, locked.version_id)


def arrived(outcomes: Mapping[Wanted, Outcome], asked: Sequence[Wanted], effect: str) -> dict[Wanted, PromptVersion]:
    """The versions; raises the first error, with a message that names all of them and what comes of it."""
    errors = {each: found for each, found in outcomes.items() if isinstance(found, ScopeError)}
    if errors:
        first = next(iter(errors.values()))
        unasked = len(dict.fromkeys(asked)) - len(outcomes)
        rest = f"; {unasked} more were not asked for" if unasked else ""
        which = listed(errors.items(), written=_told, joint="; ", most=LONGEST_REFUSAL_CHARACTERS)
        error = copy.copy(first)
        error.message = f"{effect}, because the platform did not give {which}{rest}"
        error.args = (error.message,)
        raise error from first
    return {each: found for each, found in outcomes.items() if isinstance(found, PromptVersion)}


def _told(each: tuple[Wanted, ScopeError]) -> str:
    wanted, error = each
    which = f" {wanted.version}" if wanted.version else " latest" if wanted.label == "latest" else ""
    return f"{printable(wanted.prompt, LONGEST_SHOWN_VALUE)}{which}: {cut(str(error))}"


def put_right(place: LockPlace) -> None:
    """Puts back what a pull that was killed has left."""
    if os.path.isdir(os.path.join(place.folder_path, STAGE_NAME)):
        with changing(place):
            pass


@contextlib.contextmanager
def changing(place: LockPlace) -> Iterator[None]:
    """Nobody else changes the folder while the block runs, and it is as the last change has left it."""
    try:
        with alone_in(place.folder_path):
            undo_what_was_left(place.folder_path)
            yield
    except OSError as error:
        pass_on(error)
        where = place.shown_folder if error.filename is None else error.filename
        raise ConfigurationError(
            f"{where} cannot be written ({error.strerror or error}); nothing was changed"
        ) from None


def _write(place: LockPlace, plan: Plan, organisation: str) -> bool:
    """Whether the lock is another one than before."""
    text = text_of(organisation, place.folder, plan.versions).encode()
    is_lock_new = place.octets is None or place.octets.replace(b"\r\n", b"\n") != text
    if plan.changes or is_lock_new:
        write(place, plan.changes, text, plan.versions)
    return is_lock_new


def write(
    place: LockPlace,
    changes: Sequence[FileChange],
    lock_after: bytes | None,
    versions: Iterable[LockedVersion],
    *,
    is_strict: bool = True,
) -> None:
    """Changes the files, and the lock unless it is to stay as it is, if the folder will then pass `check_result`."""
    try:
        check_result(staged(place.folder_path, changes), place, versions, is_strict=is_strict)
    except BaseException:
        drop_staged(place.folder_path)
        raise
    carry_out(place.folder_path, changes, place.lock_path, lock_after)


def _moved(
    place: LockPlace,
    files: Iterable[LockedFile],
    versions: Iterable[LockedVersion],
    fetched: Mapping[LockedVersion, PromptVersion],
) -> Iterator[Moved]:
    former = {(each.name, each.label): each for each in place.versions}
    texts = {(file.locked.name, file.locked.version_id): file.version for file in files}
    for each in versions:
        was = former.get((each.name, each.label))
        if was is None or was.sha256 != each.sha256:
            old = None if was is None else texts.get((was.name, was.version_id))
            yield Moved(each.name, each.label, was, old, fetched.get(each))
