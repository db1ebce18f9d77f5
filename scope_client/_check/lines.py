"""Lines: which line and column an offset in a text is at."""

from __future__ import annotations

from bisect import bisect_right

from .use import Place


class Lines:
    """The places in one text.

    Args:
        text: The text, whose lines end in "\\n".
        file: The file as reports show it.
    """

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._starts = [0]
        position = text.find("\n")
        while position >= 0:
            self._starts.append(position + 1)
            position = text.find("\n", position + 1)

    def line(self, offset: int) -> int:
        return bisect_right(self._starts, offset)

    def place(self, offset: int) -> Place:
        line = self.line(offset)
        return Place(self._file, line, offset - self._starts[line - 1] + 1)


def with_plain_line_ends(text: str) -> str:
    """The text as Python reads it from a file: each line ends in "\\n"."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def on_lines(lines: Lines, start: int, end: int) -> range:
    """The lines of a part of the text, the last one included."""
    return range(lines.line(start), lines.line(max(start, end - 1)) + 1)
