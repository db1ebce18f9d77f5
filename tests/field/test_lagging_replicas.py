"""Caches that write to one Redis and read from another, which has nothing yet: the fleet's locks hold all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

import cachelib
import pytest
import redis
from django_app.caching import joined
from faults.crowd import crowd
from faults.reading import content, reads, warnings
from faults.rediscluster import SentinelServer
from faults.redisserver import RedisServer
from flask import Flask
from flask_caching import Cache
from redis.backoff import NoBackoff
from redis.retry import Retry

from scope_client import ScopeClient
from scope_client.local import LocalPlatform
from scope_flask import Scope

STRICT = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}
LIMITS_OF_DJANGO_REDIS = {"SOCKET_TIMEOUT": 0.5, "SOCKET_CONNECT_TIMEOUT": 0.5}
BACKENDS: dict[str, dict[str, Any]] = {
    "Django": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "OPTIONS": STRICT},
    "django-redis": {"BACKEND": "django_redis.cache.RedisCache", "OPTIONS": LIMITS_OF_DJANGO_REDIS},
    "django-redis, a herd": {
        "BACKEND": "django_redis.cache.RedisCache",
        "OPTIONS": {**LIMITS_OF_DJANGO_REDIS, "CLIENT_CLASS": "django_redis.client.HerdClient"},
    },
}
Join = Callable[[], ScopeClient]


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello!"}) as started:
        yield started


@pytest.fixture(scope="module")
def replica() -> Iterator[RedisServer]:
    """One that lags for as long as a test lasts."""
    with RedisServer() as started:
        yield started


def is_one_fleet(join: Join, platform: LocalPlatform, caplog: pytest.LogCaptureFixture) -> None:
    clients = [join() for _ in range(3)]
    assert [content(client) for client in clients] == ["Hello!"] * 3
    assert reads(platform) == 1
    platform.publish("greeting", "new")
    clients[0].clear_cache()
    assert [content(client) for client in clients] == ["new"] * 3
    assert reads(platform) == 2
    platform.publish("greeting", "newest")
    platform.latency = 0.2
    clients[2].clear_cache("greeting")
    waiting = iter(clients)
    assert crowd(3, lambda: content(next(waiting))) == ["newest"] * 3
    assert reads(platform) == 3
    assert not warnings(caplog)
    assert [client.status().counters["store_failures"] for client in clients] == [0, 0, 0]


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
@pytest.mark.parametrize("is_one_text", [False, True])
def test_of_a_django_cache_with_several_locations(
    backend: dict[str, Any],
    is_one_text: bool,
    redis_server: RedisServer,
    replica: RedisServer,
    platform: LocalPlatform,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    urls = [redis_server.url, replica.url, replica.url]
    settings.CACHES = {"default": {**backend, "LOCATION": ",".join(urls) if is_one_text else urls}}
    is_one_fleet(lambda: joined(platform), platform, caplog)


def flask_client(platform: LocalPlatform, cache: Any, **config: Any) -> ScopeClient:
    app = Flask("site")
    keys, url = platform.credentials, platform.url
    app.config.from_mapping(SCOPE_CREDENTIALS=keys, SCOPE_BASE_URL=url, SCOPE_AUTH_API_URL=url)
    app.config.from_mapping(SCOPE_CACHE=cache, SCOPE_CACHE_LOCAL_TTL=0, **config)
    scope = Scope(app)
    with app.app_context():
        return scope.client


def test_of_a_cachelib_cache_with_a_client_for_reading(
    redis_server: RedisServer, replica: RedisServer, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    def join() -> ScopeClient:
        cache = cachelib.RedisCache("127.0.0.1", redis_server.port, **STRICT)
        cache._read_client = redis.Redis(port=replica.port, **STRICT)
        return flask_client(platform, cache)

    is_one_fleet(join, platform, caplog)


def test_of_a_sentinel_of_flask_caching(
    redis_server: RedisServer, replica: RedisServer, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    with SentinelServer(redis_server) as sentinel:

        def join() -> ScopeClient:
            options = {**STRICT, **{f"sentinel_{name}": value for name, value in STRICT.items()}}
            app = Flask("cached")
            cache = Cache(
                config={
                    "CACHE_TYPE": "RedisSentinelCache",
                    "CACHE_REDIS_SENTINELS": [("127.0.0.1", sentinel.port)],
                    "CACHE_OPTIONS": options,
                }
            )
            cache.init_app(app)
            backend = app.extensions["cache"][cache]
            backend._read_client = redis.Redis(port=replica.port, **STRICT)
            return flask_client(platform, backend)

        is_one_fleet(join, platform, caplog)
