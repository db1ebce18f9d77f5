"""A caller's own stand-in for a prompt that the platform cannot give."""

from __future__ import annotations

import functools
from typing import Callable, Union

from .._wording import shown
from ..errors import ValidationError
from .prompt_version import PromptVersion
from .ref import PromptRef

Fallback = Union[str, Callable[[], str], None]
KEPT_STAND_INS = 128


def checked(fallback: Fallback) -> Fallback:
    """The fallback itself; raises ValidationError if it is neither text, nor callable, nor None."""
    if fallback is None or isinstance(fallback, str) or callable(fallback):
        return fallback
    raise ValidationError(f"fallback must be text, or a callable that returns text, got {type(fallback).__name__}")


def stand_in(ref: PromptRef, fallback: str | Callable[[], str]) -> PromptVersion:
    """A text prompt of the fallback's text; raises what a callable raises, and ValidationError for what is not text."""
    text = fallback if isinstance(fallback, str) else fallback()
    if not isinstance(text, str):
        raise ValidationError(
            f"the fallback for the prompt {shown(ref.name)} must return text, got {type(text).__name__}"
        )
    return _parsed(ref, str.__str__(text))


@functools.lru_cache(maxsize=KEPT_STAND_INS)
def _parsed(ref: PromptRef, content: str) -> PromptVersion:
    return PromptVersion({"content": content, "type": "text"}, ref, is_fallback=True)
