"""Source places: where in a text a node of its tree stands, in characters."""

from __future__ import annotations

import ast

from .use import Place


class SourcePlaces:
    """Gives the places in one file.

    Args:
        text: The file, with "\\n" at the end of each line.
        file: Its path, as places give it.
    """

    def __init__(self, text: str, file: str) -> None:
        self._lines = text.split("\n")
        self._file = file

    def of(self, node: ast.AST) -> Place:
        """The place where a node begins.

        Args:
            node: The node of the tree.
        """
        line: int = getattr(node, "lineno", 1)
        octets: int = getattr(node, "col_offset", 0)  # of UTF-8
        written = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        if written.isascii():
            return Place(self._file, line, octets + 1)
        before = written.encode("utf-8", "surrogatepass")[:octets]
        return Place(self._file, line, len(before.decode("utf-8", "ignore")) + 1)

    def at(self, line: int, column: int) -> Place:
        """A place in the file.

        Args:
            line: From 1.
            column: From 1, in characters.
        """
        return Place(self._file, line, column)
