"""A version's metadata as options of a chat model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scope_client import PromptVersion, ValidationError

KNOWN = (
    *("model", "model_provider", "temperature", "max_tokens", "top_p", "top_k", "stop", "seed"),
    *("frequency_penalty", "presence_penalty", "timeout", "max_retries"),
)


def model_options(version: PromptVersion, *, known: Iterable[str] = KNOWN) -> dict[str, Any]:
    """Those keys of the metadata that a model is known to take, for `init_chat_model(**...)` or `model.bind(**...)`.

    What is not in `known`, or has no value, is left out. Raises ValidationError where `known` is one text.
    """
    if isinstance(known, str):
        raise ValidationError(f"known must be a list of names such as ['model'], got {known!r}")
    found = ((key, version.get_metadata(key)) for key in known)
    return {key: value for key, value in found if value is not None}
