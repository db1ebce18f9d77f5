"""The command `warm`: fetches what templates use, so that it is cached before there is traffic."""

from collections.abc import Iterable
from typing import Any, Optional

from .._prompt.prompt_version import PromptVersion
from ..errors import ScopeError
from ._report import Report, counted, explained
from ._site import Site, refusal, store_problem
from ._uses import Ref


def warm(site: Site, names: Iterable[str]) -> Report:
    """Fetches the prompts with these names too. A prompt that cannot be fetched does not keep the others from it."""
    survey = site.survey()
    client = site.client()
    named = [use.wanted for use in survey.uses if not use.is_dynamic]
    wanted: list[Ref] = list(dict.fromkeys([*named, *((name, None, None) for name in names)]))
    errors = {ref: refusal(ref) for ref in wanted}
    report = client.prefetch([ref for ref in wanted if errors[ref] is None])
    prompts = [_result(ref, report.versions.get(ref), errors[ref] or report.errors.get(ref)) for ref in wanted]
    lines = [line for line, _ in prompts] or ["no template names a prompt"]
    cold = sum(not data["is_warm"] for _, data in prompts)
    store = store_problem(client)
    failures = [
        f"{cold} of {counted(len(prompts), 'prompt')} could not be fetched" if cold else None,
        survey.failure,
        store,
    ]
    return Report(
        [*lines, *map(str, survey.unread)],
        {"prompts": [data for _, data in prompts], "unread": survey.unread_dicts(), "cache_problem": store},
        ", ".join(filter(None, failures)) or None,
    )


def _result(ref: Ref, found: Optional[PromptVersion], error: Optional[ScopeError]) -> tuple[str, dict[str, Any]]:
    """The line of a prompt, and its data."""
    name, label, version = ref
    said = f"version {found.version_number}" if found else explained(error)
    is_fallback = found is not None and found.is_fallback
    stands_in = ", a fallback: the platform did not answer" if is_fallback else ""
    line = f"{' '.join(filter(None, ref))}: {said}{stands_in}"
    is_warm = found is not None and not is_fallback
    return line, {"name": name, "label": label, "version": version, "is_warm": is_warm, "said": said}
