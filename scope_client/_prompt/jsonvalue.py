"""JSON values: parsed with a limit to their depth, and copied."""

from __future__ import annotations

import json
from typing import Any

DEEPEST = 200


class DepthError(ValueError):
    """The value is nested more than 200 deep; nobody who walks it later shall run out of stack."""


def parse(text: str | bytes) -> Any:
    """Raises ValueError for what is not JSON, DepthError for what is too deep."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("deeper than Python can read") from None
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if brackets > DEEPEST and _is_too_deep(value):
        raise DepthError
    return value


def copied(value: Any) -> Any:
    """The same value, of which a caller may change what it likes."""
    if isinstance(value, dict):
        return {name: copied(each) for name, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
