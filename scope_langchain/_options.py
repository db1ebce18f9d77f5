"""A version's metadata as options of a chat model: for making one, and for one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scope_client import PromptVersion, ValidationError
from scope_client.frameworks import listed, shown

CALL_OPTIONS = (
    *("model", "temperature", "max_tokens", "max_completion_tokens", "top_p", "stop", "seed"),
    *("frequency_penalty", "presence_penalty", "reasoning_effort", "verbosity", "response_format"),
    *("tools", "tool_choice", "timeout"),
)
"""What a call takes: for `model.bind(**call_options(version))` and `scope_model(model, options=CALL_OPTIONS)`."""
MODEL_OPTIONS = (*CALL_OPTIONS, "top_k", "model_provider", "max_retries")
"""What the making of a model takes: for `init_chat_model(**model_options(version))`."""


def model_options(version: PromptVersion, *, known: Iterable[str] = MODEL_OPTIONS) -> dict[str, Any]:
    """The options that the metadata has for making a model: `init_chat_model(**model_options(version))`.

    Args:
        version: The version.
        known: The keys that the model takes.

    Returns:
        The keys that the metadata has a value for, with these values.

    Raises:
        ValidationError: `known` is text instead of a list of names.
    """
    return chosen(plain_metadata(version), known)


def call_options(version: PromptVersion, *, known: Iterable[str] = CALL_OPTIONS) -> dict[str, Any]:
    """The options that the metadata has for one call: `model.bind(**call_options(version))`.

    They stay those of this version. `scope_model` takes those of the version that a promotion brings.

    Args:
        version: The version.
        known: The keys that a call takes.

    Returns:
        The keys that the metadata has a value for, with these values.

    Raises:
        ValidationError: `known` is text instead of a list of names.
    """
    return chosen(plain_metadata(version), known)


def plain_metadata(version: PromptVersion) -> dict[str, Any]:
    """The metadata of a version as lists and dicts, which a model's client can send on."""
    found: dict[str, Any] = version.to_dict()["metadata"]
    return found


def chosen(metadata: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    return {key: metadata[key] for key in names(known) if metadata.get(key) is not None}


def names(known: Iterable[str]) -> tuple[str, ...]:
    """Raises ValidationError if it is not a list of names."""
    if isinstance(known, str):
        raise ValidationError(f"options must be a list of names such as ['model'], got {shown(known)}")
    found = tuple(known)
    odd = [each for each in found if not isinstance(each, str)]
    if odd:
        raise ValidationError(f"options must be names such as 'model', got {listed(odd)}")
    return found
