"""DjangoStore: Django's cache framework as a CacheStore."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.cache import BaseCache, caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections

from scope_client.adapters import ForeignStore

_OFF_THE_LOOP = contextlib.suppress(SynchronousOnlyOperation)


class DjangoStore(ForeignStore):
    """Keeps the alias of a cache, and asks Django for its backend on each use: each thread has its own.

    On an event loop, where a database cache refuses to work, everything is a miss.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias

    @contextlib.contextmanager
    def opened(self) -> Iterator[BaseCache]:
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

    def found(self, cache: BaseCache, keys: Sequence[str]) -> Mapping[str, Any]:
        return cache.get_many(keys)

    def timeout(self, seconds: int | None) -> int | None:
        return seconds

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
