"""DjangoStore: Django's cache framework as a CacheStore."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.cache import BaseCache, caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections

from scope_client.adapters import ForeignStore

_UNDATED = 30 * 86_400  # memcached takes a longer time for a date, and its dates end in 2038
_OFF_THE_LOOP = contextlib.suppress(SynchronousOnlyOperation)


class DjangoStore(ForeignStore):
    """Keeps the alias of a cache, and looks its backend up on each use: each thread has one, apart from Django's own.

    `caches[alias]` would not do: under ASGI, threads that work for one task are given the same object.
    On an event loop, where a database cache refuses to work, everything is a miss.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._here = threading.local()

    @contextlib.contextmanager
    def opened(self) -> Iterator[BaseCache]:
        """Closes the connections that it opened: a background thread has no end of a request, when Django would."""
        cache = self._backend()
        if isinstance(cache, BaseDatabaseCache):
            with _closing_databases():
                yield cache
        elif isinstance(cache, BaseMemcachedCache):
            with contextlib.closing(cache):
                yield cache
        else:
            yield cache

    def _backend(self) -> BaseCache:
        """Another one after the settings have changed."""
        settings, cache = getattr(self._here, "held", (None, None))
        if cache is None or settings is not caches.settings:
            cache = caches.create_connection(self.alias)
            self._here.held = (caches.settings, cache)
        return cache

    def found(self, cache: BaseCache, keys: Sequence[str]) -> Mapping[str, Any]:
        return cache.get_many(keys)

    def timeout(self, cache: BaseCache, seconds: int | None) -> int | None:
        return seconds if seconds is None or not isinstance(cache, BaseMemcachedCache) else min(seconds, _UNDATED)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        with _OFF_THE_LOOP:
            return super().get_many(keys)
        return {}

    def set(self, key: str, value: str, ttl: float | None) -> None:
        with _OFF_THE_LOOP:
            super().set(key, value, ttl)

    def add(self, key: str, value: str, ttl: float) -> bool:
        with _OFF_THE_LOOP:
            return super().add(key, value, ttl)
        return True

    def delete(self, key: str) -> None:
        with _OFF_THE_LOOP:
            super().delete(key)

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
