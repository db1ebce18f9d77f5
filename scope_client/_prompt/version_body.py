"""The body of a version: its fields, in the words of either generation of the API."""

import json
from collections.abc import Mapping
from typing import Any, Optional

from ..errors import ApiError
from .packed import interned

LONGEST_SHOWN_TYPE = 60
TEXT_FIELDS = (
    *("id", "version_id", "prompt_id", "name", "status", "created_at", "updated_at"),
    *("promoted_at", "promoted_by"),
)
FIELDS_READ = frozenset(
    (
        *("id", "version_id", "prompt_id", "name", "version_number", "version", "content", "variables", "status"),
        *("is_production", "prompt_type", "type", "metadata", "tags", "created_at", "updated_at"),
        *("promoted_at", "promoted_by"),
    )
)


def names(variables: Optional[list[Any]]) -> tuple[str, ...]:
    """Those of the variables that are text."""
    return tuple([interned(each) for each in variables or () if type(each) is str])


def known(body: Mapping[str, Any], kind: type, name: str, other_name: str = "") -> Any:
    """The first of these fields that is of its kind; None if there is none: a wrong field is as good as absent."""
    value = body.get(name)
    if type(value) is kind:
        return value
    return known(body, kind, other_name) if other_name else None


def read_content(body: Mapping[str, Any]) -> tuple[str, str]:
    """The content as text, and the type of the prompt; raises ApiError for what is neither text nor a chat prompt."""
    content = body.get("content")
    kind = body.get("prompt_type", body.get("type")) or ("chat" if isinstance(content, list) else "text")
    if kind not in ("text", "chat"):
        # Whole or not at all: it may be a secret, of which no part can be told.
        is_short = isinstance(kind, str) and len(kind) <= LONGEST_SHOWN_TYPE
        got = repr(kind) if is_short else f"something odd, a {type(kind).__name__}"
        raise ApiError(f"expected a prompt of the type text or chat, got {got}")
    if kind == "chat" and isinstance(content, list):
        content = json.dumps(content, ensure_ascii=False)
    if not isinstance(content, str):
        got = "no content" if content is None else f"content of the type {type(content).__name__}"
        raise ApiError(f"expected a prompt version with its content as text, got {got}")
    return content, kind
