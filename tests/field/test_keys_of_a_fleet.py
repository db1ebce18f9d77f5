"""Caches whose keys depend on the request or the tenant: the prompts are one fleet's all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import cachelib
import pytest
from django.core.cache.backends.redis import RedisCache
from django_app.caching import Caching, joined
from faults.reading import content, reads, warnings
from faults.redisserver import RedisServer
from flask import Flask, g
from flask_caching import Cache
from redis.backoff import NoBackoff
from redis.retry import Retry

from scope_client.local import LocalPlatform
from scope_flask import Scope

STRICT = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}
_tenant_of_thread = threading.local()
_tenant_of_context: ContextVar[str] = ContextVar("tenant")


def by_thread(key: str, key_prefix: str, version: int) -> str:
    """As that of django-tenants, which looks at the connection of the thread."""
    return f"{getattr(_tenant_of_thread, 'name', 'public')}:{key_prefix}:{version}:{key}"


def by_context(key: str, key_prefix: str, version: int) -> str:
    """Fails outside of a request."""
    return f"{_tenant_of_context.get()}:{key_prefix}:{version}:{key}"


def hashed_by_thread(key: str, key_prefix: str, version: int) -> str:
    return f"{hash((getattr(_tenant_of_thread, 'name', 'public'), key))}"


def with_bars(key: str, key_prefix: str, version: int) -> str:
    return f"{key_prefix}|{version}|{key}"


class Prefix:
    """A prefix that each request makes anew."""

    def __str__(self) -> str:
        return getattr(_tenant_of_thread, "name", "public")


class ByTenant(RedisCache):
    def make_key(self, key: str, version: int | None = None) -> str:
        return f"{getattr(_tenant_of_thread, 'name', 'public')}:{key}"


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello!"}) as started:
        yield started


@pytest.fixture
def caching(request: pytest.FixtureRequest) -> Caching:
    return Caching(request)


def a_request_of_each_tenant_reads(platform: LocalPlatform) -> None:
    for name in ("one", "two", "three"):
        _tenant_of_thread.name = name
        _tenant_of_context.set(name)
        assert content(joined(platform)) == "Hello!"
    del _tenant_of_thread.name


@pytest.mark.parametrize(
    "change",
    [
        *({"KEY_FUNCTION": function} for function in (by_thread, by_context, hashed_by_thread)),
        {"KEY_FUNCTION": f"{__name__}.by_thread"},
        {"KEY_PREFIX": Prefix()},
        {"BACKEND": f"{__name__}.ByTenant"},
        {"BACKEND": "django_redis.cache.RedisCache", "KEY_FUNCTION": by_thread, "OPTIONS": {}},
        {"BACKEND": "django_redis.cache.RedisCache", "KEY_PREFIX": Prefix(), "OPTIONS": {}},
    ],
    ids=lambda change: "-".join(getattr(value, "__name__", str(value)) for value in change.values()),
)
def test_the_tenants_of_a_django_site_share_a_fetch(
    change: dict[str, Any], caching: Caching, platform: LocalPlatform, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caching.use("redis")
    settings.CACHES = {"default": {**settings.CACHES["default"], **change}}
    a_request_of_each_tenant_reads(platform)
    assert reads(platform) == 1
    assert not [line for line in warnings(caplog) if "would hold readers up" not in line]  # the defaults of redis-py 7


@pytest.mark.parametrize("kind", ["locmem", "file", "memcached", "database"])
def test_so_they_do_in_its_other_caches(kind: str, caching: Caching, platform: LocalPlatform) -> None:
    caching.use(kind, KEY_FUNCTION=by_thread)
    a_request_of_each_tenant_reads(platform)
    assert reads(platform) == 1


def test_a_key_function_that_is_the_same_everywhere_makes_the_keys(
    caching: Caching, platform: LocalPlatform, redis_server: RedisServer
) -> None:
    caching.use("redis", KEY_FUNCTION=with_bars, KEY_PREFIX="blog", VERSION=2)
    content(joined(platform))
    with redis_server.connected() as connection:
        keys = connection.keys("*")
    assert keys
    assert all(key.startswith(b"blog|2|scope:1:") for key in keys)


def test_two_sites_whose_key_functions_differ_do_not_share(caching: Caching, platform: LocalPlatform) -> None:
    caching.use("redis", KEY_FUNCTION=with_bars, KEY_PREFIX="one")
    content(joined(platform))
    caching.use("redis", KEY_FUNCTION=with_bars, KEY_PREFIX="two")
    content(joined(platform))
    assert reads(platform) == 2


@pytest.mark.parametrize("is_of_flask_caching", [False, True])
def test_the_tenants_of_a_flask_app_share_a_fetch(
    is_of_flask_caching: bool, redis_server: RedisServer, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    """Outside of a request the prefix raises a RuntimeError, as in a thread in the background."""
    for name in ("one", "two", "three"):
        app = Flask("site")
        keys, url = platform.credentials, platform.url
        app.config.from_mapping(SCOPE_CREDENTIALS=keys, SCOPE_BASE_URL=url, SCOPE_AUTH_API_URL=url)
        if is_of_flask_caching:
            url = f"{redis_server.url}?socket_timeout=0.5&socket_connect_timeout=0.5"
            app.config.from_mapping(CACHE_TYPE="RedisCache", CACHE_REDIS_URL=url)
            cache: Any = Cache()
            cache.init_app(app)
            app.extensions["cache"][cache].key_prefix = lambda: f"{g.tenant}:"
        else:
            cache = cachelib.RedisCache("127.0.0.1", redis_server.port, key_prefix=lambda: f"{g.tenant}:", **STRICT)
        app.config["SCOPE_CACHE"] = cache
        scope = Scope(app)
        with app.app_context():
            g.tenant = name
            assert content(scope.client) == "Hello!"
    assert reads(platform) == 1
    assert not [line for line in warnings(caplog) if "would hold readers up" not in line]  # the defaults of redis-py 7
