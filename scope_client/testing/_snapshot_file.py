"""A snapshot as a file: a head, and the renderings of a test, each once; in the order in which they first happened."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable

from .._folder.escaping import path_of
from .._folder.replacing import created, identity, replaced
from .._foreign_text import printable
from .plugin import SNAPSHOT_FOLDER

SNAPSHOT_ENDING = ".md"
_MADE_BY = "Made by `scope_prompts.snapshot()`. To accept a change: `pytest --scope-snapshot-update`"
_HEAD_OF_A_PART = re.compile(r"^## .*$", re.MULTILINE)


def head_of(title: str) -> str:
    return f"# {printable(title)}\n\n{_MADE_BY}\n"


def snapshot_path(folder: str, *names: str) -> str:
    """Of the snapshot of a test, given by its name and what follows it, in the folder of the test's module."""
    name = ".".join(names).encode("utf-8", "backslashreplace").decode()
    return os.path.join(folder, *path_of(name).split("/")) + SNAPSHOT_ENDING


def folder_of(module_path: str) -> str:
    """The folder for the snapshots of a test module."""
    folder, file = os.path.split(module_path)
    return os.path.join(folder, SNAPSHOT_FOLDER, os.path.splitext(file)[0])


def parts_once(parts: Iterable[str]) -> tuple[str, ...]:
    """Each part once, which says how often it was there: how often threads do something is the same in each run."""
    times = Counter(parts)
    return tuple(part if count == 1 else _times(part, count) for part, count in times.items())


def _times(part: str, count: int) -> str:
    return _HEAD_OF_A_PART.sub(lambda head: f"{head[0]} ({count:,} times)", part, count=1)


def text_of_snapshot(title: str, parts: Iterable[str]) -> str:
    return "\n".join([head_of(title), *parts])


def is_the_same(text: str, title: str, parts: Iterable[str]) -> bool:
    """Whether a file has these parts, in any order: threads and tasks end in another order each time."""
    head = head_of(title)
    if not text.startswith(head):
        return False
    rest = text[len(head) :]
    left = sorted((f"\n{part}" for part in parts), key=len, reverse=True)
    while rest:
        found = next((part for part in left if rest.startswith(part)), None)
        if found is None:
            return False
        left.remove(found)
        rest = rest[len(found) :]
    return not left


def read_snapshot(path: str) -> str | None:
    """What the file holds, with line feeds for line ends; None if there is none."""
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace").replace("\r\n", "\n")
    except FileNotFoundError:
        return None


def write_snapshot(path: str, text: str) -> None:
    """Makes or replaces the file as a whole; raises OSError."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    octets = text.encode()
    real_path = os.path.realpath(path)
    try:
        writing = replaced(real_path, octets, was=identity(real_path))
    except FileNotFoundError:
        writing = created(real_path, octets, like=None)
    with writing:
        pass
