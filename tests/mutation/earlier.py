"""What earlier runs have found: a run may be broken off, and the next one goes on from there."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from .trial import Result, file_of

if TYPE_CHECKING:
    from pathlib import Path

    from .changes import Mutant

NOTICED = ("killed", "timed out")


class Earlier:
    """Mutants that a test has noticed. One that survived is tried again, as are those of code or tests that changed.

    It is taken for granted that the test would still notice: what other rooms have become since may make it blind.
    """

    def __init__(self, file: Path, root: Path) -> None:
        self._file = file
        self._root = root
        self._found: dict[str, list[str]] = json.loads(file.read_text()) if file.exists() else {}

    def of(self, mutant: Mutant) -> Result | None:
        outcome, by, digest = self._found.get(_name(mutant), ("", "", ""))
        return Result(mutant, outcome, by) if digest == self._digest(mutant, by) else None

    def add(self, result: Result) -> None:
        """In the file at once: a run of an hour may end at any time."""
        if result.outcome in NOTICED:
            self._found[_name(result.mutant)] = [result.outcome, result.by, self._digest(result.mutant, result.by)]
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._found, indent=1, ensure_ascii=False))

    def _digest(self, mutant: Mutant, by: str) -> str:
        """Of the room with the mutant in it, and of the test's file."""
        test = self._root / file_of(by)
        return hashlib.sha256(mutant.source + (test.read_bytes() if test.is_file() else b"")).hexdigest()


def _name(mutant: Mutant) -> str:
    return " ".join(mutant[:3])
