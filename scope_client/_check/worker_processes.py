"""Worker processes: they look at files together, each at a share. Without them one process does all of it."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, Optional

from .configured_calls import ConfiguredCall
from .files import File
from .look import Looked, look
from .modules import Leaning, Modules

MOST_PROCESSES = 8
_BYTES_WORTH_A_PROCESS = 600_000
_FILES_WORTH_A_PROCESS = 200
_OBJECTS_BEFORE_A_COLLECTION = 50_000


class Seeing(NamedTuple):
    """What a file showed, and which modules that rests on."""

    looked: Looked
    leanings: frozenset[Leaning]


class Task(NamedTuple):
    """What to do with each file."""

    calls: tuple[ConfiguredCall, ...]
    here: str


def look_at_all(files: Sequence[File], task: Task, processes: Optional[int] = None) -> list[Seeing]:
    """What each file shows, in the order of the files.

    Args:
        files: The files.
        task: What to do with each.
        processes: How many processes share the work; None for as many as are worth it.
    """
    number = _worthwhile(files) if processes is None else min(processes, len(files))
    if number < 2:
        return _look_at(files, task)
    shares = [files[first::number] for first in range(number)]
    found: list[list[Seeing]] = [[] for _ in shares]
    with contextlib.ExitStack() as stack:
        helpers = [stack.enter_context(_helper(share, task)) for share in shares[1:]]
        found[0] = _look_at(shares[0], task)
        for place, (share, helper) in enumerate(zip(shares[1:], helpers), 1):
            found[place] = _received(helper) or _look_at(share, task)
    together: list[Seeing] = [found[place % number][place // number] for place in range(len(files))]
    return together


def _worthwhile(files: Sequence[File]) -> int:
    try:
        processors = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        processors = os.cpu_count() or 1
    octets = sum(file.size for file in files)
    shares = max(octets // _BYTES_WORTH_A_PROCESS, len(files) // _FILES_WORTH_A_PROCESS)
    return min(processors, MOST_PROCESSES, shares)


def _look_at(files: Sequence[File], task: Task) -> list[Seeing]:
    modules = Modules(task.here)
    found = []
    with _few_collections():
        for file in files:
            leanings: set[Leaning] = set()
            looked = look(file, task.calls, modules.constants_for(file.path, leanings))
            found.append(Seeing(looked, frozenset(leanings)))
    return found


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """A tree of Python has more objects than the collector waits for, so that it would look through each many times."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BEFORE_A_COLLECTION, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


@contextlib.contextmanager
def _helper(files: Sequence[File], task: Task) -> Iterator[Optional[Connection]]:
    """A process that looks at these files; None if there can be none here."""
    process: Optional[BaseProcess] = None
    ours: Optional[Connection] = None
    try:
        try:
            context: Any = multiprocessing.get_context(_way_to_start())
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_help, args=(theirs, files, task), daemon=True)
            process.start()
            theirs.close()
        except (OSError, ValueError, RuntimeError, AssertionError, ImportError):
            ours = process = None
        yield ours
    finally:
        if process is not None:
            process.terminate()
            process.join()
        if ours is not None:
            ours.close()


def _way_to_start() -> Optional[str]:
    """A fork starts at once. With other threads it may come to a standstill, and elsewhere it is not the custom."""
    is_linux = os.uname().sysname == "Linux" if hasattr(os, "uname") else False
    if is_linux:
        return "fork" if threading.active_count() == 1 else "spawn"
    return None


def _help(connection: Connection, files: Sequence[File], task: Task) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # who interrupts the check has its process say so, and not this one
    with contextlib.suppress(BrokenPipeError):
        connection.send(_look_at(files, task))
        connection.close()


def _received(helper: Optional[Connection]) -> list[Seeing]:
    """What a helper found; nothing if it has come to an end, as one does that the system kills for its memory."""
    if helper is None:
        return []
    try:
        found: list[Seeing] = helper.recv()
    except (EOFError, OSError):
        return []
    return found
