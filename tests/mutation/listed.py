"""The mutants that may live, from tests/mutants.md: a line has a place, what is changed there, and the reason."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from .workers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .changes import Mutant

FILE = ROOT / "tests" / "mutants.md"
ROOM, LINE, AND, REASON = "## ", "- ", "; ", ": "


class Listed:
    """Two changes of one place that have one reason may stand in one line: - `place`: change; change: reason."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, list[str]] = defaultdict(list)
        room = ""
        for line in text.splitlines():
            if line.startswith(ROOM):
                room = line[len(ROOM) :].strip("` ")
            elif line.startswith(LINE):
                self._lines[room].append(line)

    @property
    def rooms(self) -> list[str]:
        return list(self._lines)

    def has(self, mutant: Mutant) -> bool:
        return any(_names(line, mutant) for line in self._lines[mutant.room])

    def unknown(self, rooms: Iterable[str], mutants: Iterable[Mutant]) -> Iterator[str]:
        """The lines of these rooms that have something else than changes that are made, and a reason."""
        places: dict[tuple[str, str], list[Mutant]] = defaultdict(list)
        for mutant in mutants:
            places[mutant.room, head_of(mutant)].append(mutant)
        for room in rooms:
            heads = {head: those for (of, head), those in places.items() if of == room}
            for line in self._lines[room]:
                known = next((those for head, those in heads.items() if line.startswith(head)), [])
                if not _is_made_of(line, known):
                    yield f"{room} {line}"


def head_of(mutant: Mutant) -> str:
    return f"{LINE}`{mutant.where}`: "


def line_of(mutant: Mutant) -> str:
    """The line for this mutant alone, without a reason."""
    return f"{head_of(mutant)}{mutant.change}{REASON}".rstrip()


def _names(line: str, mutant: Mutant) -> bool:
    head = head_of(mutant)
    rest = f"{AND}{line[len(head) :]}"
    return line.startswith(head) and any(f"{AND}{mutant.change}{end}" in rest for end in (AND, REASON))


def _is_made_of(line: str, mutants: list[Mutant]) -> bool:
    """Whether the line is changes of these mutants, one after another, and then a reason."""
    if not mutants:
        return False
    rest = line[len(head_of(mutants[0])) :]
    while True:
        told = [each.change for each in mutants if rest.startswith((each.change + AND, each.change + REASON))]
        if not told:
            return False
        rest = rest[len(max(told, key=len)) :]
        if rest.startswith(REASON):
            return bool(rest[len(REASON) :].strip())
        rest = rest[len(AND) :]
