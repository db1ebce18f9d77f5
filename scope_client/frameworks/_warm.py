"""The command `warm`: fetches what templates use, so that it is cached before there is traffic."""

from collections.abc import Iterable, Sequence
from typing import Any, Optional

from .._client import ScopeClient
from .._prompt.prompt_version import PromptVersion
from .._stores.memory_store import MemoryStore
from ..errors import ScopeError
from ._report import Report, counted, explained
from ._site import Site, by_organisation, client_of, refusal, store_problem
from ._uses import Ref


def warm(site: Site, *, names: Iterable[str], exclude: Sequence[str] = (), using: Optional[str] = None) -> Report:
    """A prompt that cannot be fetched keeps no other from it. Fails if nothing that is fetched outlasts this process.

    Args:
        site: Has the templates.
        names: Further prompts, which no template names.
        exclude: Patterns of templates to leave out.
        using: The organisation that has the further prompts, on a site that has several.

    Returns:
        The report.

    Raises:
        ConfigurationError: There is no client for one of the organisations.
    """
    survey = site.survey(exclude)
    prompts: list[tuple[str, dict[str, Any]]] = []
    problems: list[str] = []
    uses = by_organisation(use for use in survey.uses if not use.is_dynamic)
    wanted: dict[Optional[str], list[Ref]] = {each: [use.wanted for use in uses[each]] for each in uses}
    wanted.setdefault(using, []).extend((name, None, None) for name in names)
    for organisation, refs in wanted.items():
        client = client_of(site, organisation)
        problem = _cache_problem(site, client) if refs else None
        problems += [problem] if problem else []
        prompts += _fetched(client, organisation, list(dict.fromkeys(refs)))
    lines = [line for line, _ in prompts] or ["no template names a prompt"]
    cold = sum(not data["is_warm"] for _, data in prompts)
    for _, data in prompts:
        data["is_warm"] = data["is_warm"] and not problems
    problem = "; ".join(dict.fromkeys(problems)) or None
    failures = [
        f"{cold} of {counted(len(prompts), 'prompt')} could not be fetched" if cold else None,
        survey.failure,
        problem,
    ]
    return Report(
        [*lines, *map(str, survey.unread), *survey.notes],
        {"prompts": [data for _, data in prompts], "cache_problem": problem, **survey.to_dict()},
        ", ".join(filter(None, failures)) or None,
    )


def _fetched(client: ScopeClient, using: Optional[str], wanted: Sequence[Ref]) -> list[tuple[str, dict[str, Any]]]:
    errors = {ref: refusal(ref, client) for ref in wanted}
    report = client.prefetch([ref for ref in wanted if errors[ref] is None])
    return [_result(ref, using, report.versions.get(ref), errors[ref] or report.errors.get(ref)) for ref in wanted]


def _cache_problem(site: Site, client: ScopeClient) -> Optional[str]:
    unkept = None if site.is_of_test() else _unkept(site, client)
    return f"nothing stays warm: {unkept}" if unkept else store_problem(client)


def _unkept(site: Site, client: ScopeClient) -> Optional[str]:
    if not client.config.cache_enabled:
        return "the cache is off; leave CACHE_ENABLED out, or set it to True"
    if not client.config.cache_ttl:
        return "CACHE_TTL is 0, so that each read asks again; leave it out, or give it seconds"
    if isinstance(client.config.cache_store, MemoryStore):
        return "a MemoryStore belongs to this process alone; use one that all processes share, such as a RedisStore"
    return site.unkept(client)


def _result(
    ref: Ref, using: Optional[str], found: Optional[PromptVersion], error: Optional[ScopeError]
) -> tuple[str, dict[str, Any]]:
    """The line of a prompt, and its data."""
    name, label, version = ref
    said = f"version {found.version_number}" if found else explained(error)
    is_fallback = found is not None and found.is_fallback
    stands_in = ", a fallback: the platform did not answer" if is_fallback else ""
    of = f", using {using}" if using else ""
    line = f"{' '.join(filter(None, ref))}: {said}{of}{stands_in}"
    is_warm = found is not None and not is_fallback
    asked = {"name": name, "label": label, "version": version, "using": using}
    return line, {**asked, "is_warm": is_warm, "said": said}
