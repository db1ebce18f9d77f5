"""JSON values: parsed with a limit on their depth, and copied."""

from __future__ import annotations

import json
from typing import Any

MAX_JSON_DEPTH = 200


class DepthError(ValueError):
    """The value is nested more than 200 deep: code that walks it later could run out of stack."""


def parse(text: str | bytes) -> Any:
    """The value of a JSON text; raises ValueError for text that is not JSON, DepthError for one that is too deep."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("deeper than Python can read") from None
    # Only a text with more brackets than that can be too deep; counting them is far quicker than walking the value.
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if brackets > MAX_JSON_DEPTH and _is_too_deep(value):
        raise DepthError
    return value


def copied(value: Any) -> Any:
    """The same value, down to its last list, so that the caller may change it."""
    if isinstance(value, dict):
        return {name: copied(each) for name, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
