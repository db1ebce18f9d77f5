"""ForeignStore: a framework's own cache as a CacheStore."""

from __future__ import annotations

import binascii
import contextlib
import math
import pickle
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

_LONGEST = 10 * 365 * 86_400

# What such caches raise for an entry that somebody else wrote: they unpickle, and some inflate or decode it before.
_GARBAGE = (
    *(pickle.PickleError, zlib.error, binascii.Error, EOFError, ImportError),
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)


class ForeignStore:
    """What a subclass says is where the cache is, how it is asked for several keys, and what it takes for a time.

    The cache has `get`, `set` and `add` with a time in whole seconds, and `delete`. What it raises is passed on, which
    a client takes for a miss, but for garbage and for a value that it does not take.
    """

    def opened(self) -> contextlib.AbstractContextManager[Any]:
        """The cache, for one use."""
        raise NotImplementedError

    def found(self, cache: Any, keys: Sequence[str]) -> Mapping[str, Any]:
        raise NotImplementedError

    def timeout(self, cache: Any, seconds: int | None) -> int | None:
        """None is for ever."""
        raise NotImplementedError

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        with self.opened() as cache:
            try:
                found = self.found(cache, keys)
            except _GARBAGE:
                found = _readable(cache, keys)
        return {key: value for key, value in found.items() if isinstance(value, str)}

    def set(self, key: str, value: str, ttl: float | None) -> None:
        with self.opened() as cache:
            try:
                cache.set(key, value, self._whole(cache, ttl))
            except _GARBAGE:
                cache.delete(key)
                cache.set(key, value, self._whole(cache, ttl))
            except Exception:  # of any backend's; a server that still answers does not take the value: it is too large
                if not _answers(cache, key):
                    raise

    def add(self, key: str, value: str, ttl: float) -> bool:
        with self.opened() as cache:
            try:
                return bool(cache.add(key, value, self._whole(cache, ttl)))
            except _GARBAGE:
                cache.delete(key)
                return bool(cache.add(key, value, self._whole(cache, ttl)))

    def delete(self, key: str) -> None:
        with self.opened() as cache:
            cache.delete(key)

    def _whole(self, cache: Any, ttl: float | None) -> int | None:
        """Seconds, rounded up: such a cache cuts off a fraction, and what is left may be 0."""
        return self.timeout(cache, None if ttl is None else math.ceil(min(ttl, _LONGEST)))


def _readable(cache: Any, keys: Sequence[str]) -> dict[str, Any]:
    found = {}
    for key in keys:
        with contextlib.suppress(*_GARBAGE):
            found[key] = cache.get(key)
    return found


def _answers(cache: Any, key: str) -> bool:
    try:
        cache.get(key)
    except Exception:  # noqa: BLE001  # any reason will do
        return False
    return True
