"""The commands of an adapter, without its framework: each asks a client, and returns a Report."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable, Optional, Union

from .._client import ScopeClient
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._redaction import Redaction
from ..errors import (
    ApiError,
    ConnectionError,
    NoProductionVersionError,
    NotFoundError,
    ScopeError,
    ValidationError,
)
from ._report import Finding, Report
from ._settings import SettingProblem
from ._uses import PromptUse

Ref = tuple[str, Optional[str], Optional[str]]
Answers = dict[Ref, Union[PromptVersion, ScopeError]]
_PARTS = ("name", "label", "version")
_PROBE = "scope:check"
_NOBODY = "scope-check"  # a name that need not exist: a 404 for it shows that all is well


def get(client: ScopeClient, name: str, label: str | None = None, version: str | None = None) -> Report:
    """The content of a version as it is; raises what `get_prompt_version` raises."""
    found = client.get_prompt_version(name, label=label, version=version)
    return Report([found.content], found.to_dict())


def render(
    client: ScopeClient,
    name: str,
    values: Mapping[str, object],
    label: str | None = None,
    version: str | None = None,
) -> Report:
    """The version with its variables filled in; raises what `render_prompt` raises."""
    found = client.get_prompt_version(name, label=label, version=version)
    text = found.render(**values)
    identity = {"name": found.name, "version_number": found.version_number, "id": found.id}
    return Report([text], {**identity, "text": text, "messages": found.messages(**values)})


def pairs(given: Iterable[str]) -> dict[str, str]:
    """The values of `key=value` arguments; raises ValidationError for one that is none."""
    values = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise ValidationError(f"a value is given as key=value, got {pair!r:.60}")
        values[key] = value
    return values


def listing(uses: Sequence[PromptUse], unread: Sequence[Finding] = ()) -> Report:
    """The prompts that templates use, and where."""
    lines = [f"{use.place}  {_described(use)}" for use in uses] or ["no template asks for a prompt"]
    failure = _left_unread(unread) if unread else None
    data = {"uses": [use._asdict() for use in uses], "unread": [each.to_dict() for each in unread]}
    return Report([*lines, *map(str, unread)], data, failure)


def warm(
    client: ScopeClient, uses: Iterable[PromptUse], names: Iterable[str] = (), unread: Sequence[Finding] = ()
) -> Report:
    """Reads what templates use, and further names, so that it is cached before there is traffic."""
    named = [use.wanted for use in uses if not use.is_dynamic]
    wanted = list(dict.fromkeys([*named, *((name, None, None) for name in names)]))
    refused = {each: _refusal(each) for each in wanted}
    report = client.prefetch([each for each in wanted if refused[each] is None])
    prompts: list[dict[str, Any]] = []
    lines = []
    for each in wanted:
        found = report.versions.get(each)
        error = refused[each] or report.errors.get(each)
        said = f"version {found.version_number}" if found else f"{type(error).__name__}: {error}"
        is_fallback = bool(found and found.is_fallback)
        lines.append(f"{_spelled(each)}: {said}{', a fallback: the platform did not answer' if is_fallback else ''}")
        prompts.append({**dict(zip(_PARTS, each)), "is_warm": bool(found and not is_fallback), "said": said})
    cold = sum(not prompt["is_warm"] for prompt in prompts)
    failures = [f"{cold} of {_count(prompts, 'prompt')} could not be fetched"] if cold else []
    failures += [_left_unread(unread)] if unread else []
    store = _store_problem(client)
    failures += [store] if store else []
    data = {"prompts": prompts, "unread": [each.to_dict() for each in unread], "cache_problem": store}
    return Report([*(lines or ["no template names a prompt"]), *map(str, unread)], data, ", ".join(failures) or None)


def status(client: ScopeClient) -> Report:
    """How the client of this very process is doing."""
    data = client.status().to_dict()
    return Report([json.dumps(data, indent=2, ensure_ascii=False)], data)


def health(client: Callable[[], ScopeClient]) -> tuple[dict[str, Any], int]:
    """What a page for probes shows, and its HTTP status: 503 only where there can be no client."""
    try:
        return {"ok": True, **client().status().to_dict()}, 200
    except ScopeError as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}, 503


def check(
    problems: Sequence[SettingProblem],
    client: Callable[[], ScopeClient],
    uses: Sequence[PromptUse],
    unread: Sequence[Finding] = (),
) -> Report:
    """The settings; the platform and the credentials; every prompt and variable that a template names.

    Asks the platform for each prompt, past the cache. A failure of the platform ends it, since the rest would fail too.
    """
    findings = [Finding(f"{problem.message} ({problem.hint})") for problem in problems]
    findings += unread
    asked: Answers = {}
    if not problems:
        store = _store_problem(client())
        findings += [Finding(store)] if store else []
        findings += _asked(client(), uses, asked)
    unknown = sum(use.is_dynamic for use in uses)
    known = _count([use for use in uses if not use.is_dynamic], "use")
    good = f"settings, platform and credentials are good; {known} of {_count(asked, 'prompt')} too"
    left_out = f"{unknown} more are named only when rendered, and were not checked"
    lines = [*map(str, findings)] if findings else [good]
    data = {
        "findings": [finding.to_dict() for finding in findings],
        "uses": len(uses),
        "unchecked": [use.place for use in uses if use.is_dynamic],
    }
    failure = f"{_count(findings, 'problem')} found" if findings else None
    return Report([*lines, left_out] if unknown else lines, data, failure)


def _asked(client: ScopeClient, uses: Sequence[PromptUse], answers: Answers) -> Iterator[Finding]:
    wanted = dict.fromkeys(use.wanted for use in uses if not use.is_dynamic)
    for each in wanted or {(_NOBODY, None, None): None}:
        answer = _answer(client, *each)
        if _is_failure(answer):
            yield Finding(f"{type(answer).__name__}: {answer}")
            return
        if wanted:
            answers[each] = answer
    for use in uses:
        if not use.is_dynamic:
            yield from _compared(use, answers[use.wanted])


def _refusal(ref: Ref) -> ScopeError | None:
    """Why this cannot be asked for at all."""
    try:
        PromptRef.of(*ref)
    except ScopeError as error:
        return error
    except TypeError as error:  # a label and a version together
        return ValidationError(str(error))
    return None


def _store_problem(client: ScopeClient) -> str | None:
    """Why the shared cache does not work, where there is one."""
    store = client.config.cache_store
    try:
        if store is not None:
            store.set(_PROBE, "works", 10.0)
            store.get_many([_PROBE])
    except Exception as error:  # noqa: BLE001  # of anybody's store
        return f"the shared cache does not work: {Redaction(()).text(f'{type(error).__name__}: {error}')}"
    return None


def _answer(client: ScopeClient, name: str, label: str | None, version: str | None) -> PromptVersion | ScopeError:
    refused = _refusal((name, label, version))
    if refused:
        return refused
    try:
        return client.get_prompt_version(name, label=label, version=version, cache=False)
    except ScopeError as error:
        return error


def _is_failure(answer: PromptVersion | ScopeError) -> bool:
    """Of the platform or the credentials, rather than an answer about the prompt."""
    return isinstance(answer, (ApiError, ConnectionError)) and not isinstance(answer, NotFoundError)


def _compared(use: PromptUse, answer: PromptVersion | ScopeError) -> Iterator[Finding]:
    def finding(message: str) -> Finding:
        return Finding(message, use.file, use.line)

    if isinstance(answer, (NotFoundError, NoProductionVersionError)):
        yield finding(f"{_described(use)}: {answer.message}")
        return
    if isinstance(answer, ScopeError):
        yield finding(f"{_described(use)}: {type(answer).__name__}: {answer}")
        return
    for variable in use.variables:
        if variable not in answer.variables:
            near = difflib.get_close_matches(variable, answer.variables, n=1)
            advice = f"; the nearest one is {near[0]!r}" if near else f"; it knows {_names(answer.variables)}"
            yield finding(f"prompt {use.name!r} has no variable {variable!r}{advice}")
    missing = [variable for variable in answer.variables if variable not in use.variables]
    if missing and not use.is_open:
        yield finding(f"prompt {use.name!r} needs {_names(missing)}, and nothing is passed for it")


def _described(use: PromptUse) -> str:
    name = "a prompt named when rendered" if use.name is None else f"prompt {use.name!r}"
    which = f", label {use.label!r}" if use.label else f", version {use.version!r}" if use.version else ""
    return f"{name}{which}{', with ' + ', '.join(use.variables) if use.variables else ''}"


def _spelled(ref: Ref) -> str:
    return " ".join(part for part in ref if part)


def _left_unread(unread: Sequence[Finding]) -> str:
    return f"{_count(unread, 'template')} could not be read"


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def _count(things: Any, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
