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

from ._cache_server import read_where_it_writes, server_of
from ._debug_toolbar import is_unseen_by_toolbar, show_to_toolbar
from ._fleet_keys import FleetKeys, key_of_a_fleet

MEMCACHED_MAX_SECONDS = 30 * 86_400  # it takes a larger number for a date, and its dates end in 2038
_MISS_ON_A_LOOP = contextlib.suppress(SynchronousOnlyOperation)


class _Held:
    """The backend of one thread. When the thread ends, so do the backend's connections to a Redis server."""

    def __init__(self, settings: Any, cache: BaseCache, keys: FleetKeys) -> None:
        self.settings = settings
        self.cache = cache
        self.keys = keys
        self._process = os.getpid()

    def __del__(self) -> None:
        if self._process == os.getpid():  # a forked child must not close what its parent uses
            client = vars(self.cache).get("_cache")  # a cached property of RedisCache: absent until it is used
            for pool in getattr(client, "_pools", {}).values():
                pool.disconnect()


class DjangoStore(ForeignStore):
    """Keeps the alias of a cache. Each thread has a backend of its own, which is not the one in `caches`.

    `caches[alias]` is not used, because under ASGI the threads that work for one task get the same object there.
    A database cache refuses to work on an event loop: then everything is a miss. Keys are the fleet's: KEY_FUNCTION,
    KEY_PREFIX and the site's own classes make of them in a request what they make of them outside of any. Replicas are
    not read: one that lags would not have a lock that was just taken, nor that the prompts were cleared.

    Args:
        alias: A key of CACHES.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._here = threading.local()
        self._like: tuple[Any, str] | None = None

    def check_client(self) -> None:
        """Logs a warning for a server's client without a strict time limit; nothing is sent."""
        server = server_of(self.alias)
        self.may_hang = server is not None and server.may_hang()

    @contextlib.contextmanager
    def opened(self) -> Iterator[BaseCache]:
        """Closes the connections that it opened: Django does so after a request, and a background thread has none."""
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
        held = self._held()
        show_to_toolbar(held.cache)
        return held.cache

    def _held(self) -> _Held:
        """Made anew in each thread, and again when the settings have changed."""
        held: _Held | None = getattr(self._here, "held", None)
        if held is None or held.settings is not caches.settings or is_unseen_by_toolbar(held.cache):
            held = self._here.held = self._made()
        return held

    def _made(self) -> _Held:
        cache = caches.create_connection(self.alias)
        read_where_it_writes(cache)
        if self._like is None or self._like[0] is not caches.settings:
            self._like = caches.settings, key_of_a_fleet(cache)
        keys = FleetKeys(self._like[1])
        keys.put_into(cache)
        return _Held(caches.settings, cache, keys)

    def found(self, cache: BaseCache, keys: Sequence[str]) -> Mapping[str, Any]:
        ours = self._held().keys.ours
        return {ours(key): value for key, value in cache.get_many(keys).items()}

    def timeout(self, cache: BaseCache, seconds: int | None) -> int | None:
        if seconds is None or not isinstance(cache, BaseMemcachedCache):
            return seconds
        return min(seconds, MEMCACHED_MAX_SECONDS)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        with _MISS_ON_A_LOOP:
            self._held().keys.asked = keys
            return super().get_many(keys)
        return {}

    def set(self, key: str, value: str, ttl: float | None) -> None:
        with _MISS_ON_A_LOOP:
            self._held().keys.asked = [key]
            if not self._waits_for_commit(lambda: self.set(key, value, ttl)):
                super().set(key, value, ttl)

    def add(self, key: str, value: str, ttl: float) -> bool:
        """As a CacheStore has it; always True in a transaction of the site, where a lock would stay until its end."""
        with _MISS_ON_A_LOOP:
            self._held().keys.asked = [key]
            return self._is_in_transaction() or super().add(key, value, ttl)
        return True

    def delete(self, key: str) -> None:
        with _MISS_ON_A_LOOP:
            self._held().keys.asked = [key]
            if not self._waits_for_commit(lambda: self.delete(key)):
                super().delete(key)

    def _waits_for_commit(self, call: Callable[[], None]) -> bool:
        if not self._is_in_transaction():
            return False
        transaction.on_commit(call, using=_database(self._backend()), robust=True)
        return True

    def _is_in_transaction(self) -> bool:
        """Whether the site has opened one in the database of the cache. The one around a TestCase does not count."""
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
    """What fails inside does not break a transaction that is open around it."""
    name = _database(cache)
    connection = connections[name]
    if connection.in_atomic_block and not connection.needs_rollback:
        with transaction.atomic(using=name):
            yield
    else:
        yield
