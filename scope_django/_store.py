"""DjangoStore: Django's cache framework as a CacheStore."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.core.cache import BaseCache, caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections, router, transaction

from scope_client.frameworks import ForeignStore

_UNDATED = 30 * 86_400  # memcached takes a longer time for a date, and its dates end in 2038
_OFF_THE_LOOP = contextlib.suppress(SynchronousOnlyOperation)


class _Held:
    """The backend of one thread, whose connections to a Redis end with it."""

    def __init__(self, settings: Any, cache: BaseCache) -> None:
        self.settings = settings
        self.cache = cache
        self._process = os.getpid()

    def __del__(self) -> None:
        if self._process == os.getpid():  # a child leaves its parent's to the parent
            client = vars(self.cache).get("_cache")  # a cached property, where it was used
            for pool in getattr(client, "_pools", {}).values():
                pool.disconnect()


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
            with _closing_databases(), _savepoint(cache):
                yield cache
        elif isinstance(cache, BaseMemcachedCache):
            with contextlib.closing(cache):
                yield cache
        else:
            yield cache

    def _backend(self) -> BaseCache:
        """Another one after the settings have changed."""
        held: _Held | None = getattr(self._here, "held", None)
        if held is None or held.settings is not caches.settings:
            held = self._here.held = _Held(caches.settings, caches.create_connection(self.alias))
        return held.cache

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
            if not self._waits_for_commit(lambda: self.set(key, value, ttl)):
                super().set(key, value, ttl)

    def add(self, key: str, value: str, ttl: float) -> bool:
        """In a transaction of the site's there is no lock: others would wait for its end."""
        with _OFF_THE_LOOP:
            return self._is_in_transaction() or super().add(key, value, ttl)
        return True

    def delete(self, key: str) -> None:
        with _OFF_THE_LOOP:
            if not self._waits_for_commit(lambda: self.delete(key)):
                super().delete(key)

    def _waits_for_commit(self, call: Callable[[], None]) -> bool:
        if not self._is_in_transaction():
            return False
        transaction.on_commit(call, using=_database(self._backend()), robust=True)
        return True

    def _is_in_transaction(self) -> bool:
        """Of the site's own, in the database that is the cache; that of a TestCase is none."""
        cache = self._backend()
        if not isinstance(cache, BaseDatabaseCache):
            return False
        blocks: list[Any] = connections[_database(cache)].atomic_blocks
        return any(not block._from_testcase for block in blocks)

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


def _database(cache: Any) -> str:
    return router.db_for_write(cache.cache_model_class)


@contextlib.contextmanager
def _savepoint(cache: Any) -> Iterator[None]:
    """What fails here does not fail a transaction that is open."""
    name = _database(cache)
    connection = connections[name]
    if connection.in_atomic_block and not connection.needs_rollback:
        with transaction.atomic(using=name):
            yield
    else:
        yield
