"""Fork: what a forked child cannot use of its parent's is made anew in it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ._log import Log

_log = Log("scope_client.fork")


if TYPE_CHECKING:
    from typing import Protocol

    class Forkable(Protocol):
        def after_fork(self) -> None:
            """Called in the child, where no other thread runs: new locks; no thread, connection, or call under way."""


_forkables: weakref.WeakSet[Forkable] = weakref.WeakSet()
_imports = threading.RLock()
_held: dict[int, bool] = {}
_PATIENCE = 5.0
_is_watching = False


def renew_in_children(forkable: Forkable) -> None:
    """Has `after_fork` called in each child that this process forks, as long as the object lives.

    From the first client on: what no client uses cannot be in use while a process forks.
    """
    _forkables.add(forkable)
    _watch()


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """A fork waits for the end of this: a child would wait for ever for an import that its parent was at."""
    with _imports:
        yield


def _before() -> None:
    """Not for ever: the import may wait for one that the forking thread is at."""
    _held[threading.get_ident()] = _imports.acquire(timeout=_PATIENCE)


def _in_parent() -> None:
    if _held.pop(threading.get_ident()):
        _imports.release()


def _in_child() -> None:
    global _imports
    _imports = threading.RLock()
    _held.clear()
    for forkable in list(_forkables):
        try:
            forkable.after_fork()
        except Exception:  # noqa: BLE001, PERF203  # each of them, whatever the others are
            _log.exception("an object could not be made ready for use after a fork")


def _watch() -> None:
    """Once, and after `logging`: a fork has to wait for an import of ours before it takes that module's lock."""
    global _is_watching
    if _is_watching or "logging" not in sys.modules or not hasattr(os, "register_at_fork"):  # not on Windows
        return
    with _imports:
        if not _is_watching:
            _is_watching = True
            os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
