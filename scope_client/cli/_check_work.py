"""What `scope check` does, apart from its options."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

import click

from .. import ScopeClient
from .._check.baseline import read_baseline, write_baseline
from .._check.checking import Rules, summed_up
from .._check.comparison import compare
from .._check.counts import counted
from .._check.outcome import Outcome
from .._check.printing import printed
from .._check.project import project_of
from .._check.settings import CheckSettings, read_settings
from .._check.target import target
from ..errors import MissingApiKeyError, ScopeError
from ..frameworks import explained
from . import _terminal as terminal
from ._reader import CannotTellError, checked_format, platform_client


def run_check(
    path: tuple[str, ...],
    *,
    format: str | None,  # noqa: A002  # the option's own word
    json: bool,
    verbose: bool,
    write_baseline: bool,
    no_cache: bool,
    **options: Any,
) -> int:
    """The exit code: 1 if something is wrong."""
    as_json = checked_format(format, json)
    try:
        settings = _settings(path, options)
        if write_baseline:
            return _write(settings, cache=not no_cache)
        outcome = _outcome(settings, is_verbose=verbose, cache=not no_cache)
    except ScopeError as error:
        raise CannotTellError(explained(error)) from error
    terminal.say(printed(outcome, "json" if as_json else format or "text", is_verbose=verbose))
    return 0 if outcome.is_clean else 1


def _settings(path: tuple[str, ...], options: dict[str, Any]) -> CheckSettings:
    """What the project says, and over it what the command line does; patterns to leave out add up."""
    settings = read_settings()
    exclude = (*settings.exclude, *options.pop("exclude"))
    given = {key: value for key, value in options.items() if value is not None}
    return settings._replace(paths=path or settings.paths, exclude=exclude, **given)


def _outcome(settings: CheckSettings, *, is_verbose: bool = False, cache: bool = True) -> Outcome:
    rules = Rules(read_baseline(settings.baseline) if settings.baseline else None, settings.strict)
    project = project_of(settings, is_verbose=is_verbose, cache=cache)
    with ExitStack() as stack:

        def client() -> ScopeClient:
            try:
                return stack.enter_context(platform_client())
            except MissingApiKeyError as error:
                raise MissingApiKeyError(f"{error.message}; or name a folder or a lock: --against prompts") from None

        found = target(
            settings.against,
            client=client,
            label=settings.label,
            lock=settings.lock,
            prompt_dir=os.environ.get("SCOPE_PROMPT_DIR") or None,
        )
        return summed_up(project, compare(project.uses, found.against), rules, found.described)


def _write(settings: CheckSettings, *, cache: bool) -> int:
    if not settings.baseline:
        raise click.UsageError("--write-baseline needs --baseline FILE: where to write")
    outcome = _outcome(settings._replace(baseline=None), cache=cache)
    write_baseline(settings.baseline, outcome.findings)
    terminal.say(f"{settings.baseline} has {counted(len(outcome.findings), 'finding')}")
    return 0
