"""SlowFetches: who waits for a lock hears that its holder is still at it, though the fetch takes longer than others."""

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

UNTOLD_SECONDS = 0.5  # before a first word, if nobody knows how long a fetch takes: half of what others are patient for
TIMES_AS_LONG = 3.0
WATCH_STEP_SECONDS = 0.02
_WATCH = object()


class SlowFetches:
    """The fetches under a lock of one client; `announce` writes into a lock how many seconds its fetch takes in all."""

    def __init__(self, clock: Clock, announce: Callable[[Lock, float], object]) -> None:
        self._clock = clock
        self._announce = announce
        self._background = Background(max_jobs=1)
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._under_way: dict[Lock, tuple[float, float]] = {}  # since when, and when others lose patience

    @contextlib.contextmanager
    def during(self, lock: Lock, takes: float | None) -> Iterator[None]:
        """A fetch of which the lock says that it takes so many seconds, None if it does not say it."""
        now = self._clock.now()
        self._under_way[lock] = now, now + (UNTOLD_SECONDS if takes is None else takes)
        # The watch may be about to end, and not see this one: then it is as slow as without.
        self._background.submit(_WATCH, self._watch)
        try:
            yield
        finally:
            # Not while it is being written: what takes the lock's place comes next, and must not be overwritten.
            with self._lock:
                self._under_way.pop(lock, None)

    def _watch(self) -> None:
        while self._under_way:
            time.sleep(WATCH_STEP_SECONDS)
            now = self._clock.now()
            for lock, (since, ends_at) in list(self._under_way.items()):
                if now >= ends_at:
                    self._tell(lock, since, (now - since) * TIMES_AS_LONG)

    def _tell(self, lock: Lock, since: float, takes: float) -> None:
        with self._lock:
            if lock in self._under_way:
                self._under_way[lock] = since, since + takes
                self._announce(lock, takes)
