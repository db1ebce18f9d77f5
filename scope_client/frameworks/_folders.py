"""Folders of templates: their files, and what is in these, read as fast as 20,000 of them ask for."""

import errno
import os
import stat
from collections.abc import Iterator
from functools import partial
from typing import Callable, Optional

from .._interrupts import pass_on

MAX_TEMPLATE_BYTES = 10_000_000
FOLDERS_OF_PACKAGES = frozenset({"bower_components", "node_modules"})
_FOLDERS_OF_TOOLS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".idea", ".vscode", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"}
)
_NOTHING_THERE = (errno.ENOENT, errno.ELOOP, errno.ENXIO)  # a link that leads nowhere, a socket
_OPEN_AT_ONCE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe has no writer yet


Note = Callable[[str, str], None]
"""Takes a path, and why it is not looked at."""


def files(folder: str, note: Note) -> Iterator[tuple[str, str]]:
    """The files in a folder and below. Links to folders are followed; each folder is read once.

    Args:
        folder: Where to begin.
        note: Is called for each folder that is not looked into.

    Yields:
        The path of a file, and its name as a template's: relative to `folder`, with slashes.
    """
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True, onerror=partial(_note_error, note)):
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


def _note_error(note: Note, error: OSError) -> None:
    pass_on(error)
    if error.errno not in _NOTHING_THERE:
        note(os.fsdecode(error.filename), f"cannot be opened: {error.strerror}")


def octets(file: str, note: Note) -> Optional[bytes]:
    """What is in a file.

    Args:
        file: Its path.
        note: Is called if it cannot be read, and if it is too long to be a template.

    Returns:
        The content; None for what is not a file, and after `note` was called.
    """
    try:
        opened = os.open(file, _OPEN_AT_ONCE)
        try:
            return _content(opened, file, note)
        finally:
            os.close(opened)
    except OSError as error:
        pass_on(error)
        error.filename = file
        _note_error(note, error)
        return None


def _content(opened: int, file: str, note: Note) -> Optional[bytes]:
    facts = os.fstat(opened)
    if not stat.S_ISREG(facts.st_mode):
        return None
    if facts.st_size > MAX_TEMPLATE_BYTES:
        note(file, f"over {MAX_TEMPLATE_BYTES // 1_000_000} MB")
        return None
    return os.read(opened, facts.st_size + 1)  # a buffer of the whole limit costs more than the file
