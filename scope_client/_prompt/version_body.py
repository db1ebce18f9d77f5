"""The body of a version: its fields, in the words of either generation of the API, as small as a cache wants them."""

import json
import sys
from collections.abc import Mapping
from typing import Any, Optional

from ..errors import ApiError
from .jsonvalue import copied

LONGEST_SHOWN_TYPE = 60
_TEXT_FIELDS = (
    *("id", "version_id", "prompt_id", "name", "status", "created_at", "updated_at"),
    *("promoted_at", "promoted_by"),
)
_FIELDS_READ = frozenset(
    (
        *("id", "version_id", "prompt_id", "name", "version_number", "version", "content", "variables", "status"),
        *("is_production", "prompt_type", "type", "metadata", "tags", "created_at", "updated_at"),
        *("promoted_at", "promoted_by"),
    )
)


def fields_in(body: Mapping[str, Any], asked_name: str) -> dict[str, Any]:
    """What a version keeps of its body, by the names that it has there.

    Args:
        body: JSON, which nobody else has.
        asked_name: The name that was asked for, which the version has if the body has none.

    Raises:
        ApiError: The content is neither text nor a chat prompt.
    """
    content, kind = _content(body)
    texts = {field: value for field in _TEXT_FIELDS if type(value := body.get(field)) is str}
    status = _interned(texts.get("status"))
    name = texts.get("name") or asked_name
    is_production = _known(body, bool, "is_production")
    unknown = {field: body[field] for field in body if field not in _FIELDS_READ}
    return {
        "created_at": texts.get("created_at"),
        "id": texts.get("id", texts.get("version_id")),
        "is_production": status == "published" if is_production is None else is_production,
        "name": asked_name if name == asked_name else name,  # one text for all that have it
        "promoted_at": texts.get("promoted_at"),
        "promoted_by": _interned(texts.get("promoted_by")),
        "prompt_id": texts.get("prompt_id"),
        "status": status,
        "tags": tuple([tag for tag in _known(body, list, "tags") or () if isinstance(tag, str)]),
        "type": kind,
        "updated_at": texts.get("updated_at"),
        "version_number": _known(body, int, "version_number", "version"),
        "_declared": tuple([_interned(each) for each in _known(body, list, "variables") or () if type(each) is str]),
        "_metadata": _packed(_known(body, dict, "metadata")),
        "_more": _packed(unknown),
        "_content": content,
    }


def unpacked(packed: tuple[Any, ...]) -> dict[str, Any]:
    """A copy of the object of which `_metadata` or `_more` has the names and the values."""
    unpacked: dict[str, Any] = copied(dict(zip(packed[::2], packed[1::2])))
    return unpacked


def _packed(mapping: Optional[dict[str, Any]]) -> tuple[Any, ...]:
    """The mapping as a tuple of its names and values by turns.

    Such a tuple takes half of a dict's memory, which counts: a cache keeps thousands of versions, and few readers ask
    for their metadata. The names are interned, because many versions have the same ones.
    """
    if not mapping:
        return ()
    return tuple([each for name, value in mapping.items() for each in (_interned(name), value)])


def _interned(name: Any) -> Any:
    """One object for the same text in many versions."""
    return sys.intern(name) if type(name) is str else name


def _known(body: Mapping[str, Any], kind: type, name: str, other_name: str = "") -> Any:
    """The first of these fields that is of its kind; None if there is none: a wrong field is as good as absent."""
    value = body.get(name)
    if type(value) is kind:
        return value
    return _known(body, kind, other_name) if other_name else None


def _content(body: Mapping[str, Any]) -> tuple[str, str]:
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
