"""The format of GitHub Actions: workflow commands, which it shows beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ..._foreign_text import printable
from ..counts import counted
from ..finding import CODES, CodeFinding
from ..outcome import Outcome
from ..severity import level_of, worst_first
from .repository import Located, message_in_file
from .text import further_notes, summary

SHOWN_ANNOTATIONS = 10  # GitHub shows so many of a step and a kind, and drops the others without a word
_ESCAPED_IN_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_ESCAPED_IN_PROPERTIES = {**_ESCAPED_IN_DATA, ":": "%3A", ",": "%2C"}


def github_lines(outcome: Outcome, folder: str) -> Iterator[str]:
    """Annotations, the most severe first; the tenth of a kind says how many more there are, which are lines of the log.

    Args:
        outcome: What was found.
        folder: What the paths of places are relative to.
    """
    located = Located(folder)
    annotations = [("error", command("error", {}, problem), problem) for problem in outcome.problems]
    annotations += [
        (level_of(each.code), _annotation(each, located), str(each)) for each in worst_first(outcome.findings)
    ]
    for _, each_of_a_kind in groupby(sorted(annotations, key=lambda each: each[0]), key=lambda each: each[0]):
        yield from annotations_of_a_kind(list(each_of_a_kind))
    yield summary(outcome)
    yield from further_notes(outcome)


def annotations_of_a_kind(annotations: list[tuple[str, str, str]]) -> Iterator[str]:
    more = len(annotations) - SHOWN_ANNOTATIONS
    for number, (level, annotation, line) in enumerate(annotations, 1):
        if number == SHOWN_ANNOTATIONS and more > 0:
            kind = counted(more, level)
            yield f"{annotation} (and {kind} more, which GitHub does not show here: see the log of this step)"
        else:
            yield annotation if number <= SHOWN_ANNOTATIONS else printable(line)


def _annotation(finding: CodeFinding, located: Located) -> str:
    title = f"{finding.code} {CODES[finding.code]}"
    where = {"file": located.path(finding)}
    place = located.place(finding)
    if place is not None:
        where.update(line=str(place.line), col=str(place.column))
    return command(level_of(finding.code), {**where, "title": title}, message_in_file(finding))


def command(name: str, properties: dict[str, str], message: str) -> str:
    """One workflow command.

    Args:
        name: Such as "error".
        properties: Such as the file and the line.
        message: What is shown.
    """
    given = ",".join(f"{key}={_escaped(value, _ESCAPED_IN_PROPERTIES)}" for key, value in properties.items())
    return f"::{name}{' ' if given else ''}{given}::{_escaped(message, _ESCAPED_IN_DATA)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    shown = "".join(char if char.isprintable() or char in escapes else repr(char)[1:-1] for char in text)
    return "".join(escapes.get(char, char) for char in shown)
