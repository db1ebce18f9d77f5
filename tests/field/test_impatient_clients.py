"""Clients of cache servers that wait too long for one that hangs: a warning says which setting would end that."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

import bmemcached
import cachelib
import libmc
import memcache
import pymemcache
import pytest
import redis
import redis.sentinel
import valkey
from django_app.process import reset_client
from faults.clock import ends_within, eventually
from faults.memcached import ClientForCachelib, Memcached, close, pylibmc
from faults.reading import content, reads, warnings
from faults.redisserver import RedisServer
from flask import Flask
from flask_caching import Cache
from pymemcache.client.hash import HashClient
from redis.backoff import NoBackoff
from redis.retry import Retry

from scope_client import RedisStore, ScopeClient, TimeoutError
from scope_client.local import LocalPlatform
from scope_django import get_client
from scope_flask import Scope

LIMITS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
NO_RETRIES = {"retry": Retry(NoBackoff(), 0)}
SENTINELS = [("127.0.0.1", 1)]
NOWHERE = "127.0.0.1:1"
QUICK_POLL = {"connect_timeout": 500, "_poll_timeout": 500}
SLOW_POLL = '"_poll_timeout": 500'
OF_THE_PREFERRED = SLOW_POLL if pylibmc else "socket_timeout=0.5"  # the library that cachelib takes by itself


@pytest.fixture(autouse=True)
def told(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.WARNING, "scope_client.store")
    yield
    reset_client()


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello!", "other": "Bye!"}) as started:
        yield started


def master(**options: Any) -> redis.Redis:
    return redis.sentinel.Sentinel(SENTINELS, **options).master_for("mymaster", **options)


IMPATIENT: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "redis": (redis.Redis, ["socket_timeout=0.5", "socket_connect_timeout=0.5", "retry=Retry(NoBackoff(), 0)"]),
    "redis, no limit at all": (
        lambda: redis.Redis(socket_timeout=None, socket_connect_timeout=None),
        ["any time", "socket_timeout=0.5"],
    ),
    "redis, retries alone": (lambda: redis.Redis(**LIMITS), ["retry=Retry(NoBackoff(), 0)"]),
    "redis, retries that never end": (
        lambda: redis.Redis(**LIMITS, retry=Retry(NoBackoff(), -1)),
        ["any time", "retry=Retry(NoBackoff(), 0)"],
    ),
    "redis by URL": (lambda: redis.Redis.from_url("redis://localhost"), ["socket_timeout=0.5"]),
    "redis, a socket of Unix": (lambda: redis.Redis(unix_socket_path="/x.sock"), ["retry=Retry(NoBackoff(), 0)"]),
    "valkey": (valkey.Valkey, ["any time", "valkey.Valkey", "socket_timeout=0.5"]),
    "redis behind Sentinel": (master, ["socket_timeout=0.5"]),
    "redis behind Sentinel, whose own clients retry": (
        lambda: redis.sentinel.Sentinel(SENTINELS, **LIMITS).master_for("mymaster", **LIMITS, **NO_RETRIES),
        ["sentinel_kwargs=", "Retry(NoBackoff(), 0)"],
    ),
}
PATIENT: dict[str, Callable[[], Any]] = {
    "redis": lambda: redis.Redis(**LIMITS, **NO_RETRIES),
    "redis by URL": lambda: redis.Redis.from_url("redis://localhost", **LIMITS, **NO_RETRIES),
    "redis, one retry": lambda: redis.Redis(**LIMITS, retry=Retry(NoBackoff(), 1)),
    "valkey": lambda: valkey.Valkey(**LIMITS),
    "redis behind Sentinel": lambda: master(**LIMITS, **NO_RETRIES, sentinel_kwargs={**LIMITS, **NO_RETRIES}),
    "our own": lambda: "redis://localhost",
}
IMPATIENT_MEMCACHED: dict[str, tuple[Callable[[], Any], str]] = {
    "pymemcache": (lambda: pymemcache.Client(NOWHERE), "timeout=0.5, connect_timeout=0.5"),
    "pymemcache, no time to connect": (lambda: pymemcache.Client(NOWHERE, timeout=0.5), "connect_timeout=0.5"),
    "pymemcache, a pool": (lambda: pymemcache.PooledClient(NOWHERE), "timeout=0.5"),
    "pymemcache, a hash of servers": (lambda: HashClient([NOWHERE]), "timeout=0.5"),
    "python-memcached": (lambda: memcache.Client([NOWHERE]), "socket_timeout=0.5"),
    "bmemcached": (lambda: bmemcached.Client([NOWHERE]), "socket_timeout=0.5"),
    "a list of servers": (lambda: [NOWHERE], OF_THE_PREFERRED),
}
if pylibmc:
    IMPATIENT_MEMCACHED.update(
        {
            "pylibmc": (lambda: pylibmc.Client([NOWHERE]), SLOW_POLL),
            "pylibmc, a pool": (lambda: pylibmc.ClientPool(pylibmc.Client([NOWHERE]), 2), SLOW_POLL),
            "pylibmc, one a thread": (lambda: pylibmc.ThreadMappedPool(pylibmc.Client([NOWHERE])), SLOW_POLL),
            "pylibmc, the wrong limits": (
                lambda: pylibmc.Client([NOWHERE], behaviors={"receive_timeout": 500_000, "send_timeout": 500_000}),
                SLOW_POLL,
            ),
        }
    )
PATIENT_MEMCACHED: dict[str, Callable[[str], Any]] = {
    "pymemcache": lambda at: ClientForCachelib(at, timeout=0.5, connect_timeout=0.5),
    "pymemcache, a hash of servers": lambda at: HashClient([at], timeout=0.5, connect_timeout=0.5),
    "python-memcached": lambda at: memcache.Client([at], socket_timeout=0.5),
    "bmemcached": lambda at: bmemcached.Client([at], socket_timeout=0.5),
    "libmc, which has limits of its own": lambda at: libmc.Client([at]),
}
if pylibmc:
    PATIENT_MEMCACHED["pylibmc"] = lambda at: pylibmc.Client([at], behaviors=QUICK_POLL)


def the_warning(caplog: pytest.LogCaptureFixture) -> str:
    (said,) = warnings(caplog, "scope_client.store")
    assert re.match(r"a cache server that hangs would hold readers up for (any time|[0-9.]+ seconds)", said)
    return said


@pytest.mark.parametrize(("make", "names"), IMPATIENT.values(), ids=IMPATIENT)
def test_a_store_over_one_warns_as_it_is_made(
    make: Callable[[], Any], names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    RedisStore(make())
    said = the_warning(caplog)
    assert all(name in said for name in names), said


def test_only_what_is_missing_is_named(caplog: pytest.LogCaptureFixture) -> None:
    RedisStore(redis.Redis(**LIMITS))
    said = the_warning(caplog)
    assert re.search(r"for 0\.5 seconds, \d+ times over", said)
    assert "socket_timeout" not in said


@pytest.mark.parametrize("make", PATIENT.values(), ids=PATIENT)
def test_a_store_over_a_strict_one_warns_of_nothing(make: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    RedisStore(make())
    assert not warnings(caplog)


class TestFlask:
    def make(self, platform: LocalPlatform, cache: Any, **config: Any) -> tuple[Flask, Scope]:
        app = Flask("site")
        keys, url = platform.credentials, platform.url
        app.config.from_mapping(SCOPE_CREDENTIALS=keys, SCOPE_BASE_URL=url, SCOPE_AUTH_API_URL=url)
        app.config.from_mapping(SCOPE_CACHE=cache, SCOPE_CACHE_LOCAL_TTL=0, **config)
        if isinstance(cache, Cache):
            cache.init_app(app)
        scope = Scope(app)
        with app.app_context():
            assert scope.client
        return app, scope

    @pytest.mark.parametrize(("make", "name"), IMPATIENT_MEMCACHED.values(), ids=IMPATIENT_MEMCACHED)
    def test_a_memcached_of_cachelib(
        self, make: Callable[[], Any], name: str, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.make(platform, cachelib.MemcachedCache(make()))
        assert name in the_warning(caplog)

    @pytest.mark.parametrize("make", PATIENT_MEMCACHED.values(), ids=PATIENT_MEMCACHED)
    def test_a_strict_memcached_of_cachelib(
        self, make: Callable[[str], Any], platform: LocalPlatform, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.make(platform, cachelib.MemcachedCache(make(NOWHERE)))
        assert not warnings(caplog)

    @pytest.mark.parametrize("type_", ["MemcachedCache", *(["SASLMemcachedCache"] if pylibmc else [])])
    def test_a_memcached_of_flask_caching(
        self, type_: str, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
    ) -> None:
        login = {"CACHE_MEMCACHED_USERNAME": "somebody", "CACHE_MEMCACHED_PASSWORD": "something"}
        config = {"CACHE_TYPE": type_, "CACHE_MEMCACHED_SERVERS": [NOWHERE], **login}
        self.make(platform, Cache(config=config))
        assert OF_THE_PREFERRED in the_warning(caplog)

    @pytest.mark.parametrize("options", [{}, LIMITS])
    def test_a_redis_of_cachelib(
        self, options: dict[str, Any], platform: LocalPlatform, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.make(platform, cachelib.RedisCache("127.0.0.1", 1, **options))
        assert "retry=Retry(NoBackoff(), 0)" in the_warning(caplog)

    def test_a_redis_of_flask_caching(self, platform: LocalPlatform, caplog: pytest.LogCaptureFixture) -> None:
        config = {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": "redis://127.0.0.1:1"}
        self.make(platform, Cache(config=config))
        assert "socket_timeout=0.5" in the_warning(caplog)

    def test_a_sentinel_of_flask_caching(self, platform: LocalPlatform, caplog: pytest.LogCaptureFixture) -> None:
        self.make(platform, Cache(config={"CACHE_TYPE": "RedisSentinelCache", "CACHE_REDIS_SENTINELS": SENTINELS}))
        assert "socket_timeout=0.5" in the_warning(caplog)


BACKENDS = "django.core.cache.backends."
IMPATIENT_OF_DJANGO: dict[str, tuple[dict[str, Any], str]] = {
    "redis": ({"BACKEND": BACKENDS + "redis.RedisCache", "LOCATION": f"redis://{NOWHERE}"}, "socket_timeout=0.5"),
    "redis that retries": (
        {
            "BACKEND": BACKENDS + "redis.RedisCache",
            "LOCATION": f"redis://{NOWHERE}",
            "OPTIONS": {**LIMITS, "retry": Retry(NoBackoff(), 5)},
        },
        "retry=Retry(NoBackoff(), 0)",
    ),
    "pymemcache": ({"BACKEND": BACKENDS + "memcached.PyMemcacheCache", "LOCATION": NOWHERE}, "timeout=0.5"),
    "django-redis": (
        {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"redis://{NOWHERE}/7"},
        "socket_timeout=0.5",
    ),
}
PATIENT_OF_DJANGO: dict[str, dict[str, Any]] = {
    "redis": {"BACKEND": BACKENDS + "redis.RedisCache", "LOCATION": f"redis://{NOWHERE}", "OPTIONS": LIMITS},
    "pymemcache": {
        "BACKEND": BACKENDS + "memcached.PyMemcacheCache",
        "LOCATION": NOWHERE,
        "OPTIONS": {"timeout": 0.5, "connect_timeout": 0.5},
    },
    "django-redis": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"redis://{NOWHERE}/8",
        "OPTIONS": {"SOCKET_TIMEOUT": 0.5, "SOCKET_CONNECT_TIMEOUT": 0.5},
    },
    "in memory": {"BACKEND": BACKENDS + "locmem.LocMemCache"},
    "none": {"BACKEND": BACKENDS + "dummy.DummyCache"},
    "one that cannot be made": {"BACKEND": "no.such.Cache"},
}
if pylibmc:
    of_pylibmc = {"BACKEND": BACKENDS + "memcached.PyLibMCCache", "LOCATION": NOWHERE}
    IMPATIENT_OF_DJANGO["pylibmc"] = of_pylibmc, SLOW_POLL
    PATIENT_OF_DJANGO["pylibmc"] = {**of_pylibmc, "OPTIONS": {"behaviors": QUICK_POLL}}


class TestDjango:
    @pytest.fixture(autouse=True)
    def site(self, settings: Any, platform: LocalPlatform) -> None:
        settings.SCOPE = {"CREDENTIALS": platform.credentials, "BASE_URL": platform.url, "AUTH_API_URL": platform.url}

    @pytest.mark.parametrize(("cache", "name"), IMPATIENT_OF_DJANGO.values(), ids=IMPATIENT_OF_DJANGO)
    def test_its_caches(
        self, cache: dict[str, Any], name: str, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.CACHES = {"default": cache}
        assert get_client()
        assert name in the_warning(caplog)

    @pytest.mark.parametrize("cache", PATIENT_OF_DJANGO.values(), ids=PATIENT_OF_DJANGO)
    def test_strict_ones(self, cache: dict[str, Any], settings: Any, caplog: pytest.LogCaptureFixture) -> None:
        settings.CACHES = {"default": cache}
        assert get_client()
        assert not warnings(caplog)


@pytest.fixture
def connections_of_all_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Are closed in the end: some clients have one a thread, which nobody but that thread can close."""
    opened: list[socket.socket] = []
    connect = socket.socket.connect

    def connect_and_note(self: socket.socket, address: Any) -> None:
        opened.append(self)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_and_note)
    yield
    for each in opened:
        each.close()


