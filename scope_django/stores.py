"""DjangoStore: Django's cache framework as a CacheStore."""

from __future__ import annotations

import binascii
import contextlib
import math
import pickle
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.cache import BaseCache, caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections

_LONGEST = 10 * 365 * 86_400

# What the backends raise for an entry that somebody else wrote: they unpickle, and some inflate or decode it before.
_GARBAGE = (
    *(pickle.PickleError, zlib.error, binascii.Error, EOFError, ImportError),
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)
_OFF_THE_LOOP = contextlib.suppress(SynchronousOnlyOperation)


class DjangoStore:
    """Keeps the alias of a cache, and asks Django for its backend on each use: each thread has its own.

    What the backend raises is passed on, which a client takes for a miss. On an event loop, where a database cache
    refuses to work, everything is a miss.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        with _OFF_THE_LOOP, self._backend() as cache:
            try:
                found = cache.get_many(keys)
            except _GARBAGE:
                found = _readable(cache, keys)
            return {key: value for key, value in found.items() if isinstance(value, str)}
        return {}

    def set(self, key: str, value: str, ttl: float | None) -> None:
        with _OFF_THE_LOOP, self._backend() as cache:
            try:
                cache.set(key, value, _whole_seconds(ttl))
            except Exception:
                if not _answers(cache, key):
                    raise  # or else it is the value that the server does not take: it is too large

    def add(self, key: str, value: str, ttl: float) -> bool:
        with _OFF_THE_LOOP, self._backend() as cache:
            try:
                return bool(cache.add(key, value, _whole_seconds(ttl)))
            except _GARBAGE:
                cache.delete(key)
                return bool(cache.add(key, value, _whole_seconds(ttl)))
        return True

    def delete(self, key: str) -> None:
        with _OFF_THE_LOOP, self._backend() as cache:
            cache.delete(key)

    @contextlib.contextmanager
    def _backend(self) -> Iterator[BaseCache]:
        """Closes the connections that it opened: a background thread has no end of a request, when Django would."""
        cache = caches[self.alias]
        if isinstance(cache, BaseDatabaseCache):
            with _closing_databases():
                yield cache
        elif isinstance(cache, BaseMemcachedCache):
            with contextlib.closing(cache):
                yield cache
        else:
            yield cache

    def __repr__(self) -> str:
        return f"DjangoStore({self.alias!r})"


@contextlib.contextmanager
def _closing_databases() -> Iterator[None]:
    before = _open_databases()
    try:
        yield
    finally:
        for name in _open_databases() - before:
            connections[name].close()


def _open_databases() -> set[str]:
    return {each.alias for each in connections.all(initialized_only=True) if each.connection is not None}


def _readable(cache: BaseCache, keys: Sequence[str]) -> dict[str, Any]:
    found = {}
    for key in keys:
        with contextlib.suppress(*_GARBAGE):
            found[key] = cache.get(key)
    return found


def _answers(cache: BaseCache, key: str) -> bool:
    try:
        cache.get(key)
    except Exception:  # noqa: BLE001  # any reason will do
        return False
    return True


def _whole_seconds(ttl: float | None) -> int | None:
    """Up, since Django's backends cut off a fraction, and take 0 for "do not store"; None is for ever."""
    return None if ttl is None else math.ceil(min(ttl, _LONGEST))
