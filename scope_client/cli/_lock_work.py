"""What `scope pull` and `scope bump` do, apart from their options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import click

from .._check.counts import counted
from .._lock.fetching import Wanted
from .._lock.lock_place import LockPlace, place_of
from .._lock.marked_text import in_brackets
from .._lock.moved_report import (
    MovedReport,
    data_of_report,
    github_of_report,
    headline,
    markdown_of_report,
    text_of_report,
)
from .._lock.pull_check import Drift, drift_from
from .._lock.pulling import Pulled
from .._lock.pulling import pull as pull_versions
from .._lock.restoring import restore
from .._lock.used_prompts import prompts_used_by
from .._lock.word_diff import OLD
from ..errors import ScopeError, ValidationError
from ..frameworks import explained
from ..frameworks._report import indented
from . import _terminal as terminal
from ._progress import Progress
from ._reader import CannotTellError, platform_client


def run_pull(
    name: tuple[str, ...],
    used_by: tuple[str, ...],
    output: str | None,
    lock: str | None,
    label: str | None,
    *,
    force: bool,
    locked: bool,
    check: bool,
    format: str,  # noqa: A002  # the option's own word
) -> int:
    """The exit code."""
    if force and check:
        raise click.UsageError("--force and --check exclude each other: give one of them")
    if locked:
        if check or used_by or label:
            raise click.UsageError(
                "--locked goes with names, -o, --lock, --force and --format alone; leave the rest out"
            )
        return _put_back(locked_place(lock, output), name, format, force=force)
    if check:
        try:
            place = locked_place(lock, output)
            return _check(place, _wanted(place, name, used_by, label), format)
        except ScopeError as error:
            raise CannotTellError(explained(error)) from error
    place = locked_place(lock, output)
    wanted = _wanted(place, name, used_by, label)
    with platform_client() as client, Progress("pulling") as progress:
        pulled = pull_versions(client, place, wanted, force=force, step=progress.step)
    report = MovedReport(place, pulled.moved, _what_was_done(place, pulled), pulled.kept)
    if format == "text":
        terminal.say("\n".join([*map(headline, pulled.moved), report.summary]))
    else:
        files = {"written": list(pulled.written), "removed": list(pulled.removed)}
        print_moved(report, format, lock=place.shown_lock, **files)
    return 0


def _put_back(place: LockPlace, names: Sequence[str], output_format: str, *, force: bool) -> int:
    with platform_client() as client, Progress("pulling") as progress:
        restored = restore(client, place, names, force=force, step=progress.step)
    are, them = ("is", "it") if restored.versions == 1 else ("are", "them")
    written = f"; {counted(len(restored.written), 'file')} written" if restored.written else ""
    versions = f"{counted(restored.versions, 'version')} in {place.shown_folder}"
    summary = f"{versions} {are} as {place.shown_lock} has {them}{written}"
    if output_format == "text":
        terminal.say(summary)
    else:
        report = MovedReport(place, (), summary, restored.versions)
        files = {"written": list(restored.written), "removed": []}
        print_moved(report, output_format, lock=place.shown_lock, **files)
    return 0


def locked_place(lock: str | None, output: str | None) -> LockPlace:
    try:
        return place_of(lock, output)
    except ValidationError as error:
        raise click.UsageError(error.message) from None


def _wanted(place: LockPlace, names: Sequence[str], used_by: Sequence[str], label: str | None) -> list[Wanted] | None:
    """None for all of the lock."""
    wanted = [Wanted(each, label or "production") for each in names]
    if used_by:
        used = prompts_used_by(used_by, label)
        for each in used.notes:
            terminal.note(each)
        wanted += used.wanted
        if not wanted:
            raise ValidationError(f"no prompt is used in {', '.join(used_by)}; name other files or folders")
    if not wanted and label is not None:
        wanted = [Wanted(each.name, label) for each in place.versions if each.label == label]
    return wanted or None


def _check(place: LockPlace, wanted: list[Wanted] | None, format: str) -> int:  # noqa: A002  # the option's own word
    with platform_client() as client, Progress("comparing") as progress:
        drift = drift_from(client, place, wanted, step=progress.step)
    print_moved(MovedReport(place, drift.moved, _what_has_moved(drift), drift.same, drift.flaws), format)
    return 1 if drift.moved or drift.flaws else 0


def print_moved(report: MovedReport, format: str, **more: object) -> None:  # noqa: A002  # the option's own word
    """Prints a report on standard output."""
    terminal.say(printed(report, format, **more))


def printed(report: MovedReport, format: str, **more: object) -> str:  # noqa: A002  # the option's own word
    if format == "json":
        return indented({**data_of_report(report), **more})
    if format == "markdown":
        return markdown_of_report(report)
    if format == "github":
        return "\n".join(github_of_report(report))
    is_coloured = terminal.is_one() and not os.environ.get("NO_COLOR")
    return text_of_report(report, _in_colour if is_coloured else in_brackets)


def _in_colour(kind: str, text: str) -> str:
    """Line by line, so that what stands before a line keeps its own colour."""
    colour = {"fg": "red", "strikethrough": True} if kind == OLD else {"fg": "green", "underline": True}
    return "\n".join(click.style(line, **colour) if line else "" for line in text.split("\n"))  # type: ignore[arg-type]  # of mixed values


def _what_has_moved(drift: Drift) -> str:
    return "; ".join(_parts_of_drift(drift))


def _parts_of_drift(drift: Drift) -> Iterator[str]:
    total = len(drift.moved) + drift.same
    if not drift.moved:
        are, them = ("is", "it") if total == 1 else ("are", "them")
        yield f"{counted(total, 'version')} {are} as the lock has {them}"
    else:
        yield f"{len(drift.moved)} of {counted(total, 'version')} {'has' if len(drift.moved) == 1 else 'have'} moved on"
    if drift.flaws:
        are, them = ("is", "it") if len(drift.flaws) == 1 else ("are", "them")
        yield f"{counted(len(drift.flaws), 'file')} {are} not as the lock has {them}"


def _what_was_done(place: LockPlace, pulled: Pulled) -> str:
    total = counted(pulled.prompts, "prompt")
    if not (pulled.moved or pulled.written or pulled.removed or pulled.is_lock_new):
        return f"{place.shown_lock} and {place.shown_folder} are up to date, with {total}"
    changed = (
        f"{counted(len(pulled.moved), 'version')} changed"
        if pulled.moved
        else f"{counted(len(pulled.written), 'file')} written anew"
    )
    return f"{place.shown_lock} and {place.shown_folder} have {total}, {changed}"
