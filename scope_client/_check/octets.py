"""Octets: what is in a file, whatever the file is: a pipe without a writer, a film, one that has vanished."""

from __future__ import annotations

import errno
import os
import stat
from typing import Callable, Optional

from .._interrupts import pass_on

MAX_TEMPLATE_BYTES = 10_000_000
_NOTHING_THERE = (errno.ENOENT, errno.ELOOP, errno.ENXIO)  # a link that leads nowhere, a socket
_OPEN_AT_ONCE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe has no writer yet

Note = Callable[[str, str], None]
"""Takes a path, and why it is not looked at."""


def octets(file: str, note: Note, most: int = MAX_TEMPLATE_BYTES) -> Optional[bytes]:
    """What is in a file.

    Args:
        file: Its path.
        note: Is called if it cannot be read, and if it is too long.
        most: From how many bytes on it is too long.

    Returns:
        The content; None for what is not a file, and after `note` was called.
    """
    try:
        opened = os.open(file, _OPEN_AT_ONCE)
        try:
            return _content(opened, file, note, most)
        finally:
            os.close(opened)
    except OSError as error:
        pass_on(error)
        error.filename = file
        note_error(note, error)
        return None


def note_error(note: Note, error: OSError) -> None:
    """Notes why the file or folder that the error names cannot be opened, unless there is nothing."""
    pass_on(error)
    if error.errno not in _NOTHING_THERE:
        note(os.fsdecode(error.filename), f"cannot be opened: {error.strerror}")


def _content(opened: int, file: str, note: Note, most: int) -> Optional[bytes]:
    facts = os.fstat(opened)
    if not stat.S_ISREG(facts.st_mode):
        return None
    if facts.st_size > most:
        note(file, f"over {most // 1_000_000} MB")
        return None
    return os.read(opened, facts.st_size + 1)  # a buffer of the whole limit costs more than the file
