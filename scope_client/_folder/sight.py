"""Sight: what is seen of a path in a prompt folder without reading it, and whether it leads out of the folder."""

from __future__ import annotations

import os
import stat
from typing import Callable, NamedTuple

from .._interrupts import pass_on
from .entries import Entry

# A file system may give two writes the same time if they are closer than this.
SAME_TIME_NANOSECONDS = 50_000_000
# A file may also be from the future, if its clock is wrong; one that is further ahead is taken as it is.
CLOCK_ERROR_NANOSECONDS = 60_000_000_000


class Sight(NamedTuple):
    """Two that are equal are of the same content. No two are equal of a file that could change with its times kept."""

    path: str
    """Where it really is: a link on the way may be replaced, and the new file may have the inode of the old one."""
    facts: tuple[int, ...] = ()
    """Size, times and inode; empty if there is nothing."""
    is_folder: bool = False
    is_outside: bool = False
    """Whether a link leads out of the folder."""


def sight_in(folder: str, entry: Entry, root: str, file_time: Callable[[], int]) -> Sight:
    """What an entry of a folder is; both folders are without links, and `file_time` returns the file system's time."""
    path = os.path.join(folder, entry.name)
    if entry.is_folder:
        return Sight(path, is_folder=True)
    if not entry.is_link:
        try:
            found = os.lstat(path)
        except OSError as error:
            pass_on(error)
            return Sight(path)
        if stat.S_ISREG(found.st_mode):
            return _sight_of(path, found, file_time, is_outside=False)
    return _followed(path, root, file_time)


def _followed(path: str, root: str, file_time: Callable[[], int]) -> Sight:
    real = os.path.realpath(path)
    is_outside = not real.startswith(os.path.join(root, ""))
    try:
        found = os.stat(real)
    except OSError as error:  # a link to nowhere, say: the reader tells what is wrong with it
        pass_on(error)
        return Sight(real, is_outside=is_outside)
    if stat.S_ISDIR(found.st_mode):
        return Sight(real, is_folder=True, is_outside=is_outside and real != root)
    return _sight_of(real, found, file_time, is_outside=is_outside)


def _sight_of(real: str, found: os.stat_result, file_time: Callable[[], int], *, is_outside: bool) -> Sight:
    changed_at, now = max(found.st_mtime_ns, found.st_ctime_ns), file_time()
    is_young = now - SAME_TIME_NANOSECONDS < changed_at < now + CLOCK_ERROR_NANOSECONDS
    times = found.st_mtime_ns, found.st_ctime_ns
    return Sight(real, (found.st_size, *times, found.st_dev, found.st_ino, now if is_young else 0), False, is_outside)
