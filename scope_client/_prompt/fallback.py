"""A caller's own stand-in for a prompt that the platform cannot give."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Union

from .._wording import shown
from ..errors import ApiError, ValidationError
from .prompt_version import PromptVersion
from .ref import PromptRef
from .values import is_callable, is_none, plain_text

FallbackContent = Union[str, Sequence[Mapping[str, Any]]]
Fallback = Union[FallbackContent, Callable[[], FallbackContent], None]
KEPT_STAND_INS = 128


def checked(fallback: Fallback) -> Fallback:
    """The fallback itself; None for a proxy for None.

    Raises ValidationError if it is neither text, nor a list of messages, nor callable, nor None.
    """
    if is_none(fallback):
        return None
    if is_content(fallback) or is_callable(fallback):
        return fallback
    raise ValidationError(
        "fallback must be text, a list of messages such as "
        f'{{"role": "user", "content": "Hi"}}, or a callable that returns one of the two, got {_kind(fallback)}'
    )


def stand_in(ref: PromptRef, fallback: FallbackContent | Callable[[], FallbackContent]) -> PromptVersion:
    """A prompt of the fallback's text, or a chat prompt of its messages.

    Raises what a callable raises, and ValidationError for what is neither text nor a list of messages.
    """
    given: Any = fallback
    content = given if is_content(given) or not is_callable(given) else given()
    if isinstance(content, str):
        return _parsed(ref, plain_text(content), "text")
    if not _is_list_of_messages(content):
        raise ValidationError(
            f"the fallback for the prompt {shown(ref.name)} must return text or a list of messages, "
            f"got {_kind(content)}"
        )
    try:
        return _parsed(ref, json.dumps([dict(message) for message in content], ensure_ascii=False), "chat")
    except (ApiError, TypeError, ValueError) as error:
        raise ValidationError(
            f"the fallback for the prompt {shown(ref.name)} is not a list of messages: {error}"
        ) from None


def is_content(fallback: Fallback) -> bool:
    """Whether it need not be called; a proxy for text or for a list of messages can be called, too."""
    return isinstance(fallback, str) or _is_list_of_messages(fallback)


def _is_list_of_messages(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(message, Mapping) for message in value)


def _kind(value: object) -> str:
    return value.__class__.__name__


@functools.lru_cache(maxsize=KEPT_STAND_INS)
def _parsed(ref: PromptRef, content: str, kind: str) -> PromptVersion:
    return PromptVersion({"content": content, "type": kind}, ref, is_fallback=True)
