"""Caches that swallow the errors of their server: one that is dead, full or read-only looks as if it was locked."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

import bmemcached
import cachelib
import libmc
import memcache
import pytest
from django_app.caching import joined
from faults.clock import ManualClock
from faults.memcached import ClientForCachelib, Memcached, close
from faults.reading import content, warnings
from faults.redisserver import RedisServer
from flask import Flask
from pymemcache.client.hash import HashClient

from scope_client import MemoryStore, ScopeClient
from scope_client.local import LocalPlatform
from scope_flask import Scope

NAMES = [f"prompt-{number}" for number in range(6)]
QUICK_SECONDS = 0.7
LIMITS = {"SOCKET_TIMEOUT": 0.5, "SOCKET_CONNECT_TIMEOUT": 0.5}
Make = Callable[..., ScopeClient]


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({name: f"content of {name}" for name in ("first", *NAMES)}) as started:
        yield started


def stops(server: RedisServer) -> None:
    server.stop()


def is_full(server: RedisServer) -> None:
    with server.connected() as connection:
        connection.config_set("maxmemory-policy", "noeviction")
        connection.config_set("maxmemory", "1")


def is_read_only(server: RedisServer) -> None:
    """A replica whose primary is gone."""
    with server.connected() as connection:
        connection.replicaof("127.0.0.1", 1)


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """One that a test may leave in any state."""
    with RedisServer() as started:
        yield started


@pytest.fixture
def join_django_redis(own_redis: RedisServer, settings: Any, platform: LocalPlatform) -> Make:
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": own_redis.url,
            "OPTIONS": {"IGNORE_EXCEPTIONS": True, **LIMITS},
        }
    }
    return lambda **options: joined(platform, **options)


def reads_are_quick_and_told_of_once(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    client, took = make(), []
    for name in NAMES:
        began = time.monotonic()
        assert content(client, name) == f"content of {name}"
        took.append(time.monotonic() - began)
    assert max(took) < QUICK_SECONDS, took
    assert len([text for text in warnings(caplog) if "shared cache" in text]) == 1


@pytest.mark.parametrize("happens", [stops, is_full, is_read_only])
@pytest.mark.parametrize("was_used", [False, True])
def test_django_redis_that_ignores_exceptions(
    was_used: bool,
    happens: Callable[[RedisServer], None],
    own_redis: RedisServer,
    join_django_redis: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    content(join_django_redis(), "first")
    before = join_django_redis()
    if was_used:
        content(before, "first")
    happens(own_redis)
    reads_are_quick_and_told_of_once(lambda: before if was_used else join_django_redis(), caplog)


MEMCACHED_CLIENTS: dict[str, Callable[[Memcached], Any]] = {
    "pymemcache, a hash of servers": lambda server: HashClient(
        [("127.0.0.1", server.port)], timeout=0.5, connect_timeout=0.5, ignore_exc=True
    ),
    "pymemcache, a hash of servers that raises once": lambda server: HashClient(
        [("127.0.0.1", server.port)], timeout=0.5, connect_timeout=0.5
    ),
    "pymemcache": lambda server: ClientForCachelib(
        ("127.0.0.1", server.port), timeout=0.5, connect_timeout=0.5, ignore_exc=True
    ),
    "libmc": lambda server: libmc.Client([server.address]),
    "python-memcached": lambda server: memcache.Client([server.address], socket_timeout=0.5),
    "bmemcached": lambda server: bmemcached.Client([server.address], socket_timeout=0.5),
}


@pytest.fixture
def own_memcached() -> Iterator[Memcached]:
    with Memcached() as started:
        yield started


# python-memcached leaves a socket open that could not connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("was_used", [False, True])
@pytest.mark.parametrize("make", MEMCACHED_CLIENTS.values(), ids=MEMCACHED_CLIENTS)
def test_cachelib_over_a_memcached_that_is_dead(
    make: Callable[[Memcached], Any],
    was_used: bool,
    own_memcached: Memcached,
    platform: LocalPlatform,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Flask("site")
    keys, url = platform.credentials, platform.url
    app.config.from_mapping(SCOPE_CREDENTIALS=keys, SCOPE_BASE_URL=url, SCOPE_AUTH_API_URL=url)
    client = make(own_memcached)
    app.config["SCOPE_CACHE"] = cachelib.MemcachedCache(client)
    scope = Scope(app)
    with app.app_context():
        if was_used:
            content(scope.client, "first")
        own_memcached.stop()
        reads_are_quick_and_told_of_once(lambda: scope.client, caplog)
    close(client)
    gc.collect()


class HalfDead(MemoryStore):
    """Reads work; nothing is written, and no error is raised."""

    def set(self, key: str, value: str, ttl: float | None) -> None:
        pass

    def add(self, key: str, value: str, ttl: float) -> bool:
        return False


class Deaf(HalfDead):
    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {}


@pytest.mark.parametrize("kind", [HalfDead, Deaf])
def test_a_store_of_the_users(kind: type[MemoryStore], platform: LocalPlatform, caplog: Any) -> None:
    reads_are_quick_and_told_of_once(lambda: platform.client(cache_store=kind()), caplog)


def test_it_is_used_again_when_it_works_again(
    own_redis: RedisServer, join_django_redis: Make, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "scope_client.store")
    client = join_django_redis(clock=clock.clock)
    is_full(own_redis)
    for name in NAMES:
        content(client, name)
        clock.passes(6)
    with own_redis.connected() as connection:
        connection.config_set("maxmemory", "0")
    for _ in range(3):
        clock.passes(6)
        content(client, "first", cache_ttl=0)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    with own_redis.connected() as connection:
        assert connection.keys("*scope:*")
