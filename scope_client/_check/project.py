"""Project: what is looked at, by the command line and by `[tool.scope.check]`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Optional

from .checking import Project
from .configured_calls import configured_call
from .kinds import KINDS_OF_FILES
from .left_out import Excluded
from .scan import scan
from .settings import CheckSettings


def project_of(
    settings: CheckSettings,
    *,
    here: Optional[str] = None,
    kinds: Sequence[str] = KINDS_OF_FILES,
    is_verbose: bool = False,
    cache: bool = True,
) -> Project:
    """Looks at the paths of the settings, by default the current folder.

    Args:
        settings: What the project says, and what the command line does.
        here: The folder that paths are relative to; the current one by default.
        kinds: The kinds of files to look at.
        is_verbose: Whether each file that was left out is named, and not only those that may ask for prompts.
        cache: Whether what is seen is kept for the next check, in `.scope_cache`.

    Raises:
        ConfigurationError: A path is not there, or a call cannot be read.
    """
    paths = settings.paths or (".",)
    calls = [configured_call(each) for each in settings.calls]
    found = scan(paths, calls=calls, exclude=settings.exclude, kinds=kinds, here=here, cache=cache)
    named = found.left_out if is_verbose else found.unread
    left_out = [f"{each.file} left out: {each.reason}" for each in named]
    return Project(
        found.uses,
        found.findings,
        files=sum(found.counted.values()),
        notes=left_out,
        covers=_covers(paths, settings.exclude, os.path.abspath(here or os.getcwd())),
    )


def _covers(paths: Sequence[str], exclude: Sequence[str], here: str) -> Callable[[str], bool]:
    roots = [os.path.normpath(os.path.join(here, path)) for path in paths]
    excluded = Excluded(exclude)

    def covers(path: str) -> bool:
        is_below = any(path == root or path.startswith(os.path.join(root, "")) for root in roots)
        return is_below and not excluded.names(os.path.relpath(path, here), path)

    return covers