@pytest.mark.usefixtures("connections_of_all_threads")
@pytest.mark.parametrize("make", PATIENT_MEMCACHED.values(), ids=PATIENT_MEMCACHED)
def test_a_strict_memcached_that_hangs_holds_a_reader_up_for_a_moment(
    make: Callable[[str], Any], memcached: Memcached, platform: LocalPlatform
) -> None:
    server = make(memcached.address)
    app, scope = TestFlask().make(platform, cachelib.MemcachedCache(server))
    with app.app_context():
        content(scope.client)
        memcached.pause()
        with ends_within(10):
            assert content(scope.client, "other") == "Bye!"
            assert [content(scope.client) for _ in range(20)] == ["Hello!"] * 20
        memcached.resume()
    close(server)


@pytest.mark.parametrize(
    "make",
    [
        lambda port: redis.Redis(port=port, **LIMITS, **NO_RETRIES),
        lambda port: valkey.Valkey(port=port, **LIMITS),
        lambda port: f"redis://127.0.0.1:{port}",
    ],
)
def test_a_strict_redis_that_hangs_holds_a_reader_up_for_a_moment(
    make: Callable[[int], Any], redis_server: RedisServer, platform: LocalPlatform
) -> None:
    client = platform.client(cache_store=RedisStore(make(redis_server.port)), cache_local_ttl=0)
    content(client)
    redis_server.pause()
    with ends_within(10):
        assert content(client, "other") == "Bye!"
        assert [content(client) for _ in range(20)] == ["Hello!"] * 20
    redis_server.resume()


