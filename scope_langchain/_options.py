"""A version's metadata as options of a chat model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scope_client import PromptVersion, ValidationError
from scope_client.frameworks import shown

MODEL_OPTIONS = (
    *("model", "model_provider", "temperature", "max_tokens", "top_p", "top_k", "stop", "seed"),
    *("frequency_penalty", "presence_penalty", "timeout", "max_retries"),
)


def model_options(version: PromptVersion, *, known: Iterable[str] = MODEL_OPTIONS) -> dict[str, Any]:
    """The options of a model that the metadata has, for `init_chat_model(**...)` or `model.bind(**...)`.

    Args:
        version: The version.
        known: The keys that the model takes.

    Returns:
        The keys that the metadata has a value for, with these values.

    Raises:
        ValidationError: `known` is text instead of a list of names.
    """
    if isinstance(known, str):
        raise ValidationError(f"known must be a list of names such as ['model'], got {shown(known)}")
    metadata = version.metadata
    return {key: metadata[key] for key in known if metadata.get(key) is not None}
