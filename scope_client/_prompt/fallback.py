"""A caller's own stand-in for a prompt that the platform cannot give."""

from __future__ import annotations

import functools
from typing import Callable, Union

from ..errors import ValidationError
from .prompt_version import PromptVersion
from .ref import PromptRef

Fallback = Union[str, Callable[[], str], None]


def checked(fallback: Fallback) -> Fallback:
    """Raises ValidationError for what is neither a text nor callable."""
    if fallback is None or isinstance(fallback, str) or callable(fallback):
        return fallback
    raise ValidationError(f"fallback must be a text, or a callable that returns one, got {type(fallback).__name__}")


def stand_in(ref: PromptRef, fallback: str | Callable[[], str]) -> PromptVersion:
    """A text prompt; raises ValidationError where a callable raises, or returns no text."""
    try:
        text = fallback if isinstance(fallback, str) else fallback()
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise ValidationError(f"the fallback for the prompt {ref.name!r} raised {said}") from error
    if not isinstance(text, str):
        raise ValidationError(f"the fallback for the prompt {ref.name!r} must return text, got {type(text).__name__}")
    return _parsed(ref, str.__str__(text))


@functools.lru_cache(maxsize=128)
def _parsed(ref: PromptRef, content: str) -> PromptVersion:
    return PromptVersion({"content": content, "type": "text"}, ref, is_fallback=True)