def in_a_row(client: ScopeClient, deadline: float) -> list[float]:
    """Seconds of some reads of the same prompt, each with this deadline; what they end in does not matter."""
    took = []
    for _ in range(5):
        began = time.monotonic()
        with contextlib.suppress(TimeoutError):
            client.get_prompt_version("other", deadline=deadline, cache_ttl=0)
        took.append(time.monotonic() - began)
    return took


class TestADeadline:
    """It holds though the store waits for as long as it likes."""

    @pytest.fixture
    def hanging(self, redis_server: RedisServer) -> Iterator[RedisServer]:
        yield redis_server
        redis_server.resume()

    @pytest.mark.parametrize("deadline", [0.3, 2.0])
    @pytest.mark.parametrize(
        "make",
        [
            lambda port: redis.Redis(port=port, **LIMITS),
            lambda port: redis.Redis(port=port, socket_timeout=8),
            lambda port: valkey.Valkey(port=port, socket_timeout=8),
        ],
        ids=["retries", "no quick limit", "valkey"],
    )
    def test_of_a_read_over_a_redis_that_hangs(
        self, make: Callable[[int], Any], deadline: float, hanging: RedisServer, platform: LocalPlatform
    ) -> None:
        with make(hanging.port) as server:
            client = platform.client(cache_store=RedisStore(server), cache_local_ttl=0)
            content(client)
            hanging.pause()
            assert max(in_a_row(client, deadline)) < deadline + 1
            assert sum(thread.name == "scope-store" for thread in threading.enumerate()) <= 1
            with ends_within(2):
                assert content(client) == "Hello!"
            hanging.resume()
            eventually(lambda: not any(thread.name == "scope-store" for thread in threading.enumerate()), 15)

    def test_leaves_time_for_the_platform(self, hanging: RedisServer, platform: LocalPlatform) -> None:
        with redis.Redis(port=hanging.port, **LIMITS) as server:
            client = platform.client(cache_store=RedisStore(server))
            content(client)
            hanging.pause()
            assert client.get_prompt_version("other", deadline=2.0).content == "Bye!"

    def test_of_a_flask_app(self, hanging: RedisServer, platform: LocalPlatform) -> None:
        cache = cachelib.RedisCache("127.0.0.1", hanging.port, **LIMITS)
        app, scope = TestFlask().make(platform, cache, SCOPE_DEADLINE=2.0)
        with app.app_context():
            content(scope.client)
            hanging.pause()
            with ends_within(3):
                assert content(scope.client, "other") == "Bye!"

    def test_costs_a_store_that_answers_nothing_it_keeps(
        self, redis_server: RedisServer, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            with redis.Redis(port=redis_server.port, **LIMITS) as server:
                client = platform.client(cache_store=RedisStore(server), deadline=5.0)
                assert content(client) == "Hello!"
        assert reads(platform) == 1
        assert all("would hold readers up" in said for said in warnings(caplog))

    def test_lets_an_error_of_the_store_be_one(
        self, platform: LocalPlatform, closed_port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        with redis.Redis(port=closed_port, **LIMITS, retry=Retry(NoBackoff(), 5)) as server:
            client = platform.client(cache_store=RedisStore(server), deadline=5.0)
            assert content(client) == "Hello!"
        assert "ConnectionError" in caplog.text
