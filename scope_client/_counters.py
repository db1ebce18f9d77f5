"""Counters: what a client counts, its last error, and what it tells of its cache."""

from __future__ import annotations

import threading

from . import _telemetry as telemetry
from ._clock import Clock
from ._fork import renew_in_children
from ._prompt.ref import PromptRef
from .errors import ScopeError

_COUNTED_AS = {
    "refresh": "refreshes",
    "changed": "changes",
    "stale": "stale",
    "fallback": "fallbacks",
    "evicted": "evictions",
    "unfit": "unfit",
}
COUNTED = ("fetches", "errors", *_COUNTED_AS.values())


class Counters:
    """Counts from the making of a client on; `is_telling` if events of the cache go to the callbacks of Telemetry."""

    def __init__(self, clock: Clock, *, is_telling: bool) -> None:
        self._clock = clock
        self._is_telling = is_telling
        self._counts = dict.fromkeys(COUNTED, 0)
        self.last_error: str | None = None
        self._last_error_at = 0.0
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def cache_event(
        self,
        outcome: telemetry.Outcome,
        ref: PromptRef,
        age: float | None,
        *,
        old: str | None = None,
        new: str | None = None,
    ) -> None:
        """Counts and tells what the cache decided; `age` is that of the version, in seconds."""
        self.count(_COUNTED_AS[outcome])
        if self._is_telling and telemetry.cache.callbacks:
            telemetry.cache.emit(telemetry.CacheInfo(ref.name, outcome, age, old, new))

    def failed(self, error: ScopeError) -> None:
        """A fetch ended in this error, whether a reader gets to see it or not."""
        # The text and not the error, whose frames would keep everything alive that the fetch had in hand.
        self.last_error, self._last_error_at = f"{type(error).__name__}: {error}", self._clock.now()
        self.count("errors")

    @property
    def counts(self) -> dict[str, int]:
        return dict(self._counts)

    @property
    def last_error_age(self) -> float | None:
        """Seconds since the last error, None if there was none."""
        return None if self.last_error is None else self._clock.now() - self._last_error_at
