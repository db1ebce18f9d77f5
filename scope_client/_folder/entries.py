"""Entries: what a folder of prompts holds, by name. One rule says which of it are prompts, and in which files.

| entry | is |
|---|---|
| `NAME.md`, or a folder `NAME/` with `v1.md`, `v2.md` and so on | the prompt NAME |
| the same in a folder `A/` | the prompt A/NAME |
| `README.md`, `node_modules`, a name that begins with a dot | left out |
| a file with another ending | left out |

Upper and lower case makes no difference for `.md`, for `v1` and for what is left out. It does for NAME.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from .escaping import is_like_a_version, read_last_part, read_part

_LEFT_OUT = ("readme.md", "node_modules")
_ENDING = ".md"
_NUMBERED = re.compile(r"v([1-9][0-9]*)\.md", re.IGNORECASE | re.ASCII)


Facts = tuple[str, bool, bool]


class Entry(NamedTuple):
    """One of a folder, by its name there."""

    name: str
    is_folder: bool = False
    is_link: bool = False
    """Then what it leads to may be a folder or not."""

    @property
    def may_be_folder(self) -> bool:
        """Whether there may be others in it."""
        return self.is_folder or self.is_link


def visible(folder: str) -> frozenset[Facts]:
    """The names of the entries that are not left out, with whether each is a folder or a link; raises OSError."""
    with os.scandir(folder) as entries:
        # A folder of thousands is listed at each look: what costs a call of Python here is felt.
        return frozenset(
            [
                (entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink())
                for entry in entries
                if entry.name[0] != "." and entry.name.lower() not in _LEFT_OUT
            ]
        )


def is_left_out(entry: str) -> bool:
    """Whether an entry of this name belongs to no prompt, whatever it is."""
    return entry.startswith(".") or entry.lower() in _LEFT_OUT


def stem_of(entry: str) -> str | None:
    """What comes before the ending of a prompt's file; None if the entry has another ending."""
    at = -len(_ENDING)
    return entry[:at] if entry[at:].lower() == _ENDING else None


def number_in(entry: str) -> int | None:
    """The number of the version that a file in the folder of a prompt holds; None if its name gives none."""
    found = _NUMBERED.fullmatch(entry)
    return None if found is None else int(found[1])


class Entries:
    """The visible entries of a folder, by what they stand for in the names of prompts."""

    def __init__(self, entries: frozenset[Facts] = frozenset()) -> None:
        self.all = entries
        self.ordered = [Entry(*facts) for facts in sorted(entries)]
        self.going_on: list[tuple[str, Entry]] = []
        """Folders whose names go on in those in them, with what they stand for."""
        self.versions: list[Entry] = []
        """Files that hold versions of the prompt of this folder, or that people may take for one."""
        self._files: dict[str, list[Entry]] = {}
        self._folders: dict[str, list[Entry]] = {}
        self._parents: dict[str, list[Entry]] = {}
        self._alike: dict[str, list[Entry]] = {}
        for entry in self.ordered:
            stem = stem_of(entry.name)
            if stem is not None and not entry.is_folder:
                self._files.setdefault(read_last_part(stem), []).append(entry)
                if is_like_a_version(stem):
                    self.versions.append(entry)
                self._alike.setdefault(stem.lower(), []).append(entry)
            if entry.may_be_folder:
                self._add_folder(entry)

    def _add_folder(self, entry: Entry) -> None:
        self._folders.setdefault(read_last_part(entry.name), []).append(entry)
        self._alike.setdefault(entry.name.lower(), []).append(entry)
        goes_on, text = read_part(entry.name)
        if goes_on:
            self.going_on.append((text, entry))
        else:
            self._parents.setdefault(text, []).append(entry)

    def files(self, name: str) -> list[Entry]:
        """`NAME.md`, in whatever case its ending is, and however NAME is escaped."""
        return self._files.get(name, [])

    def folders(self, name: str) -> list[Entry]:
        """`NAME/`, or links that may be one."""
        return self._folders.get(name, [])

    def parents(self, name: str) -> Iterator[tuple[Entry, str]]:
        """The folders in which the rest of a name is to be looked for, and that rest."""
        at = name.find("/") if self._parents else -1
        while at >= 0:
            for entry in self._parents.get(name[:at], ()):
                yield entry, name[at + 1 :]
            at = name.find("/", at + 1)
        for text, entry in self.going_on:
            if name.startswith(text):
                yield entry, name[len(text) :]

    def alike(self, entry: Entry) -> list[Entry]:
        """Other entries whose names, without an ending, differ from that of this one in upper and lower case alone."""
        name = _bare(entry)
        return [each for each in self._alike.get(name.lower(), ()) if _bare(each) != name]


def _bare(entry: Entry) -> str:
    return entry.name if entry.is_folder else stem_of(entry.name) or entry.name
