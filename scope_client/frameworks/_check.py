"""The command `check`: settings, platform and credentials, and each prompt and variable that a template names."""

from collections.abc import Iterator, Sequence
from typing import Any, Union

from .._client import ScopeClient
from .._prompt.prompt_version import PromptVersion
from .._wording import listed, nearest, shown
from ..errors import ApiError, ConnectionError, NoProductionVersionError, NotFoundError, ScopeError
from ._report import Finding, Report, counted, explained
from ._site import Site, refusal, store_problem
from ._uses import PromptUse, Ref

MAX_TYPOS_OF_A_USE = 20
_PROMPT_OF_NOBODY: Ref = ("scope-check", None, None)

_Answer = Union[PromptVersion, ScopeError]


def check(site: Site) -> Report:
    """Asks the platform for each prompt, past the cache. After one failure of the platform it asks for no other."""
    uses, unread = site.survey()
    checked = [use for use in uses if not use.is_dynamic]
    problems = site.problems()
    findings = [*(Finding(str(problem)) for problem in problems), *unread]
    if not problems:
        client = site.client()
        store = store_problem(client)
        findings += [Finding(store)] if store else []
        findings += _asked(client, checked)
    lines = [*map(str, findings)] if findings else [_praise(checked)]
    unchecked = [use.place for use in uses if use.is_dynamic]
    if unchecked:
        are, were = ("is", "was") if len(unchecked) == 1 else ("are", "were")
        lines.append(f"{len(unchecked)} more {are} named only when rendered, and {were} not checked")
    data = {"findings": [finding.to_dict() for finding in findings], "uses": len(uses), "unchecked": unchecked}
    return Report(lines, data, f"{counted(len(findings), 'problem')} found" if findings else None)


def _praise(checked: Sequence[PromptUse]) -> str:
    prompts = len({use.wanted for use in checked})
    of_templates = f"{counted(len(checked), 'use')} of {counted(prompts, 'prompt')}"
    return f"settings, platform and credentials are good; {of_templates} too"


def _asked(client: ScopeClient, uses: Sequence[PromptUse]) -> list[Finding]:
    answers: dict[Ref, _Answer] = {}
    # A prompt that need not exist will do: a 404 for it shows that the platform and the credentials are good.
    for ref in dict.fromkeys(use.wanted for use in uses) or [_PROMPT_OF_NOBODY]:
        answers[ref] = answer = _answer(client, ref)
        if isinstance(answer, (ApiError, ConnectionError)) and not isinstance(answer, NotFoundError):
            return [Finding(explained(answer))]
    return [Finding(message, use.file, use.line) for use in uses for message in _mistakes(use, answers[use.wanted])]


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


def _mistakes(use: PromptUse, answer: _Answer) -> Iterator[str]:
    if isinstance(answer, ScopeError):
        is_absent = isinstance(answer, (NotFoundError, NoProductionVersionError))
        yield f"{use}: {answer.message if is_absent else explained(answer)}"
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
