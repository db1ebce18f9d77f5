"""Messages as the pages show them, and as a person writes them into a field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...errors import ValidationError
from ._json_text import read_json

SHOWN_ROLES = ("system", "developer", "user", "assistant", "tool", "function", "placeholder")
_SHOWN_APART = ("role", "content", "name")
_SAID_BY = re.compile(rf"({'|'.join(SHOWN_ROLES[:-1])})\s*:\s?(.*)", re.IGNORECASE | re.DOTALL)


class ShownMessage(NamedTuple):
    """One message; `parts` are pairs of what it is ("text", or the name of a field) and its text."""

    role: str
    kind: str
    name: str
    parts: tuple[tuple[str, str], ...]


def shown_message(message: Any) -> ShownMessage:
    """A message of any model's API."""
    if not isinstance(message, Mapping):
        return ShownMessage("message", "", "", (("text", str(message)),))
    role = str(message.get("role", message.get("type", "message")))
    name = message.get("name")
    content = message.get("content")
    contents = content if isinstance(content, (list, tuple)) else [] if content is None else [content]
    left = {key: value for key, value in message.items() if key not in _SHOWN_APART and value is not None}
    parts = [_part(each) for each in contents] + [(str(key), as_json_text(value)) for key, value in left.items()]
    kind = role.lower() if role.lower() in SHOWN_ROLES else ""
    return ShownMessage(role, kind, name if isinstance(name, str) else "", tuple(parts))


def shown_messages(content: str) -> list[ShownMessage]:
    """Those of the content of a chat prompt, with their variables as they are."""
    return [shown_message(message) for message in read_json(content)]


def as_json_text(value: Any) -> str:
    """JSON for people: over several lines if it is an object or a list of several things."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_as_plain)


def written_messages(name: str, text: str) -> list[Any]:
    """What a person wrote into the field of a placeholder: a JSON list, or messages that begin with their role.

    Raises:
        ValidationError: It begins as a JSON list does, and is not one.
    """
    if not text.lstrip().startswith("["):
        return _said(text)
    try:
        return list(read_json(text))
    except (ValueError, TypeError) as error:
        raise ValidationError(f"the value of {name!r} begins as a JSON list, and is not one: {error}") from None


def _said(text: str) -> list[dict[str, str]]:
    """A line without a role belongs to the message above it; the first one is a user's."""
    messages: list[tuple[str, list[str]]] = []
    for line in text.strip().split("\n"):
        found = _SAID_BY.fullmatch(line.strip())
        if found is not None:
            messages.append((found[1].lower(), [found[2]]))
        elif messages:
            messages[-1][1].append(line)
        elif line:
            messages.append(("user", [line]))
    return [{"role": role, "content": "\n".join(lines).strip()} for role, lines in messages]


def _part(part: Any) -> tuple[str, str]:
    if isinstance(part, str):
        return "text", part
    if isinstance(part, Mapping) and isinstance(part.get("text"), str) and set(part) <= {"type", "text"}:
        return "text", part["text"]
    return (str(part.get("type", "part")) if isinstance(part, Mapping) else "part"), as_json_text(part)


def _as_plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
