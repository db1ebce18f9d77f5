"""Whether the spans of models carry the right prompts, and no others do; and the spans as a text to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel.libraries import MODELS, VALUE_SHOWN_NOWHERE
from otel.scenes import PROMPTS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

OURS = ("gen_ai.prompt.", "scope.", "feature_flag.")
OPERATION, MODEL, NAME = "gen_ai.operation.name", "gen_ai.request.model", "gen_ai.prompt.name"
OF_MODELS = ("chat", None)
OF_AGENTS = "invoke_agent"
TEXTS = [message["content"].partition(" the ")[0] for content in PROMPTS.values() for message in content]


def facts_of(span: ReadableSpan) -> dict[str, Any]:
    """What is on a span that is ours."""
    return {name: value for name, value in (span.attributes or {}).items() if name.startswith(OURS)}


def is_of_a_model(span: ReadableSpan) -> bool:
    attributes = span.attributes or {}
    return MODEL in attributes and attributes.get(OPERATION) in OF_MODELS


def wrong_about(span: ReadableSpan, blocks: bool, is_told: bool) -> Iterator[str]:
    """What is wrong with a span of an instrumentation."""
    attributes, facts = dict(span.attributes or {}), facts_of(span)
    where = f"{span.name} of {attributes.get(MODEL)}"
    if is_of_a_model(span):
        if is_told and MODELS.get(str(facts.get(NAME))) != str(attributes[MODEL]).rpartition("/")[2]:
            yield f"{where} has {facts or 'no prompt'}"
        if not is_told and facts:
            yield f"{where} has a prompt that nobody knows of: {facts}"
        if facts:
            yield from wrong_facts(where, facts)
    elif facts and not (blocks and attributes.get(OPERATION) == OF_AGENTS):
        yield f"{where} has {facts}, and calls no model"
    if any(text in span.to_json() for text in (VALUE_SHOWN_NOWHERE, *TEXTS)):
        yield f"{where} shows a text or a value"


def wrong_facts(where: str, facts: dict[str, Any]) -> Iterator[str]:
    name = facts[NAME]
    expected: dict[str, Any] = {NAME: name, "scope.prompt.source": "fallback", "scope.prompt.is_fallback": True}
    if name != UNKNOWN:
        expected = {NAME: name, "gen_ai.prompt.version": "1", "scope.prompt.source": facts.get("scope.prompt.source")}
        for key, begin in (("scope.prompt.id", "prompt_"), ("scope.prompt.version_id", "v_")):
            if not str(facts.get(key)).startswith(begin):
                yield f"{where} has no {key}: {facts}"
        if facts.get("scope.prompt.source") not in ("platform", "memory"):
            yield f"{where} does not say how the version was read: {facts}"
        if facts.get("scope.prompt.label") != "production":
            yield f"{where} does not say which label was asked for: {facts}"
    different = {key: value for key, value in expected.items() if facts.get(key) != value}
    if different:
        yield f"{where} should have {different}, has {facts}"


def picture(spans: Sequence[ReadableSpan]) -> str:
    """Each span below its parent, with its kind, its operation and what is ours."""
    known = {span.context.span_id for span in spans}

    def below(parent: int | None, depth: int) -> Iterator[str]:
        for span in spans:
            if (span.parent.span_id if span.parent and span.parent.span_id in known else None) == parent:
                told = ", ".join(f"{key}={value}" for key, value in facts_of(span).items())
                yield f"{'    ' * depth}{span.name} ({span.kind.name}) {told}".rstrip()
                yield from below(span.context.span_id, depth + 1)

    return "\n".join(below(None, 0))
