"""Notebook lines: where a line of a cell is in the file, whose JSON is what GitHub and SARIF point at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from ..octets import octets

MAX_NOTEBOOK_BYTES = 100_000_000


class InFile(NamedTuple):
    """A place in the JSON of a notebook."""

    line: int
    column: int


def place_in_notebook(path: str, cell: int, line: int, column: int) -> Optional[InFile]:
    """Where in its file a place of a cell is; None if the file is not as it was.

    Args:
        path: The notebook.
        cell: The number of the cell, from 1.
        line: The line in it, from 1.
        column: The character in that line, from 1.
    """
    content = octets(path, lambda path, why: None, MAX_NOTEBOOK_BYTES)
    try:
        text = (content or b"").decode("utf-8-sig")
        cells = json.loads(text)["cells"]
        at = 0
        for number, each in enumerate(cells[:cell], 1):
            for found in _pieces(each["source"]):
                at, written = _next(text, found, at)
                before = _before(found, line, column) if number == cell else None
                if before is not None:
                    return _place(text, at + len(_as_json(before, written)) - 1)
                line -= found.count("\n") if number == cell else 0
                at += len(written)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return None


def _pieces(source: Any) -> Iterator[str]:
    """The texts of a cell as the file writes them: one for each line, or one for all."""
    yield from [source] if isinstance(source, str) else source


def _next(text: str, piece: str, start: int) -> tuple[int, str]:
    """Where a text begins in the file, with its quotes, and how it is written; raises ValueError if it is not there."""
    ways = (json.dumps(piece, ensure_ascii=False), json.dumps(piece))
    found = [(text.find(way, start), way) for way in ways]
    return min((at, way) for at, way in found if at >= 0)


def _before(piece: str, line: int, column: int) -> Optional[str]:
    """What of a text stands before a place that is in it."""
    lines = piece.splitlines(keepends=True)
    if line > len(lines):
        return None
    return "".join(lines[: line - 1]) + lines[line - 1][: column - 1]


def _as_json(text: str, written: str) -> str:
    return json.dumps(text, ensure_ascii=written.isascii())


def _place(text: str, offset: int) -> InFile:
    return InFile(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
