"""The uses of prompts in a Jupyter notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from .configured_calls import ConfiguredCall
from .finding import CodeFinding
from .imported_constants import ConstantsOf
from .python_uses import parsed, uses_in_python
from .seen import Seen
from .use import Place

# What IPython reads before Python does: "!ls", "files = !ls", "%time x", "?name", "name?".
_SHELL_OR_MAGIC = re.compile(
    r"^(?P<indent>[ \t]*)(?:[!%?].*|[\w., ]+=[ \t]*[!%].*|[\w.*()\[\]]+\?{1,2}[ \t]*(?:#.*)?)$", re.MULTILINE
)
_TIMED = re.compile(
    r"^([ \t]*)%(?:time|timeit|prun)\b((?:[ \t]+-\w+(?:[ \t]*\d+)?)*)[ \t]+(?=[\w(\[{\"'])", re.MULTILINE
)
_WHOLE_CELL = re.compile(r"\s*%%(\w+)")
_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "ipytest"})


class _Cell(NamedTuple):
    number: int
    """From 1, all kinds of cells counted."""
    text: str
    first_line: int
    """Of the text that all cells are together, from 1."""


def uses_in_notebook(
    octets: bytes, file: str, calls: Sequence[ConfiguredCall] = (), constants_of: ConstantsOf | None = None
) -> Seen:
    """What the cells of a notebook show, read as one module. "Magics" and shell lines are passed over.

    A cell that is not Python is a finding, and the others are read.

    Args:
        octets: The file.
        file: Its path as places give it; they say the cell too: "notebook.ipynb:cell 3".
        calls: The calls that a project configures.
        constants_of: As for `uses_in_python`.

    Raises:
        ValueError: It is not a notebook.
        RecursionError: It is nested too deeply.
    """
    cells, findings = _cells(octets, file)
    seen = uses_in_python("\n".join(cell.text for cell in cells), file, calls, constants_of)

    def placed(place: Place) -> Place:
        cell = next(cell for cell in reversed(cells) if cell.first_line <= place.line)
        return Place(f"{file}:cell {cell.number}", place.line - cell.first_line + 1, place.column)

    uses = [
        use._replace(
            place=placed(use.place), given=tuple(each._replace(place=placed(each.place)) for each in use.given)
        )
        for use in seen.uses
    ]
    return Seen(uses, [*findings, *(each._replace(place=placed(each.place)) for each in seen.findings)])


def _cells(octets: bytes, file: str) -> tuple[list[_Cell], list[CodeFinding]]:
    notebook = json.loads(octets)
    listed = notebook.get("cells", _of_third_format(notebook)) if isinstance(notebook, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is not a notebook: it has no list of cells")
    cells: list[_Cell] = []
    findings: list[CodeFinding] = []
    line = 1
    for number, cell in enumerate(listed, 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            try:
                text = _python(_source(cell))
            except SyntaxError as error:
                place = Place(f"{file}:cell {number}", error.lineno or 1, error.offset or 1)
                findings.append(CodeFinding(place, "S100", f"the cell cannot be read as Python: {error.msg}"))
                continue
            cells.append(_Cell(number, text, line))
            line += text.count("\n") + 1
    return cells, findings


def _of_third_format(notebook: dict[str, Any]) -> list[Any] | None:
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        return None
    cells = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for each in cells if isinstance(each, list) for cell in each]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _python(text: str) -> str:
    """The cell, without what is not Python, with the same lines and columns; raises SyntaxError."""
    whole = _WHOLE_CELL.match(text)
    if whole and whole[1] not in _PYTHON_CELLS:
        return "\n" * text.count("\n")
    try:
        parsed(text)
    except SyntaxError:
        text = _TIMED.sub(lambda found: f"{found[1]}0;".ljust(len(found[0])), text)
        text = _SHELL_OR_MAGIC.sub(lambda found: f"{found['indent']}pass", text)
        parsed(text)
    return text
