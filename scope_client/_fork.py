"""Fork: what a forked child cannot use of its parent's is made anew in it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Protocol

from ._log import Log

_log = Log("scope_client.fork")


class Forkable(Protocol):
    """What has something that a forked child cannot use."""

    def after_fork(self) -> None:
        """Called in the child, where no other thread runs: new locks; no thread, connection or call under way."""


IMPORT_PATIENCE_SECONDS = 5.0
_forkables: weakref.WeakSet[Forkable] = weakref.WeakSet()
_imports = threading.RLock()
_held: dict[int, bool] = {}
_is_watching = False


def renew_in_children(forkable: Forkable) -> None:
    """Has `after_fork` called in each child that this process forks, as long as the object lives.

    Whatever makes a lock, a thread or a connection registers itself here: there is no list to keep by hand.
    """
    _forkables.add(forkable)
    _watch()


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """A fork waits for the end of this import: a child would wait for ever for one that its parent was at.

    If the import fails, or an interrupt strikes in it, the next one begins anew.
    """
    _watch()  # the import may be that of the first client: nothing is registered before it
    with _imports:
        before = set(sys.modules)
        try:
            yield
        except BaseException:
            _drop_orphans(before)
            raise


def _drop_orphans(before: set[str]) -> None:
    """Takes out what has been imported of a package that is not there itself.

    A package whose import fails leaves its submodules behind. The next import of it does not set them as its
    attributes, because they are there already: urllib3 stays without `urllib3.util` for the life of the process.
    """
    for name in set(sys.modules) - before:
        parts = name.split(".")
        if not all(".".join(parts[:depth]) in sys.modules for depth in range(1, len(parts))):
            sys.modules.pop(name, None)


def _before() -> None:
    # Not for ever: the import that is waited for may itself wait for a module that the forking thread is importing.
    _held[threading.get_ident()] = _imports.acquire(timeout=IMPORT_PATIENCE_SECONDS)


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
    """Once, and after `logging`, whose own fork hook takes its locks.

    Hooks before a fork run in the reverse order of their registration. Ours waits for an import, and that import may
    log: so it has to run before the hook that takes the locks of `logging`.
    """
    global _is_watching
    if _is_watching or "logging" not in sys.modules or not hasattr(os, "register_at_fork"):  # not on Windows
        return
    with _imports:
        if not _is_watching:
            _is_watching = True
            os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
