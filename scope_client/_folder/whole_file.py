"""A whole file: its bytes, unless somebody is still writing it."""

from __future__ import annotations

import os
import signal
import stat
from typing import Callable, NamedTuple, Optional

from ..errors import ConfigurationError
from .sight import CLOCK_ERROR_NANOSECONDS

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]  # as it is tested for

MAX_FILE_BYTES = 16 * 1024 * 1024  # more than any answer of the platform may have
WRITING_NANOSECONDS = 2_000_000_000  # so long after its last change a file may still be empty, or open for writing
SETTLING_NANOSECONDS = 200_000_000  # the same if nobody knows who has it open
NOT_A_FILE = "is not a file; replace it, or remove it"
# Not through a link, which may have been replaced since it was looked at; and a pipe would wait for its other end.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))

FileTime = Callable[[], int]


class UnfinishedError(Exception):
    """The file is being written."""


class WholeFile(NamedTuple):
    """The bytes of a file, and its time, in seconds since 1970."""

    octets: bytes
    changed_at: float


def read_whole(path: str, file_time: Optional[FileTime] = None) -> WholeFile:
    """The file at a path without links.

    Args:
        path: Where it is.
        file_time: Returns the time of the file system, in nanoseconds since 1970; without it, a file that is being
            written is taken as it is.

    Returns:
        The file.

    Raises:
        UnfinishedError: Somebody is writing it.
        ConfigurationError: It is not a file, or is too long.
        OSError: It cannot be read.
    """
    with open(os.open(path, _FLAGS), "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise ConfigurationError(NOT_A_FILE)
        octets = file.read(MAX_FILE_BYTES + 1)
        if len(octets) > MAX_FILE_BYTES:
            raise ConfigurationError(f"is longer than {MAX_FILE_BYTES:,} bytes; make it shorter")
        if file_time is not None and _is_being_written(file.fileno(), before, file_time()):
            raise UnfinishedError
    return WholeFile(octets, before.st_mtime)


def _is_being_written(file: int, before: os.stat_result, now: int) -> bool:
    after = os.fstat(file)
    if _changes(before) != _changes(after):
        return True
    age = now - max(after.st_mtime_ns, after.st_ctime_ns)
    if not -CLOCK_ERROR_NANOSECONDS < age < WRITING_NANOSECONDS:
        return False
    if not after.st_size:
        return True
    is_open = _is_open_for_writing(file)
    return age < SETTLING_NANOSECONDS if is_open is None else is_open


def _changes(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_open_for_writing(file: int) -> bool | None:
    """Whether any process has it open for writing; None if the system does not tell, or not for another user's file.

    Linux grants a lease to read only if nobody has. Who opens the file for writing meanwhile waits until it is given
    back, and this process gets a signal: one that is ignored by default, in place of SIGIO, which would end it.
    """
    if fcntl is None or not hasattr(fcntl, "F_SETLEASE"):
        return None
    try:
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
