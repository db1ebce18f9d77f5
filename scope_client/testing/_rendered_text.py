"""A rendering as a part of a snapshot: Markdown that reads well in a pull request, and that no text in it can break."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._config.credentials import SECRET_VARIABLES
from .._config.process_wide import configuration
from .._foreign_text import printable_lines
from .._lock.marked_text import as_code, fenced
from .._redaction import Redaction
from .._renderings import Rendering

_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
_FIELDS_OF_SECRETS = ("api_secret", "client_secret")


def part_of(rendering: Rendering) -> str:
    """The part for one rendering, which ends in a line end. It holds none of the credentials of this process."""
    return _redaction().text("\n".join(_lines(rendering)) + "\n")


def _lines(rendering: Rendering) -> Iterator[str]:
    yield f"## {as_code(rendering.name)}, {_which(rendering)}"
    yield ""
    names = (*rendering.variables, *sorted(set(rendering.values).difference(rendering.variables)))
    given = [name for name in names if name in rendering.values]
    yield from (f"- {as_code(name)}: {as_code(_plain(rendering.values[name]))}" for name in given)
    if given:
        yield ""
    if isinstance(rendering.rendered, str):
        yield fenced(printable_lines(rendering.rendered))
        return
    for number, message in enumerate(rendering.rendered):
        yield from [""] if number else []
        yield from _message_lines(message)


def _which(rendering: Rendering) -> str:
    if rendering.version_id is None:
        return "a fallback"
    number = "a version" if rendering.version_number is None else f"version {rendering.version_number}"
    return f"{number}, from the prompt folder" if rendering.is_fallback else number


def _message_lines(message: Any) -> Iterator[str]:
    is_plain = isinstance(message, Mapping) and message.keys() == {"role", "content"}
    if is_plain and isinstance(message["content"], str):
        yield f"{as_code(str(message['role']))}:"
        text = message["content"]
    else:
        yield "a message:"
        text = json.dumps(message, ensure_ascii=False, indent=2, default=_as_json)
    yield ""
    yield fenced(printable_lines(text))


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple, dict)):
        try:
            return json.dumps(value, ensure_ascii=False, default=_as_json)
        except (TypeError, ValueError, RecursionError):
            pass
    return _ADDRESS.sub("", str(value))


def _as_json(value: Any) -> Any:
    """The fields of a message of pydantic, as the clients of models have them; of anything else the text."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else _ADDRESS.sub("", str(value))


def _redaction() -> Redaction:
    credentials = configuration().credentials
    configured = (getattr(credentials, field, None) for field in _FIELDS_OF_SECRETS)
    return Redaction(filter(None, (*map(os.environ.get, SECRET_VARIABLES), *configured)))
