"""Foreign text: what the platform, a store, a file or a caller wrote, made fit to be read by people.

A line break in it would forge a line of a log, and an escape sequence would be obeyed by a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LONGEST_SHOWN_CHARACTERS = 1000
_LEFT_IN_LINES = "\n\t"


def printable(text: str, longest: int = LONGEST_SHOWN_CHARACTERS) -> str:
    r"""The text in one line, cut to `longest` characters; what is not printable is escaped, such as \n and \x1b."""
    shown = text[: longest + 1]  # before the work: the text may be as long as somebody else likes
    if not shown.isprintable():
        shown = "".join([char if char.isprintable() else _escaped(char) for char in shown])
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."


def printable_values(values: Iterable[object], longest: int = LONGEST_SHOWN_CHARACTERS) -> list[Any]:
    """Numbers as they are, a list or a tuple as a list of the same, and the text of all else as `printable`."""
    return [_printable_value(value, longest) for value in values]


def printable_lines(text: str) -> str:
    """The whole text, with its line breaks and tabs, but without anything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join([char if char.isprintable() or char in _LEFT_IN_LINES else _escaped(char) for char in text])


def writable(text: str) -> str:
    """The whole text; only what UTF-8 cannot hold is escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def in_json(text: str) -> str:
    """JSON text of the same meaning, which holds no character that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join([char if char.isprintable() or char == "\n" else _escaped_in_json(char) for char in text])


def _printable_value(value: object, longest: int) -> Any:
    if isinstance(value, (int, float)):
        return value
    return printable_values(value, longest) if isinstance(value, (list, tuple)) else printable(str(value), longest)


def _escaped(char: str) -> str:
    return ascii(char)[1:-1]


def _escaped_in_json(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join([f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2)])
