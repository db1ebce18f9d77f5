"""JSON that a person wrote: what it says, or in plain words where it is not JSON and what to write there."""

from __future__ import annotations

import json
from typing import Any

from ..._prompt.jsonvalue import as_json, parse

_OTHER_QUOTES = "'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
_CONTROL_CHARACTERS = {"\n": r"a line break within quotes must be written \n", "\t": r"a tab must be written \t"}
_SLIPS = {
    "Unterminated string": 'this text has no closing quote "',
    "Expecting ':'": "a colon is missing",
    "Expecting ','": r"a comma is missing before this, or a quote within a text must be written \"",
    "Extra data": "there is something after its end",
    "Invalid \\": r"a backslash must be written \\",
    "Invalid control": "a control character must be written as an escape, such as \\u001b",
}


def read_json(text: str) -> Any:
    """The value; raises ValueError in plain words, with the place."""
    try:
        return as_json(parse(text))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, character {error.colno}"
        raise ValueError(f"{place}: {_in_plain_words(text, error)}") from None


def _in_plain_words(text: str, error: json.JSONDecodeError) -> str:
    here = text[error.pos : error.pos + 1]
    before = text[: error.pos].rstrip()[-1:]
    if error.msg.startswith("Illegal trailing comma") or (before == "," and here in ("]", "}")):
        return "there is a comma before ] or }, which must go"
    if not text[error.pos :].strip():
        return "it ends too soon: a ] or } is missing, or all of it"
    if here in _CONTROL_CHARACTERS and error.msg.startswith("Invalid control"):
        return _CONTROL_CHARACTERS[here]
    if here in _OTHER_QUOTES:
        return 'texts and names must be in straight double quotes "'
    known = (words for slip, words in _SLIPS.items() if error.msg.startswith(slip))
    return next(known, 'this must be a text in double quotes ", a number, true, false, null, a list or an object')
