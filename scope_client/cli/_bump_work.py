"""What `scope bump` does, apart from its options."""

from __future__ import annotations

import os

from .._check.counts import counted
from .._check.project import project_of
from .._check.settings import read_settings
from .._folder.replacing import write_whole
from .._lock.bumping import Bump, carry_out_bump, look_for_bumps, wanted_of_lock
from .._lock.moved_report import MovedReport
from .._lock.used_prompts import wanted_of
from ..errors import ConfigurationError, ScopeError
from ..frameworks import explained
from . import _terminal as terminal
from ._lock_work import locked_place, print_moved, printed
from ._progress import Progress
from ._reader import CannotTellError, platform_client

_FORMATS_BY_ENDING = {".md": "markdown", ".json": "json"}


def run_bump(
    name: tuple[str, ...],
    lock: str | None,
    code: tuple[str, ...],
    output: str | None,
    format: str | None,  # noqa: A002  # the option's own word
    *,
    safe: bool,
    check: bool,
) -> int:
    """The exit code."""
    chosen = format or _FORMATS_BY_ENDING.get(os.path.splitext(output or "")[1].lower(), "text")
    try:
        return _bump(name, lock, code, output, chosen, safe=safe, writes=not check)
    except ScopeError as error:
        raise CannotTellError(explained(error)) from error


def _bump(
    names: tuple[str, ...],
    lock: str | None,
    code: tuple[str, ...],
    output: str | None,
    format: str,  # noqa: A002  # the option's own word
    *,
    safe: bool,
    writes: bool,
) -> int:
    beside = os.path.dirname(output or "")
    if beside and not os.path.isdir(beside):
        raise ConfigurationError(f"there is no folder {beside} for the report; make it first")
    place = locked_place(lock, None)
    wanted = wanted_of_lock(place, names)
    settings = read_settings()
    project = project_of(settings._replace(paths=code or settings.paths))
    with platform_client() as client, Progress("comparing") as progress:
        bump = look_for_bumps(client, place, wanted, project.uses, step=progress.step)
        chosen = bump.to_write(only_safe=safe)
        if writes and chosen:
            carry_out_bump(client, place, chosen)
    unread = [str(each) for each in project.findings if each.code == "S100"]
    notes = (*unread, *wanted_of(project.uses).notes)
    report = MovedReport(place, bump.moved, _summary(bump, safe=safe), bump.same, (), bump.impacts, notes)
    _tell(report, output, format)
    if not writes:
        return 1 if chosen else 0
    return 1 if not safe and (bump.breaking or bump.gone) else 0


def _tell(report: MovedReport, output: str | None, format: str) -> None:  # noqa: A002  # the option's own word
    if output is None:
        print_moved(report, format)
        return
    text = printed(report, format)
    try:
        write_whole(output, f"{text.rstrip()}\n".encode())
    except OSError as error:
        raise ConfigurationError(f"the report {output} cannot be written ({error.strerror})") from None
    terminal.say(report.summary)


def _summary(bump: Bump, *, safe: bool) -> str:
    if not bump.moved:
        return f"up to date: {counted(bump.same, 'version')} as on the platform"
    total = len(bump.moved) + bump.same
    calls = sum(len(bump.impacts[each.name, each.label].broken) for each in bump.breaking)
    parts = [f"{len(bump.moved)} of {counted(total, 'version')} {'has' if len(bump.moved) == 1 else 'have'} moved on"]
    if bump.breaking:
        left_out = ", and left out" if safe else ""
        breaks = "breaks" if len(bump.breaking) == 1 else "break"
        parts.append(f"{len(bump.breaking)} of them {breaks} {counted(calls, 'call')}{left_out}")
    if bump.gone:
        are, stay = ("is", "stays") if len(bump.gone) == 1 else ("are", "stay")
        parts.append(f"{len(bump.gone)} of them {are} gone from the platform, and {stay} locked")
    if not bump.breaking and not bump.gone:
        parts.append("safe")
    return ": ".join([parts[0], ", ".join(parts[1:])])
