"""Models: which spans are of a call of a model, by the attributes that instrumentations give them.

The names are those of OpenTelemetry's conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/), of OpenInference, and those that OpenLLMetry has had
since before the conventions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

OPERATION = "gen_ai.operation.name"
OPERATIONS_OF_MODELS = frozenset(("chat", "text_completion", "generate_content"))
OPERATION_OF_AN_AGENT = "invoke_agent"
# Of instrumentations with words of their own, such as "acompletion" and "responses".
PARTS_OF_OTHER_OPERATIONS = ("chat", "completion", "response")
KIND_BY_OPENINFERENCE, MODEL_OF_OPENINFERENCE = "openinference.span.kind", "LLM"
TYPE_BY_OPENLLMETRY, TYPES_OF_MODELS = "llm.request.type", ("chat", "completion")
SIGNS_OF_A_MODEL = ("gen_ai.provider.name", "gen_ai.system", "gen_ai.request.model")


def said_to_be_of_a_model(attributes: Mapping[str, Any]) -> Optional[bool]:
    """Whether a span says by name that a model is called; None if it says nothing of the kind, or not yet."""
    operation = attributes.get(OPERATION)
    if operation is not None:
        return operation in OPERATIONS_OF_MODELS or any(part in str(operation) for part in PARTS_OF_OTHER_OPERATIONS)
    kind = attributes.get(KIND_BY_OPENINFERENCE)
    if kind is not None:
        return bool(kind == MODEL_OF_OPENINFERENCE)
    type_of_call = attributes.get(TYPE_BY_OPENLLMETRY)
    return None if type_of_call is None else type_of_call in TYPES_OF_MODELS


def is_of_an_agent(attributes: Mapping[str, Any]) -> bool:
    """Whether it is of an agent's run, in which a model may be called several times, each with another prompt."""
    return attributes.get(OPERATION) == OPERATION_OF_AN_AGENT


def is_of_a_model(attributes: Mapping[str, Any]) -> bool:
    """Whether a span that is about to end was of a call of a model."""
    said = said_to_be_of_a_model(attributes)
    return any(name in attributes for name in SIGNS_OF_A_MODEL) if said is None else said
