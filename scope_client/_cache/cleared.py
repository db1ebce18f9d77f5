"""Cleared: since when what was fetched of a single prompt is void, for all who share a store."""

from __future__ import annotations

import math
from typing import Callable

from .._clock import Clock
from .._stores.cache_store import CacheStore

CLEARED_KEY_SECONDS = 1_209_600.0  # 14 days; memcached takes what is over 30 days for a date
MAX_CLEARED_NAMES = 1000


class Cleared:
    """The times of the last `clear_cache(name)`, in milliseconds since 1970, under a key of the prompt's own.

    A store that was away when this process cleared a prompt is told later. `number_in` reads such a time.
    """

    def __init__(
        self, store: CacheStore, clock: Clock, key_of: Callable[[str], str], number_in: Callable[[object], int]
    ) -> None:
        self._store = store
        self._clock = clock
        self._key_of = key_of
        self._number_in = number_in
        self._own: dict[str, int] = {}

    def clear(self, name: str) -> None:
        """Makes what was fetched of a prompt so far void."""
        if len(self._own) >= MAX_CLEARED_NAMES:
            self._own.clear()
        self._own[name] = own = math.ceil(self._clock.wall() * 1000)
        self._tell(name, own)

    def since(self, name: str, text: object) -> float:
        """Since when, in seconds since 1970; `text` is what the store has for it. 0 for never."""
        seen, own = self._number_in(text), self._own.get(name, 0)
        if own > seen:
            self._tell(name, own)
        return max(seen, own) / 1000

    def _tell(self, name: str, own: int) -> None:
        self._store.set(self._key_of(name), str(own), CLEARED_KEY_SECONDS)
