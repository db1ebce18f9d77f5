"""JSON values: what is one, the same for answers, files, stores and what a caller gives.

| what comes | what it is here |
|---|---|
| NaN, Infinity, a number beyond the range of a double (1e999), or one of over 308 characters | refused |
| a value nested more than 200 deep | refused |
| a value that JSON does not have, such as a date or a set, or a name that is not text | refused |
| half of a surrogate pair in a text, which no UTF-8 can hold | U+FFFD |
| a name that comes twice in an object | the last one counts |
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

MAX_JSON_DEPTH = 200
MAX_NUMBER_CHARACTERS = 308  # a double has no more digits before its point
_LARGEST_WHOLE_NUMBER = 10**MAX_NUMBER_CHARACTERS


class DepthError(ValueError):
    """The value is nested more than 200 deep: code that walks it later could run out of stack."""


def parse(text: str | bytes) -> Any:
    """The value of a JSON text, as `as_json` would copy it.

    Raises ValueError for text that is not JSON, DepthError for one that is too deep.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    try:
        value = _DECODER.decode(well_formed(text))
    except RecursionError:
        raise ValueError("deeper than Python can read") from None
    # Only a text with more brackets than that can be too deep; counting them is far quicker than walking the value.
    if text.count("[") + text.count("{") > MAX_JSON_DEPTH and _is_too_deep(value):
        raise DepthError(f"nested more than {MAX_JSON_DEPTH} deep")
    # So is looking for an escape, the only way to write half of a surrogate pair in well-formed text.
    has_halves = "\\" in text and ("\\ud" in text or "\\uD" in text)
    return as_json(value) if has_halves else value


def as_json(value: object, depth: int = MAX_JSON_DEPTH) -> Any:
    """A copy of the value as JSON has it, `depth` levels deep at the most; raises ValueError for what JSON has not."""
    if isinstance(value, str):
        return well_formed(value)
    if value is None or isinstance(value, bool) or is_number(value):
        return value
    # `dict` comes first: to ask an abstract class takes longer than all the rest.
    if depth == 0 and isinstance(value, (dict, list, tuple, Mapping)):
        raise DepthError(f"a value nested more than {MAX_JSON_DEPTH} deep")
    if isinstance(value, (dict, Mapping)):
        return {_name(name): as_json(each, depth - 1) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(each, depth - 1) for each in value]
    kind = type(value).__name__
    raise ValueError(
        f"a {kind} that JSON cannot hold" if isinstance(value, (int, float)) else f"a value of the type {kind}"
    )


def is_number(value: object) -> bool:
    """Whether JSON has this number."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and -_LARGEST_WHOLE_NUMBER < value < _LARGEST_WHOLE_NUMBER


def well_formed(text: str) -> str:
    """The text with U+FFFD in the place of each half of a surrogate pair, which no UTF-8 can hold."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


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


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise ValueError(f"an object with a name of the type {type(name).__name__}")
    return well_formed(name)


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _int(digits: str) -> int:
    return int(_short(digits))


def _float(text: str) -> float:
    number = float(_short(text))
    if not math.isfinite(number):
        raise ValueError("a number beyond the range of a double")
    return number


def _short(number: str) -> str:
    """Before the work, which grows faster than the number does."""
    if len(number.lstrip("-")) > MAX_NUMBER_CHARACTERS:
        raise ValueError(f"a number of over {MAX_NUMBER_CHARACTERS} characters")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refused, parse_float=_float, parse_int=_int)
