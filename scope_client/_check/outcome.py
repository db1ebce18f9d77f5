"""Outcome: what a check found, as every format tells it."""

from __future__ import annotations

from typing import NamedTuple

from .comparison import Unchecked
from .finding import CodeFinding


class BaselineEntry(NamedTuple):
    """The identity of a finding, which outlives shifted lines."""

    file: str
    """The file, without the cell of a notebook."""
    code: str
    """One of `CODES`."""
    prompt: str
    """The prompt that it is about, or ""."""
    subject: str
    """The variable, label or the like that it is about."""
    within: str
    """The function or class around it."""

    def __str__(self) -> str:
        about = " ".join(filter(None, [self.prompt, self.subject]))
        return f"{self.file} {self.code}{f' ({about})' if about else ''}"


class Outcome(NamedTuple):
    """The three piles of a check, and what was looked at."""

    findings: tuple[CodeFinding, ...]
    """What is wrong, sorted by file, line, column and code."""
    unchecked: tuple[Unchecked, ...] = ()
    """What is known only at run time."""
    checked: int = 0
    """How many uses were compared."""
    prompts: int = 0
    """How many prompts these ask for."""
    files: int = 0
    """How many files were looked at."""
    against: str = "the platform"
    """What uses were compared with."""
    ignored: int = 0
    """How many findings comments ignore."""
    known: int = 0
    """How many findings the baseline has."""
    outdated: tuple[BaselineEntry, ...] = ()
    """The entries of the baseline that no longer apply."""
    notes: tuple[str, ...] = ()
    """What else is to be said, such as what was not looked at."""
    problems: tuple[str, ...] = ()
    """What is wrong with no place in a file, such as a setting."""

    @property
    def is_clean(self) -> bool:
        return not self.findings and not self.problems


def identity_of(finding: CodeFinding) -> BaselineEntry:
    """What tells a finding from others, whatever its line."""
    file, _ = notebook_and_cell(finding.place.file)
    return BaselineEntry(file, finding.code, finding.prompt or "", finding.subject, finding.within)


def notebook_and_cell(file: str) -> tuple[str, str]:
    """The file of a place, and the cell of a notebook such as "cell 3", or ""."""
    path, colon, cell = file.rpartition(":")
    is_cell = bool(colon) and cell.startswith("cell ") and cell[len("cell ") :].isdigit()
    return (path, cell) if is_cell else (file, "")
