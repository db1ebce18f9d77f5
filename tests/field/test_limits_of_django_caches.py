"""`check --deploy` knows which caches wait for long if their server hangs, and the settings that it names end that."""

from __future__ import annotations

import contextlib
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.core.checks import CheckMessage, run_checks
from django_redis.pool import ConnectionFactory
from faults.clock import ends_within
from faults.memcached import pylibmc
from redis.backoff import ConstantBackoff, NoBackoff
from redis.retry import Retry

from scope_django._store import DjangoStore

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "integrations" / "django.md").read_text()
LIMIT, LIMITS = {"socket_timeout": 0.5}, {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
UPPER = {"SOCKET_TIMEOUT": 0.5}
STRICT = {**LIMITS, "retry": Retry(NoBackoff(), 0)}
DJANGO, DJANGO_REDIS = "django.core.cache.backends.", "django_redis.cache.RedisCache"
FACTORY = {"CONNECTION_FACTORY": f"{__name__}.StrictFactory"}
SENTINEL = {
    "CLIENT_CLASS": "django_redis.client.SentinelClient",
    "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
    "SENTINELS": [("127.0.0.1", 1)],
}
SHARDS, HERD = ({"CLIENT_CLASS": f"django_redis.client.{name}"} for name in ("ShardClient", "HerdClient"))
QUICK_POLL = {"behaviors": {"connect_timeout": 500, "_poll_timeout": 500}}


class StrictFactory(ConnectionFactory):
    def make_connection_params(self, url: str) -> dict[str, Any]:
        return {**super().make_connection_params(url), **LIMITS}


class OfTheSite(RedisCache):
    """A class of its own, as sites have them."""


class Unknown(RedisCache):
    """One whose client is not known."""

    _cache = None


@pytest.fixture
def address() -> Iterator[str]:
    """Of a server that takes connections and never answers."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield "{}:{}".format(*listening.getsockname())


def redis_of(address: str, backend: str = DJANGO + "redis.RedisCache", query: str = "", **options: Any) -> Any:
    return {"BACKEND": backend, "LOCATION": f"redis://{address}/3{query}", "OPTIONS": options}


def django_redis(address: str, query: str = "", **options: Any) -> dict[str, Any]:
    return redis_of(address, DJANGO_REDIS, query, **options)


def memcached_of(address: str, kind: str, **options: Any) -> dict[str, Any]:
    return {"BACKEND": f"{DJANGO}memcached.{kind}", "LOCATION": address, "OPTIONS": options}


SLOW: dict[str, Any] = {
    "redis": redis_of,
    "redis, a minute": lambda at: redis_of(at, socket_timeout=60),
    "redis, a minute in the URL, which wins": lambda at: redis_of(at, query="?socket_timeout=60", **LIMITS),
    "redis, no limit": lambda at: redis_of(at, socket_timeout=None, socket_connect_timeout=None),
    "redis, retries": lambda at: redis_of(at, **LIMITS, retry=Retry(NoBackoff(), 5)),
    "redis, pauses": lambda at: redis_of(at, **LIMITS, retry=Retry(ConstantBackoff(2), 1)),
    "redis, retries for ever": lambda at: redis_of(at, **LIMITS, retry=Retry(NoBackoff(), -1)),
    "redis of the site": lambda at: redis_of(at, f"{__name__}.OfTheSite"),
    "redis, a list of servers": lambda at: {**redis_of(at), "LOCATION": [f"redis://{at}/3", f"redis://{at}/4"]},
    "django-redis": django_redis,
    "django-redis, in lower case": lambda at: django_redis(at, **LIMITS),
    "django-redis, a minute": lambda at: django_redis(at, SOCKET_TIMEOUT=60),
    "django-redis, no limit, which is ignored": lambda at: django_redis(at, SOCKET_TIMEOUT=0),
    "django-redis, for the client, which ignores it": lambda at: django_redis(at, REDIS_CLIENT_KWARGS=LIMITS),
    "django-redis, a minute for the pool, which wins": lambda at: django_redis(
        at, **UPPER, CONNECTION_POOL_KWARGS={"socket_timeout": 60}
    ),
    "django-redis, a minute in the URL, which wins": lambda at: django_redis(at, "?socket_timeout=60", **UPPER),
    "django-redis, retries": lambda at: django_redis(
        at, **UPPER, SOCKET_CONNECT_TIMEOUT=0.5, CONNECTION_POOL_KWARGS={"retry": Retry(NoBackoff(), 5)}
    ),
    "django-redis, shards": lambda at: django_redis(at, **SHARDS),
    "django-redis, a herd": lambda at: django_redis(at, **HERD),
    "pymemcache": lambda at: memcached_of(at, "PyMemcacheCache"),
    "pymemcache that ignores errors": lambda at: memcached_of(at, "PyMemcacheCache", ignore_exc=True),
    "pymemcache, a pool": lambda at: memcached_of(at, "PyMemcacheCache", use_pooling=True),
    "pymemcache, a minute": lambda at: memcached_of(at, "PyMemcacheCache", timeout=60, connect_timeout=0.5),
}
QUICK: dict[str, Any] = {
    "redis": lambda at: redis_of(at, **LIMITS),
    "redis, for answers alone": lambda at: redis_of(at, **LIMIT),
    "redis by the URL": lambda at: redis_of(at, query="?socket_timeout=0.5&socket_connect_timeout=0.5"),
    "redis by the URL, which wins": lambda at: redis_of(at, query="?socket_timeout=0.5", socket_timeout=60),
    "redis, one retry": lambda at: redis_of(at, **LIMITS, retry_on_timeout=True),
    "redis of the site": lambda at: redis_of(at, f"{__name__}.OfTheSite", **LIMITS),
    "django-redis": lambda at: django_redis(at, **UPPER),
    "django-redis by the pool": lambda at: django_redis(at, CONNECTION_POOL_KWARGS=LIMIT),
    "django-redis by the pool, which wins": lambda at: django_redis(
        at, SOCKET_TIMEOUT=60, CONNECTION_POOL_KWARGS=LIMIT
    ),
    "django-redis by the URL": lambda at: django_redis(at, "?socket_timeout=0.5"),
    "django-redis by the URL, which wins": lambda at: django_redis(at, "?socket_timeout=0.5", SOCKET_TIMEOUT=60),
    "django-redis by a factory of the site": lambda at: django_redis(at, **FACTORY),
    "django-redis, shards": lambda at: django_redis(at, **UPPER, **SHARDS),
    "django-redis, a herd": lambda at: django_redis(at, **UPPER, **HERD),
    "pymemcache": lambda at: memcached_of(at, "PyMemcacheCache", timeout=0.5, connect_timeout=0.5),
    "pymemcache that ignores errors": lambda at: memcached_of(
        at, "PyMemcacheCache", timeout=0.5, connect_timeout=0.5, ignore_exc=True
    ),
}
SILENT: dict[str, dict[str, Any]] = {
    "a file": {
        "BACKEND": DJANGO + "filebased.FileBasedCache",
        "LOCATION": str(Path(tempfile.gettempdir()) / "scope-cache-of-files"),
    },
    "a database": {"BACKEND": DJANGO + "db.DatabaseCache", "LOCATION": "prompts"},
    "one whose client is not known": {"BACKEND": f"{__name__}.Unknown", "LOCATION": "redis://127.0.0.1:1"},
}
if pylibmc:
    SLOW["pylibmc"] = lambda at: memcached_of(at, "PyLibMCCache")
    SLOW["pylibmc, others"] = lambda at: memcached_of(at, "PyLibMCCache", behaviors={"receive_timeout": 500_000})
    QUICK["pylibmc"] = lambda at: memcached_of(at, "PyLibMCCache", **QUICK_POLL)


def deployment_warnings(settings: Any, cache: dict[str, Any]) -> list[CheckMessage]:
    settings.CACHES = {"default": cache}
    settings.SCOPE = {"ORG_ID": "org", "API_KEY": "key", "API_SECRET": "secret"}
    found = run_checks(include_deployment_checks=True)
    return [each for each in found if str(each.id).startswith("scope_django.")]


def as_the_hint_says(cache: dict[str, Any], hint: str) -> dict[str, Any]:
    """CACHES with what the hint names added, as a user would."""
    said = re.fullmatch(
        r"Set CACHES\['default'\] (?:\"OPTIONS\": (\{.*?\}))?(?: and )?(?:\?(\S+) in its LOCATION)?(, with `.*`)?\.",
        hint,
    )
    assert said, hint
    code, query, imports = said.groups()
    names: dict[str, Any] = {}
    if imports:
        exec("\n".join(re.findall("`(.*?)`", imports)), names)
    options = {**cache["OPTIONS"]}
    for name, value in eval(code or "{}", names).items():
        options[name] = {**options[name], **value} if isinstance(options.get(name), dict) else value
    location = f"{cache['LOCATION'].partition('?')[0]}?{query}" if query else cache["LOCATION"]
    return {**cache, "OPTIONS": options, "LOCATION": location}


def holds_up_for_a_moment() -> None:
    with ends_within(4), contextlib.suppress(Exception):
        caches["default"].get("anything")


@pytest.mark.parametrize("make", SLOW.values(), ids=SLOW)
def test_one_that_waits_for_long_is_named_and_the_hint_helps(make: Any, address: str, settings: Any) -> None:
    cache = make(address)
    (message,) = deployment_warnings(settings, cache)
    assert message.id == "scope_django.W003"
    assert re.search("'default', .* for (any time|[0-9.]+ seconds)", message.msg)
    better = as_the_hint_says(cache, str(message.hint))
    assert deployment_warnings(settings, better) == []
    ConnectionFactory._pools.clear()  # as in a new process
    holds_up_for_a_moment()


@pytest.mark.parametrize("make", QUICK.values(), ids=QUICK)
def test_one_that_waits_for_a_moment_is_not(make: Any, address: str, settings: Any) -> None:
    assert deployment_warnings(settings, make(address)) == []
    holds_up_for_a_moment()


RECIPES = dict(re.findall(r"^\| `([\w.]+Cache)` \| `(\{.*\})` \|$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("backend", RECIPES)
def test_so_does_what_the_readme_says_of_each(backend: str, address: str, settings: Any) -> None:
    if "PyLibMC" in backend and pylibmc is None:
        return
    location = f"redis://{address}/3" if "redis" in backend else address
    cache = {"BACKEND": backend, "LOCATION": location}
    assert [each.id for each in deployment_warnings(settings, cache)] == ["scope_django.W003"]
    assert deployment_warnings(settings, {**cache, "OPTIONS": eval(RECIPES[backend])}) == []
    store = DjangoStore("default")
    store.check_client()
    assert not store.may_hang
    holds_up_for_a_moment()


@pytest.mark.parametrize("cache", SILENT.values(), ids=SILENT)
def test_one_without_a_client_that_is_known_is_not(cache: dict[str, Any], settings: Any) -> None:
    assert deployment_warnings(settings, cache) == []


def test_of_sentinels_too(settings: Any) -> None:
    """Their own clients retry by default since redis-py 6."""
    cache = django_redis("mymaster", **SENTINEL)
    (message,) = deployment_warnings(settings, cache)
    assert deployment_warnings(settings, as_the_hint_says(cache, str(message.hint))) == []
    quick = {"SENTINEL_KWARGS": STRICT, **UPPER}
    assert deployment_warnings(settings, django_redis("mymaster", **SENTINEL, **quick)) == []


def test_what_another_cache_of_the_same_url_has_is_not_taken_for_its_own(address: str, settings: Any) -> None:
    """django-redis has a pool for each URL, with the options of the cache that was used first."""
    settings.CACHES = {"default": django_redis(address, **UPPER)}
    holds_up_for_a_moment()
    assert deployment_warnings(settings, django_redis(address)) != []


@pytest.mark.parametrize("make", [*SLOW.values(), *QUICK.values()], ids=[*SLOW, *(f"{name}, quick" for name in QUICK)])
def test_nothing_is_sent(make: Any, settings: Any) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        deployment_warnings(settings, make("{}:{}".format(*listening.getsockname())))
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
