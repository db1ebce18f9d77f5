"""CachelibStore over caches of cachelib and Flask-Caching: what every CacheStore promises, and its whole seconds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cachelib.file
import cachelib.simple
import pytest
from cachelib import FileSystemCache, RedisCache, SimpleCache
from faults.redisserver import RedisServer
from faults.store_contract import Later, SharedStoreContract, UnlockedStoreContract
from flask import Flask
from flask_caching import Cache
from redis.backoff import NoBackoff
from redis.retry import Retry

from scope_client import CacheStore
from scope_flask._stores import CachelibStore, store_of

STRICT = {"socket_timeout": 0.3, "socket_connect_timeout": 0.3, "retry": Retry(NoBackoff(), 0)}


class CachelibContract:
    def make(self, folder: Path, server: RedisServer) -> Any:
        """A cache that keeps its entries there."""
        raise NotImplementedError

    @pytest.fixture
    def app(self) -> Flask:
        return Flask("site")

    @pytest.fixture
    def store(self, app: Flask, tmp_path: Path, redis_server: RedisServer) -> CacheStore:
        cache = self._cache = self.make(tmp_path, redis_server)
        if isinstance(cache, Cache):
            cache.init_app(app)
        return store_of(cache, app)

    def test_it_is_a_store_of_cachelib(self, store: CacheStore) -> None:
        assert isinstance(store, CachelibStore)

    def test_of_no_keys_none_come_back(self, store: CacheStore) -> None:
        assert store.get_many([]) == {}

    def test_a_time_of_0_is_not_for_ever(self, store: CacheStore, later: Later) -> None:
        store.set("key", "x", 0)
        later(3)
        assert store.get_many(["key"]) == {}


class InThisProcess(CachelibContract):
    @pytest.fixture
    def later(self, monkeypatch: pytest.MonkeyPatch) -> Later:
        def move(seconds: float) -> None:
            for module in (cachelib.simple, cachelib.file):
                monkeypatch.setattr(module, "time", lambda: time.time() + seconds)

        return move


class OnRedis(CachelibContract):
    prefix = ""

    @pytest.fixture
    def later(self, redis_server: RedisServer) -> Later:
        return redis_server.passes

    @pytest.mark.parametrize(("seconds", "whole"), [(0.001, 1), (0.4, 1), (1.0, 1), (1.2, 2), (300.5, 301), (0, 1)])
    def test_a_fraction_of_a_second_is_rounded_up_and_never_for_ever(
        self, seconds: float, whole: int, store: CacheStore, redis_server: RedisServer
    ) -> None:
        store.set("set", "x", seconds)
        assert store.add("added", "x", seconds)
        with redis_server.connected() as connection:
            for key in ("set", "added"):
                assert (whole - 1) * 1000 < connection.pttl(self.prefix + key) <= whole * 1000

    def test_none_is_for_ever(self, store: CacheStore, redis_server: RedisServer) -> None:
        store.set("key", "x", None)
        with redis_server.connected() as connection:
            assert connection.ttl(self.prefix + "key") == -1


class TestSimpleCache(InThisProcess, SharedStoreContract):
    def make(self, folder: Path, server: RedisServer) -> SimpleCache:
        return SimpleCache()


class TestFileSystemCache(InThisProcess, UnlockedStoreContract):
    def make(self, folder: Path, server: RedisServer) -> FileSystemCache:
        return FileSystemCache(str(folder))


class TestRedisCache(OnRedis, SharedStoreContract):
    def make(self, folder: Path, server: RedisServer) -> RedisCache:
        return RedisCache(host="127.0.0.1", port=server.port, **STRICT)


class TestSimpleCacheOfFlaskCaching(InThisProcess, SharedStoreContract):
    def make(self, folder: Path, server: RedisServer) -> Cache:
        return Cache(config={"CACHE_TYPE": "SimpleCache"})


class TestFileSystemCacheOfFlaskCaching(InThisProcess, UnlockedStoreContract):
    def make(self, folder: Path, server: RedisServer) -> Cache:
        return Cache(config={"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": str(folder)})


class TestRedisCacheOfFlaskCaching(OnRedis, SharedStoreContract):
    prefix = "flask_cache_"

    def make(self, folder: Path, server: RedisServer) -> Cache:
        return Cache(config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": server.url, "CACHE_OPTIONS": dict(STRICT)})
