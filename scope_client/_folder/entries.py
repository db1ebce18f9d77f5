"""Entries: what a prompt folder holds, by name. One rule says which of it are prompts, and in which files.

| entry | is |
|---|---|
| `NAME.md`, or a folder `NAME/` with `v1.md`, `v2.md` and so on | the prompt NAME |
| `README.md`, `node_modules`, a name that begins with a dot | left out |
| a file with another ending | left out |

Upper and lower case makes no difference for `.md`, for `v1` and for what is left out. It does for NAME.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

_LEFT_OUT = ("readme.md", "node_modules")
_ENDING = ".md"
_NUMBERED = re.compile(r"v([1-9][0-9]*)\.md", re.IGNORECASE | re.ASCII)


def visible(folder: str) -> frozenset[str]:
    """The names of the entries that are not left out; raises OSError."""
    return frozenset(entry for entry in os.listdir(folder) if not is_left_out(entry))


def is_left_out(entry: str) -> bool:
    """Whether an entry of this name belongs to no prompt, whatever it is."""
    return entry.startswith(".") or entry.lower() in _LEFT_OUT


def names(entries: Iterable[str]) -> Iterator[str]:
    """The names of the prompts that these entries of a folder may belong to."""
    for entry in entries:
        yield entry
        stem = stem_of(entry)
        if stem is not None:
            yield stem


def stem_of(entry: str) -> str | None:
    """What comes before the ending of a prompt's file; None if the entry has another ending."""
    at = -len(_ENDING)
    return entry[:at] if entry[at:].lower() == _ENDING else None


def number_in(entry: str) -> int | None:
    """The number of the version that a file in the folder of a prompt holds; None if its name gives none."""
    found = _NUMBERED.fullmatch(entry)
    return None if found is None else int(found[1])


class Entries:
    """The visible entries of a folder."""

    def __init__(self, entries: frozenset[str] = frozenset()) -> None:
        self.all = entries
        self._alike: dict[str, list[str]] = {}
        for entry in sorted(entries):
            for name in names([entry]):
                self._alike.setdefault(name.lower(), []).append(entry)

    def has(self, name: str) -> bool:
        """Whether an entry may belong to the prompt of this name."""
        return name in self.all or any(self.files(name))

    def files(self, name: str) -> Iterator[str]:
        """`NAME.md`, in whatever case its ending is."""
        return (entry for entry in self._alike.get(name.lower(), ()) if stem_of(entry) == name)

    def rivals(self, name: str) -> Iterator[tuple[str, bool]]:
        """Entries that differ from those of this prompt in upper and lower case, and whether each must be a folder."""
        for entry in self._alike.get(name.lower(), ()):
            if name not in (entry, stem_of(entry)):
                yield entry, entry.lower() == name.lower()
