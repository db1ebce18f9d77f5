"""MemoryStore: a CacheStore for a single process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

from .._clock import SYSTEM_CLOCK
from .._fork import held_back, renew_in_children
from .._frozen import CopiedAsItself
from .._wording import shown
from ..errors import ConfigurationError

_Kept = tuple[str, Optional[float]]


class MemoryStore(CopiedAsItself):
    """A CacheStore in this process, for several clients of it, or for tests; a forked child starts with an empty one.

    Args:
        maxsize: How many entries it keeps; when it is full, the least recently read one goes.
        timer: Returns monotonic seconds.

    Raises:
        ConfigurationError: `maxsize` is not a whole number from 1 up.
    """

    def __init__(self, maxsize: int = 10_000, *, timer: Callable[[], float] = SYSTEM_CLOCK.now) -> None:
        if not isinstance(maxsize, int) or maxsize < 1:
            raise ConfigurationError(f"maxsize must be a whole number from 1 up, got {shown(maxsize)}")
        self._maxsize = maxsize
        self._timer = timer
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        """Called in a forked child: it starts empty."""
        with held_back():
            import cachetools

        self._lock = threading.RLock()
        self._kept: Any = cachetools.TLRUCache(self._maxsize, ttu=_ends_at, timer=self._timer)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        """As in CacheStore."""
        with self._lock:
            found = {key: self._kept.get(key) for key in keys}
        return {key: kept[0] for key, kept in found.items() if kept is not None}

    def set(self, key: str, value: str, ttl: Optional[float]) -> None:
        """As in CacheStore."""
        with self._lock:
            self._kept[key] = (value, ttl)

    def add(self, key: str, value: str, ttl: float) -> bool:
        """As in CacheStore."""
        with self._lock:
            if key in self._kept:
                return False
            self._kept[key] = (value, ttl)
        return True

    def delete(self, key: str) -> None:
        """As in CacheStore."""
        with self._lock:
            self._kept.pop(key, None)


def _ends_at(key: str, kept: _Kept, now: float) -> float:
    ttl = kept[1]
    return float("inf") if ttl is None else now + ttl
