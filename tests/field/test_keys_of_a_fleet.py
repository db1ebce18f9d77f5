"""Caches whose keys depend on the request or the tenant: the prompts are one fleet's all the same."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import cachelib
import django_redis.cache
import django_redis.client
import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.utils.functional import SimpleLazyObject, lazy
from django_app.caching import Caching, joined
from django_redis.util import CacheKey
from faults.child import in_a_child
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


def of_thread() -> str:
    return getattr(_tenant_of_thread, "name", "public")


def by_process(key: str, key_prefix: str, version: int) -> str:
    return f"{os.getpid()}:{key}"


def by_machine(key: str, key_prefix: str, version: int) -> str:
    return f"{socket.gethostname()}:{key}"


def by_time(key: str, key_prefix: str, version: int) -> str:
    return f"{time.time()}:{key}"


def by_chance(key: str, key_prefix: str, version: int) -> str:
    return f"{uuid.uuid4()}:{key}"


def in_capitals(key: str, key_prefix: str, version: int) -> str:
    return f"{key_prefix}:{key}".upper()


def with_spaces(key: str, key_prefix: str, version: int) -> str:
    return f"prompts of the site: {key}"


def at_great_length(key: str, key_prefix: str, version: int) -> str:
    return f"{'x' * 200}:{key}"


class ByTenant(RedisCache):
    def make_key(self, key: str, version: int | None = None) -> str:
        return f"{getattr(_tenant_of_thread, 'name', 'public')}:{key}"


class ByMethod:
    """As of a site that knew of no KEY_FUNCTION: each method puts the tenant before the key, or behind it."""

    def get(self, key: str, *given: Any, **options: Any) -> Any:
        return super().get(f"{of_thread()}:{key}", *given, **options)  # type: ignore[misc]

    def set(self, key: str, *given: Any, **options: Any) -> Any:
        return super().set(f"{of_thread()}:{key}", *given, **options)  # type: ignore[misc]

    def add(self, key: str, *given: Any, **options: Any) -> Any:
        return super().add(f"{of_thread()}:{key}", *given, **options)  # type: ignore[misc]

    def delete(self, key: str, *given: Any, **options: Any) -> Any:
        return super().delete(f"{key}:{of_thread()}", *given, **options)  # type: ignore[misc]


class ByMethodOnRedis(ByMethod, RedisCache):
    def get_many(self, keys: Any, version: int | None = None) -> Any:
        return super().get_many([f"{of_thread()}:{key}" for key in keys], version)


class ByMethodOnDjangoRedis(ByMethod, django_redis.cache.RedisCache):
    pass


class ByMethodInMemory(ByMethod, LocMemCache):
    pass


class ByProperty(RedisCache):
    """Its prefix and its version are the tenant's, whatever CACHES says."""

    key_prefix = property(lambda self: of_thread(), lambda self, given: None)
    version = property(lambda self: of_thread(), lambda self, given: None)


class ClientByTenant(django_redis.client.DefaultClient):
    def make_key(self, key: Any, version: int | None = None, prefix: str | None = None) -> CacheKey:
        return key if isinstance(key, CacheKey) else CacheKey(f"{of_thread()}:{key}")


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


def a_tenant_clears_and_all_read_anew(platform: LocalPlatform) -> None:
    platform.publish("greeting", "new")
    before = reads(platform)
    _tenant_of_thread.name = "two"
    _tenant_of_context.set("two")
    joined(platform).clear_cache()
    for name in ("one", "three"):
        _tenant_of_thread.name = name
        assert content(joined(platform)) == "new"
    del _tenant_of_thread.name
    assert reads(platform) == before + 1


@pytest.mark.parametrize(
    "change",
    [
        *({"KEY_FUNCTION": function} for function in (by_thread, by_context, hashed_by_thread)),
        {"KEY_FUNCTION": f"{__name__}.by_thread"},
        {"KEY_PREFIX": Prefix()},
        {"BACKEND": f"{__name__}.ByTenant"},
        {"BACKEND": "django_redis.cache.RedisCache", "KEY_FUNCTION": by_thread, "OPTIONS": {}},
        {"BACKEND": "django_redis.cache.RedisCache", "KEY_PREFIX": Prefix(), "OPTIONS": {}},
        *({"KEY_FUNCTION": function} for function in (by_time, by_chance, in_capitals, with_spaces)),
        {"KEY_PREFIX": lazy(of_thread, str)()},
        {"KEY_PREFIX": SimpleLazyObject(of_thread)},
        {"VERSION": SimpleLazyObject(of_thread)},
        *({"BACKEND": f"{__name__}.{name}"} for name in ("ByMethodOnRedis", "ByMethodInMemory", "ByProperty")),
        {"BACKEND": f"{__name__}.ByMethodOnDjangoRedis", "OPTIONS": {}},
        {"BACKEND": "django_redis.cache.RedisCache", "OPTIONS": {"CLIENT_CLASS": f"{__name__}.ClientByTenant"}},
    ],
    ids=lambda change: "-".join(getattr(value, "__name__", str(value)) for value in change.values()),
)
def test_the_tenants_of_a_django_site_share_a_fetch(
    change: dict[str, Any], caching: Caching, platform: LocalPlatform, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caching.use("redis")
    settings.CACHES = {"default": {**settings.CACHES["default"], **change}}
    if "InMemory" in str(change):
        del settings.CACHES["default"]["OPTIONS"]
    a_request_of_each_tenant_reads(platform)
    assert reads(platform) == 1
    a_tenant_clears_and_all_read_anew(platform)
    assert not [line for line in warnings(caplog) if "would hold readers up" not in line]  # the defaults of redis-py 7


@pytest.mark.parametrize("function", [by_thread, by_context, hashed_by_thread, with_spaces, at_great_length])
def test_keys_are_legal_for_memcached(
    function: Any, caching: Caching, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    caching.use("memcached", KEY_FUNCTION=function)
    a_request_of_each_tenant_reads(platform)
    assert reads(platform) == 1
    assert not warnings(caplog)


@pytest.mark.parametrize("function", [by_process, by_time, by_chance])
def test_processes_share_a_fetch_though_a_key_function_is_of_the_process(
    function: Any, caching: Caching, platform: LocalPlatform
) -> None:
    caching.use("redis", KEY_FUNCTION=function)
    assert content(joined(platform)) == "Hello!"
    assert in_a_child(lambda: content(joined(platform))) == "Hello!"
    assert reads(platform) == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [({"KEY_PREFIX": of_thread}, "0x"), ({"KEY_FUNCTION": by_machine}, socket.gethostname())],
    ids=["an object", "the machine"],
)
def test_no_key_names_what_is_another_in_each_process(
    change: dict[str, Any], text: str, caching: Caching, platform: LocalPlatform, redis_server: RedisServer
) -> None:
    """Django does not call a prefix that is a function, but takes its text, with an address of memory."""
    caching.use("redis", **change)
    content(joined(platform))
    with redis_server.connected() as connection:
        (key,) = connection.keys("*")
    assert key.startswith(b":1:scope:")
    assert text.encode() not in key


@pytest.mark.parametrize("kind", ["locmem", "file", "memcached", "database"])
def test_so_do_tenants_in_its_other_caches(kind: str, caching: Caching, platform: LocalPlatform) -> None:
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
