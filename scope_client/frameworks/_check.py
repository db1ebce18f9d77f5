"""The command `check`: settings, platform and credentials, and each prompt and variable that a template names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional, Union

from .._check.fit import MAX_TYPOS_OF_A_USE
from .._client import ScopeClient
from .._folder.reader import read_prompt_dir
from .._prompt.prompt_version import PromptVersion
from .._wording import MOST_WORDS_TO_COMPARE, listed, nearest, shown
from ..errors import ApiError, ConfigurationError, ConnectionError, NoProductionVersionError, NotFoundError, ScopeError
from ._report import Finding, Report, counted, explained
from ._site import Site, by_organisation, client_of, refusal, store_problem
from ._uses import OPENING_BRACES, PromptUse, Ref

_PROMPT_OF_NOBODY: Ref = ("scope-check", None, None)

_Answer = Union[PromptVersion, ScopeError]


def check(site: Site, *, exclude: Sequence[str] = ()) -> Report:
    """Asks the platform for each prompt, past the cache. After one failure of the platform it asks for no other."""
    survey = site.survey(exclude)
    is_of_test = site.is_of_test()
    checked = [use for use in survey.uses if not use.is_dynamic]
    problems = [each for each in site.problems() if not (is_of_test and each.kind == "missing")]
    findings = [*(Finding(str(problem)) for problem in problems), *survey.unread]
    findings += [Finding(mistake, use.file, use.line) for use in survey.uses for mistake in use.mistakes]
    if is_of_test or not problems:
        findings += [each for using, uses in by_organisation(checked).items() for each in _asked(site, using, uses)]
    lines = [*map(str, findings)] if findings else [_praise(checked, is_of_test)]
    unchecked = [use.place for use in survey.uses if use.is_dynamic]
    if unchecked:
        are, were = ("is", "was") if len(unchecked) == 1 else ("are", "were")
        lines.append(f"{len(unchecked)} more {are} named only when rendered, and {were} not checked")
    data = {
        "findings": [finding.to_dict() for finding in findings],
        "uses": len(survey.uses),
        "unchecked": unchecked,
        **survey.not_looked_at(),
    }
    return Report([*lines, *survey.notes], data, f"{counted(len(findings), 'problem')} found" if findings else None)


def _praise(checked: Sequence[PromptUse], is_of_test: bool) -> str:
    prompts = len({(use.using, use.wanted) for use in checked})
    of_templates = f"{counted(len(checked), 'use')} of {counted(prompts, 'prompt')}"
    good = "the prompts of the test" if is_of_test else "settings, platform and credentials"
    return f"{good} are good; {of_templates} too"


def _asked(site: Site, using: Optional[str], uses: Sequence[PromptUse]) -> list[Finding]:
    try:
        client = client_of(site, using)
    except ConfigurationError as error:  # of an organisation that is not there
        return [Finding(explained(error), use.file, use.line) for use in uses] or [Finding(explained(error))]
    store = store_problem(client, must_keep=site.unkept(client) is None)
    return [*([Finding(store)] if store else []), *_compared(client, uses)]


def _compared(client: ScopeClient, uses: Sequence[PromptUse]) -> list[Finding]:
    answers: dict[Ref, _Answer] = {}
    # A prompt that need not exist will do: a 404 for it shows that the platform and the credentials are good.
    for ref in dict.fromkeys(use.wanted for use in uses) or [_PROMPT_OF_NOBODY]:
        answers[ref] = answer = _answer(client, ref)
        if client._prompts_of_test is not None:  # an error is one of those that the test has given
            continue
        if isinstance(answer, (ApiError, ConnectionError)) and not isinstance(answer, NotFoundError):
            return [Finding(explained(answer))]
    known = _known_names(client, answers)
    return [Finding(each, use.file, use.line) for use in uses for each in _mistakes(use, answers[use.wanted], known)]


def _known_names(client: ScopeClient, answers: Mapping[Ref, _Answer]) -> frozenset[str]:
    """The prompts that there are, as far as is known: the platform has no list of them."""
    names = {name for (name, _, _), answer in answers.items() if isinstance(answer, PromptVersion)}
    given = client._prompts_of_test or {}
    return frozenset({*names, *given, *_names_in_folder(client.config.prompt_dir)})


def _names_in_folder(folder: Optional[str]) -> Iterable[str]:
    if folder is None:
        return ()
    try:
        return read_prompt_dir(folder)
    except ScopeError:  # which the first outage tells
        return ()


def _answer(client: ScopeClient, ref: Ref) -> _Answer:
    refused = refusal(ref)
    if refused:
        return refused
    name, label, version = ref
    try:
        which: Any = {"label": label, "version": version}
        return client.get_prompt_version(name, **which, cache=False)
    except ScopeError as error:
        return error


def _mistakes(use: PromptUse, answer: _Answer, names: frozenset[str]) -> Iterator[str]:
    if isinstance(answer, ScopeError):
        is_absent = isinstance(answer, (NotFoundError, NoProductionVersionError))
        guess = _other_name(use.name, names)
        if guess and isinstance(answer, NoProductionVersionError):
            guess = f"; if its name is misspelt{guess.replace(';', ':')}"
        yield f"{use}: {answer.message}{guess}" if is_absent else f"{use}: {explained(answer)}"
        return
    known = dict.fromkeys(answer.to_dict()["variables"])  # those that are declared, too
    given, prompt = frozenset(use.variables), f"prompt {shown(use.name)}"
    unknown = [variable for variable in use.variables if variable not in known]
    for variable in unknown[:MAX_TYPOS_OF_A_USE]:
        near = nearest(variable, known)
        advice = f"it knows {listed(known)}" if near is None else f"the nearest one is {near!r}"
        yield f"{prompt} has no variable {shown(variable)}; {advice}"
    if len(unknown) > MAX_TYPOS_OF_A_USE:
        yield f"{prompt} has no variables {listed(unknown[MAX_TYPOS_OF_A_USE:])} either"
    missing = [variable for variable in answer.variables if variable not in given]
    if missing and not use.is_open:
        yield f"{prompt} is given no value for {listed(missing)}"


def _other_name(name: Optional[str], names: frozenset[str]) -> str:
    if name is None or name in names:
        return ""
    if OPENING_BRACES in name:
        return "; braces are text there: write a name of the template without quotes and braces"
    alike = sorted(names, key=lambda each: (abs(len(each) - len(name)), each))[:MOST_WORDS_TO_COMPARE]
    near = nearest(name, alike)
    return "" if near is None else f"; the nearest one is {shown(near)}"
