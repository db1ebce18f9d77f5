"""Folders of templates: their files, listed as fast as 20,000 of them ask for."""

import os
from collections.abc import Iterator
from functools import partial

from .._check.octets import Note, note_error

FOLDERS_OF_PACKAGES = frozenset({"bower_components", "node_modules"})
_FOLDERS_OF_TOOLS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".idea", ".vscode", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"}
)


def files(folder: str, note: Note) -> Iterator[tuple[str, str]]:
    """The files in a folder and below. Links to folders are followed; each folder is read once.

    Args:
        folder: Where to begin.
        note: Is called for each folder that is not looked into.

    Yields:
        The path of a file, and its name as a template's: relative to `folder`, with slashes.
    """
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=partial(note_error, note)):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        for each in sorted(FOLDERS_OF_PACKAGES.intersection(folders)):
            note(os.path.join(parent, each, ""), "a folder of packages")
        folders[:] = sorted(each for each in folders if each not in FOLDERS_OF_PACKAGES | _FOLDERS_OF_TOOLS)
        below = "" if parent == folder else os.path.relpath(parent, folder).replace(os.sep, "/") + "/"
        for name in sorted(names):
            yield os.path.join(parent, name), below + name
