"""Used prompts: what a pull is to lock for code and templates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .._check.counts import counted
from .._check.project import project_of
from .._check.settings import read_settings
from .._check.use import Use
from .._wording import listed
from .fetching import Wanted


class UsedPrompts(NamedTuple):
    """The prompts that code uses."""

    wanted: tuple[Wanted, ...]
    """What to pull, sorted."""
    notes: tuple[str, ...]
    """What cannot be pulled: a sentence for each kind."""


def prompts_used_by(paths: Sequence[str], label: str | None = None) -> UsedPrompts:
    """What the files and folders use, as `[tool.scope.check]` has it looked for.

    Args:
        paths: The files and folders.
        label: The label of uses that name none.

    Raises:
        ConfigurationError: A path is not there, or the settings of the project are wrong.
    """
    project = project_of(read_settings()._replace(paths=tuple(paths)))
    unread = [each for each in project.findings if each.code == "S100"]
    found = wanted_of(project.uses, label)
    return found._replace(notes=(*map(str, unread), *found.notes))


def wanted_of(uses: Iterable[Use], label: str | None = None) -> UsedPrompts:
    """What to pull for these uses; `label` is for those that name none."""
    wanted: dict[Wanted, None] = {}
    by_id: list[Use] = []
    unknown: list[Use] = []
    elsewhere: list[Use] = []
    for use in uses:
        if use.name is None or use.is_dynamic:
            unknown.append(use)
        elif use.using is not None:
            elsewhere.append(use)
        elif use.version is not None:
            by_id.append(use)
        else:
            wanted[Wanted(use.name, use.label or label or "production")] = None
    notes = []
    if unknown:
        known = "is known only at run time" if len(unknown) == 1 else "are known only at run time"
        notes.append(f"{counted(len(unknown), 'use')} {known}: {_places(unknown)}")
    if by_id:
        asks = "asks" if len(by_id) == 1 else "ask"
        notes.append(
            f"{counted(len(by_id), 'use')} {asks} for a version by its ID, which no lock holds: {_places(by_id)}"
        )
    if elsewhere:
        names = "names" if len(elsewhere) == 1 else "name"
        notes.append(f"{counted(len(elsewhere), 'use')} {names} another organisation: {_places(elsewhere)}")
    return UsedPrompts(tuple(wanted), tuple(notes))


def _places(uses: Sequence[Use]) -> str:
    return listed([use.place for use in uses], written=str)
