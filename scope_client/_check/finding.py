"""Finding: something that is wrong, at a place, with a code that does not change."""

from __future__ import annotations

from typing import NamedTuple

from .use import Place

CODES = {
    "S100": "file, or comment for the check, that cannot be read",
    "S101": "unknown prompt",
    "S102": "unknown variable",
    "S103": "missing variable",
    "S104": "label or version that is not there",
    "S105": "wrong type of prompt",
    "S106": "drift from the lock",
    "S107": "tag that Django prints as text",
    "S108": "known only at run time",
}
"""What each code means. They are stable: people write them into comments and baselines."""


class CodeFinding(NamedTuple):
    """One finding of `scope check`."""

    place: Place
    code: str
    message: str
    """One sentence, with the nearest right name after a semicolon where there is one."""
    prompt: str | None = None
    """The prompt that it is about."""
    subject: str = ""
    """The variable, label or the like that it is about. With `prompt`, `code`, the file and `within`, it is the
    identity of the finding, which outlives shifted lines."""
    within: str = ""
    """The function or class around it."""

    def __str__(self) -> str:
        return f"{self.place} {self.code} {self.message}"
