"""One at a time: one process at a time changes the files of a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

from .._interrupts import pass_on
from .._wording import shown
from ..errors import ConfigurationError

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]  # as it is tested for

WINDOWS_LOCK_NAME = ".scope-pull.lock"


@contextlib.contextmanager
def alone_in(folder: str) -> Iterator[None]:
    """Makes the folder if it is not there. While the block runs, no other process changes it in this way.

    Raises ConfigurationError if another one does.
    """
    made = _make_folders(folder)
    try:
        with contextlib.ExitStack() as opened:
            try:
                opened.enter_context(_locked(folder))
            except (BlockingIOError, FileExistsError):
                raise ConfigurationError(
                    f"another process is pulling into {shown(folder)}; try again when it has ended"
                ) from None
            yield
    finally:
        _remove_if_empty(made)


def _make_folders(folder: str) -> list[str]:
    """Those that were not there, the innermost first."""
    missing = []
    there = folder
    while there and not os.path.isdir(there):
        missing.append(there)
        there = os.path.dirname(there)
    os.makedirs(folder, exist_ok=True)
    return missing


def _remove_if_empty(folders: Iterable[str]) -> None:
    for each in folders:
        with contextlib.suppress(OSError):
            os.rmdir(each)


@contextlib.contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Until the process ends, however it does. A file system that cannot lock lets everybody in."""
    if os.name == "nt":
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_TEMPORARY", 0)
        opened = os.open(os.path.join(folder, WINDOWS_LOCK_NAME), flags)
    else:
        opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            if fcntl is not None:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            pass_on(error)
        yield
    finally:
        os.close(opened)
