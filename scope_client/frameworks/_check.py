"""The command `check`: settings, platform and credentials, and each prompt that templates and Python code use."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Optional

from .._check.baseline import read_baseline, write_baseline
from .._check.checking import Project, Rules, summed_up
from .._check.comparison import Comparison, compare, joined
from .._check.counts import counted
from .._check.finding import CodeFinding
from .._check.formats.json_data import json_data
from .._check.formats.text import count_of_unchecked, further_notes
from .._check.outcome import Outcome
from .._check.printing import printed
from .._check.project import project_of
from .._check.settings import PLATFORM, CheckSettings, read_settings
from .._check.target import against_platform, is_platform, lock_to_hold, target
from .._check.use import Use
from .._client import ScopeClient
from ..errors import ConfigurationError, ScopeError, ValidationError
from ._located import Located
from ._report import Report, explained
from ._site import PROMPT_OF_NOBODY, Site, client_of, store_problem
from ._survey import Survey

_CODE_AND_NOTEBOOKS = ("python", "notebook")


class _Compared(NamedTuple):
    parts: tuple[Comparison, ...] = ()
    problems: tuple[str, ...] = ()


def check(
    site: Site,
    *,
    paths: Sequence[str] = (),
    exclude: Sequence[str] = (),
    verbose: bool = False,
    format: Optional[str] = None,  # noqa: A002  # the option's own word
    write_baseline: bool = False,
    **options: Any,
) -> Report:
    """Asks the platform for each prompt, past the cache. After one failure of the platform it asks for no other.

    Args:
        site: Has the settings and the templates.
        paths: Files and folders to look at; by default all templates, and the code of the project.
        exclude: Patterns of paths to leave out.
        verbose: Whether what is known only at run time is listed.
        format: "github" or "sarif" for these; what the report prints otherwise is text or JSON.
        write_baseline: Whether to write what is wrong into the baseline.
        options: Further fields of `CheckSettings`, if they are given.

    Returns:
        The report.

    Raises:
        ConfigurationError: A file of settings, a baseline, a folder or a lock cannot be used.
    """
    settings = _settings(site, paths, exclude, options)
    rules = Rules(
        read_baseline(settings.baseline) if settings.baseline and not write_baseline else None, settings.strict
    )
    survey = site.survey(settings.exclude)
    project = _project(site, settings, survey, is_verbose=verbose)
    compared, described = _compared(site, settings, project)
    outcome = summed_up(project, joined(compared.parts), rules, described, compared.problems)
    if write_baseline:
        return _written(settings, outcome)
    return _report(site, outcome, survey, format, is_verbose=verbose)


def _settings(site: Site, paths: Sequence[str], exclude: Sequence[str], options: dict[str, Any]) -> CheckSettings:
    settings = read_settings(site.project())
    seen_from_here: dict[str, Any] = {"paths": tuple(os.path.join(site.project(), path) for path in settings.paths)}
    for key in ("against", "lock", "baseline"):
        value = getattr(settings, key)
        is_path = value is not None and value != PLATFORM
        seen_from_here[key] = os.path.join(site.project(), value) if is_path else value
    given = {key: value for key, value in options.items() if value is not None}
    exclude = (*settings.exclude, *exclude)
    paths = tuple(paths) or seen_from_here.pop("paths")
    return settings._replace(**{**seen_from_here, **given, "exclude": exclude, "paths": paths})


def _project(site: Site, settings: CheckSettings, survey: Survey, *, is_verbose: bool) -> Project:
    code = site.code()
    paths = tuple(map(os.path.abspath, settings.paths or ([code] if code and os.path.isdir(code) else [])))
    located = Located(site.project())
    uses, findings = located.uses(survey), located.findings(survey)
    seen = Project((), (), covers=lambda file: True)
    if paths:
        scanned = settings._replace(paths=paths)
        seen = project_of(scanned, here=site.project(), kinds=_CODE_AND_NOTEBOOKS, is_verbose=is_verbose)
    if settings.paths:
        uses = [each for each in uses if seen.covers(_whole(site, each.place.file))]
        findings = [each for each in findings if seen.covers(_whole(site, each.place.file))]
    files = len({use.file for use in survey.uses}) + seen.files
    covers = seen.covers if settings.paths else lambda file: True
    return Project([*uses, *seen.uses], [*findings, *seen.findings], files, seen.notes, covers)


def _whole(site: Site, file: str) -> str:
    return os.path.normpath(os.path.join(os.path.abspath(site.project()), file))


def _compared(site: Site, settings: CheckSettings, project: Project) -> tuple[_Compared, str]:
    is_of_test = site.is_of_test()
    problems = [str(each) for each in site.problems() if not (is_of_test and each.kind == "missing")]
    if not is_platform(settings.against or _lock_of(site)):
        held = target(settings.against or _lock_of(site), client=site.client, label=settings.label, lock=settings.lock)
        return _Compared((compare(project.uses, held.against),), tuple(problems)), held.described
    described = "the prompts of the test" if is_of_test else "the platform"
    if problems and not is_of_test:
        return _Compared(problems=tuple(problems)), described
    parts = [_asked(site, settings, using, uses) for using, uses in _by_organisation(site, project.uses).items()]
    found = tuple(comparison for part in parts for comparison in part.parts)
    return _Compared(found, (*problems, *(problem for part in parts for problem in part.problems))), described


def _lock_of(site: Site) -> Optional[str]:
    try:
        return site.client().config.lock
    except ConfigurationError:  # which the problems tell
        return None


def _by_organisation(site: Site, uses: Sequence[Use]) -> dict[Optional[str], list[Use]]:
    """Those of one that a site has no client for are with its own, where the comparison says that they are not."""
    found: dict[Optional[str], list[Use]] = {None: []}
    for use in uses:
        is_own = use.is_dynamic or not site.has_organisations
        found.setdefault(None if is_own else use.using, []).append(use)
    return found


def _asked(site: Site, settings: CheckSettings, using: Optional[str], uses: Sequence[Use]) -> _Compared:
    try:
        client = client_of(site, using)
    except ConfigurationError as error:  # of an organisation that is not there
        if using is None or not uses:
            return _Compared(problems=(explained(error),))
        findings = tuple(CodeFinding(use.place, "S101", explained(error), use.name) for use in uses)
        return _Compared((Comparison(tuple(uses), (), findings, 0),))
    if client.config.lock is not None:
        client = ScopeClient(config=client.config.merge(lock=None))
    store = store_problem(client, must_keep=site.unkept(client) is None)
    problems = [store] if store else []
    try:
        return _Compared((_compared_with(client, settings, using, uses),), tuple(problems))
    except ScopeError as error:
        return _Compared(problems=(*problems, explained(error)))


def _compared_with(
    client: ScopeClient, settings: CheckSettings, using: Optional[str], uses: Sequence[Use]
) -> Comparison:
    lock = lock_to_hold(settings.lock) if using is None and client._prompts_of_test is None else None
    against = against_platform(client, label=settings.label, lock=lock, prompt_dir=client.config.prompt_dir)
    against = against._replace(using=using)
    if not any(use.name is not None and not use.is_dynamic and use.using == using for use in uses):
        # A prompt that need not exist will do: a 404 for it shows that the platform and the credentials are good.
        against.catalogue.prepare([PROMPT_OF_NOBODY])
    return compare(uses, against)


def _written(settings: CheckSettings, outcome: Outcome) -> Report:
    if not settings.baseline:
        raise ValidationError("--write-baseline needs --baseline FILE: where to write")
    write_baseline(settings.baseline, outcome.findings)
    said = f"{settings.baseline} has {counted(len(outcome.findings), 'finding')}"
    return Report([*outcome.problems, said], {"written": settings.baseline}, _failure(len(outcome.problems)))


def _report(site: Site, outcome: Outcome, survey: Survey, format: Optional[str], *, is_verbose: bool) -> Report:  # noqa: A002
    failure = _failure(len(outcome.findings) + len(outcome.problems))
    data = {**json_data(outcome), **survey.not_looked_at()}
    if format in ("github", "sarif"):
        text = printed(outcome._replace(notes=(*outcome.notes, *survey.notes)), format, site.project())
        return Report([text], data, failure, is_content=True)
    lines = [*_lines(outcome, site.is_of_test(), is_verbose=is_verbose), *survey.notes]
    return Report(lines, data, failure)


def _failure(number: int) -> Optional[str]:
    return f"{counted(number, 'problem')} found" if number else None


def _lines(outcome: Outcome, is_of_test: bool, *, is_verbose: bool) -> Iterator[str]:
    yield from outcome.problems
    yield from map(str, outcome.findings)
    if is_verbose:
        yield from (f"{each.use.place} not checked: {each.why}" for each in outcome.unchecked)
    if outcome.is_clean:
        yield _praise(outcome, is_of_test)
    if outcome.unchecked:
        yield f"{count_of_unchecked(outcome, is_verbose=is_verbose)}"
    yield from further_notes(outcome)


def _praise(outcome: Outcome, is_of_test: bool) -> str:
    uses = f"{counted(outcome.checked, 'use')} of {counted(outcome.prompts, 'prompt')}"
    if outcome.against not in ("the platform", "the prompts of the test"):
        return f"settings are good; {uses} fit {outcome.against}"
    good = "the prompts of the test" if is_of_test else "settings, platform and credentials"
    return f"{good} are good; {uses} too"
