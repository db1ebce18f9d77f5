"""Report: what a command found, as lines for people and as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

from .._check.counts import counted as counted
from .._foreign_text import in_json, printable, printable_lines
from .._redaction import Redaction

LONGEST_LINE_CHARACTERS = 10_000


class Finding(NamedTuple):
    """Something that is wrong."""

    message: str
    """What is wrong, in one line."""
    file: Optional[str] = None
    """The template that is at fault, or None if no template is."""
    line: Optional[int] = None
    """The line in that template, or None if it is not known."""

    def __str__(self) -> str:
        place = "" if self.file is None else f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return place + self.message

    def to_dict(self) -> dict[str, Any]:
        """The fields by their names."""
        return self._asdict()


class Report:
    """What a command prints, and whether it succeeded.

    Attributes:
        lines: What people read, each made printable unless it `is_content`.
        data: What programs read: a JSON object.
        failure: One line that says why the command did not succeed, or None.
        note: One line about the result that is not a part of it, or None.
        is_content: Whether the lines are the text of a prompt, which a program gets to the byte.
    """

    def __init__(
        self,
        lines: Sequence[str],
        data: Mapping[str, Any],
        failure: Optional[str] = None,
        note: Optional[str] = None,
        *,
        is_content: bool = False,
    ) -> None:
        self.lines: tuple[str, ...] = tuple(lines)
        self.data: dict[str, Any] = dict(data)
        self.failure = failure
        self.note = note
        self.is_content = is_content

    def text(self, *, as_json: bool = False, encoding: Optional[str] = None, is_terminal: bool = False) -> str:
        """What to print.

        Args:
            as_json: Whether to print `data` instead of `lines`.
            encoding: The encoding of the terminal; UTF-8 if None.
            is_terminal: Whether a terminal shows it, which would obey escape sequences in the text of a prompt.

        Returns:
            The text. A character that the encoding does not have is shown by its code point.
        """
        text = indented(self.data) if as_json else "\n".join(self._shown_lines(is_terminal))
        return text.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")

    def _shown_lines(self, is_terminal: bool) -> Sequence[str]:
        if not self.is_content:
            return [printable(line, LONGEST_LINE_CHARACTERS) for line in self.lines]
        return list(map(printable_lines, self.lines)) if is_terminal else self.lines


def indented(data: Mapping[str, Any]) -> str:
    """The object as JSON over several lines, its letters as they are."""
    return in_json(json.dumps(data, indent=2, ensure_ascii=False))


def explained(error: Optional[BaseException]) -> str:
    """The class of an error, and its message, without the user name and password of any URL."""
    return printable_lines(Redaction(()).text(f"{type(error).__name__}: {error}"))
