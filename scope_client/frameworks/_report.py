"""Report: what a command found, as lines for people and as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional


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
        lines: What people read.
        data: What programs read: a JSON object.
        failure: One line that says why the command did not succeed, or None.
        note: One line about the result that is not a part of it, or None.
    """

    def __init__(
        self,
        lines: Sequence[str],
        data: Mapping[str, Any],
        failure: Optional[str] = None,
        note: Optional[str] = None,
    ) -> None:
        self.lines = tuple(lines)
        self.data = dict(data)
        self.failure = failure
        self.note = note

    def text(self, *, as_json: bool = False, encoding: Optional[str] = None) -> str:
        """What to print.

        Args:
            as_json: Whether to print `data` instead of `lines`.
            encoding: The encoding of the terminal; UTF-8 if None.

        Returns:
            The text. A character that the encoding does not have is shown by its code point.
        """
        text = indented(self.data) if as_json else "\n".join(self.lines)
        return text.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")


def indented(data: Mapping[str, Any]) -> str:
    """The object as JSON over several lines, its letters as they are."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def explained(error: Optional[BaseException]) -> str:
    """The class of an error, and its message."""
    return f"{type(error).__name__}: {error}"


def counted(number: int, noun: str) -> str:
    """Such as "1 prompt" and "2 prompts"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
