"""PromptCache: what is fresh is answered without a lock; what is not is fetched once for all who ask."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Callable

from .clock import Clock
from .flight import Flights
from .prompt import CacheKey, PromptRef, PromptVersion
from .stores import Entry, MemoryStore


class PromptCache:
    """Versions by ref; `ttl` is in seconds."""

    def __init__(self, *, ttl: float, max_size: int, clock: Clock) -> None:
        self._ttl = ttl
        self._clock = clock
        self._lock = threading.RLock()  # a signal handler may clear in the middle of keeping
        self._store = MemoryStore(max_size)
        self._generation = 0
        self._flights: Flights[PromptVersion] = Flights()

    @property
    def entries(self) -> Mapping[CacheKey, Entry]:
        """What is kept, fresh or not, for readers without a lock; always the same object."""
        return self._store.entries

    def get(self, ref: PromptRef, fetch: Callable[[], PromptVersion], ttl: float | None = None) -> PromptVersion:
        """A fresh version, from here or from `fetch()`; its error reaches all who wait for it, and nothing is lost.

        A `ttl` of the caller's is the age up to which it takes a version. What was fetched for it is fresh for the
        others as long as both that and the cache's own allow.
        """
        key = ref.key
        generation = self._generation

        def load() -> PromptVersion:
            return self._fresh(key, ttl) or self._keep(key, fetch(), ttl, generation)

        return self._fresh(key, ttl) or self._flights.run((generation, key), load)

    def clear(self) -> None:
        """Forgets every entry; a fetch that is under way now does not bring its own back."""
        with self._lock:
            self._generation += 1
            self._store.clear()

    def _fresh(self, key: CacheKey, max_age: float | None) -> PromptVersion | None:
        entry = self._store.entries.get(key)
        now = self._clock.now()
        if entry is None or now >= (entry.expires_at if max_age is None else entry.fetched_at + max_age):
            return None
        entry.read_at = now
        return entry.version

    def _keep(self, key: CacheKey, version: PromptVersion, ttl: float | None, generation: int) -> PromptVersion:
        now = self._clock.now()
        with self._lock:
            if generation == self._generation:
                self._store[key] = Entry(key, version, now, now + (self._ttl if ttl is None else min(ttl, self._ttl)))
        return version
