"""LockHeartbeat: who waits for a lock hears that its holder is still at it, though the fetch takes long."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Callable

from .._background import Background
from .._clock import Clock
from .._fork import renew_in_children
from .fleet_locks import Lock

FIRST_WORD_SECONDS = 0.25
WATCH_STEP_SECONDS = 0.02
_WATCH = object()


class LockHeartbeat:
    """The fetches under a lock of one client; `announce` writes into a lock in how many seconds the next word comes.

    The first one is due after a quarter of a second, and each next one when the fetch has taken twice as long.
    """

    def __init__(self, clock: Clock, announce: Callable[[Lock, float], object]) -> None:
        self._clock = clock
        self._announce = announce
        self._background = Background()
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._under_way: dict[Lock, tuple[float, float]] = {}  # since when, and when the next word is due

    @contextlib.contextmanager
    def during(self, lock: Lock) -> Iterator[None]:
        """A fetch under a lock that promises the first word."""
        now = self._clock.now()
        try:  # from here on, or an interrupt would leave it under way for ever
            self._under_way[lock] = now, now + FIRST_WORD_SECONDS
            # The watch may be about to end, and not see this one: then nothing is said of it.
            self._background.submit(_WATCH, self._watch)
            yield
        finally:
            self.end(lock)

    def end(self, lock: Lock) -> None:
        """Nothing is said of this fetch from now on."""
        # Not while it is being written: what takes the lock's place comes next, and must not be overwritten.
        with self._lock:
            self._under_way.pop(lock, None)

    def _watch(self) -> None:
        while self._under_way:
            time.sleep(WATCH_STEP_SECONDS)
            now = self._clock.now()
            for lock, (since, due_at) in list(self._under_way.items()):
                if now >= due_at:
                    self._tell(lock, since, now)

    def _tell(self, lock: Lock, since: float, now: float) -> None:
        with self._lock:
            if lock in self._under_way:
                self._under_way[lock] = since, now + (now - since)
                self._announce(lock, now - since)
