"""Caches behind a Flask app that wait for long if their server hangs: the settings that a warning names end that."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import cachelib
import pymemcache.serde
import pytest
from faults.clock import ends_within
from faults.memcached import Memcached, pylibmc
from faults.reading import content, reads, warnings
from faults.rediscluster import ThreeNodes
from flask import Flask
from flask_caching import Cache
from pymemcache.client.hash import HashClient
from pymemcache.client.retrying import RetryingClient
from redis.backoff import NoBackoff
from redis.retry import Retry

from scope_client import ScopeClient
from scope_client.local import LocalPlatform
from scope_flask import Scope

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "integrations" / "flask.md").read_text()
NAMES = {
    "Retry": Retry,
    "NoBackoff": NoBackoff,
    "HashClient": HashClient,
    "pickle_serde": pymemcache.serde.pickle_serde,
}
LIMITS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
LOGIN = {"CACHE_MEMCACHED_USERNAME": "somebody", "CACHE_MEMCACHED_PASSWORD": "something"}
SENTINEL = {"CACHE_TYPE": "RedisSentinelCache", "CACHE_REDIS_SENTINELS": [("127.0.0.1", 1)]}
Config = dict[str, Any]


def redis_at(address: str, **more: Any) -> Config:
    host, port = address.split(":")
    return {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": host, "CACHE_REDIS_PORT": int(port), **more}


def memcached_at(address: str, **more: Any) -> Config:
    return {"CACHE_TYPE": "MemcachedCache", "CACHE_MEMCACHED_SERVERS": [address], **more}


SLOW: dict[str, Callable[[str], Config]] = {
    "redis": redis_at,
    "redis that retries": lambda at: redis_at(at, CACHE_OPTIONS=LIMITS),
    "redis by URL": lambda at: {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": f"redis://{at}/0"},
    "sentinels": lambda _: SENTINEL,
    "sentinels of which one does not give up": lambda _: {**SENTINEL, "CACHE_OPTIONS": LIMITS},
    "memcached": memcached_at,
}
if pylibmc:
    SLOW["memcached with a login"] = lambda at: memcached_at(at, **LOGIN, CACHE_TYPE="SASLMemcachedCache")


@pytest.fixture
def address() -> Iterator[str]:
    """Of a server that takes connections and never answers."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield "{}:{}".format(*listening.getsockname())


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello!", "other": "Bye!"}) as started:
        yield started


def client_of(platform: LocalPlatform, cache: Any) -> ScopeClient:
    app = Flask("site")
    keys, url = platform.credentials, platform.url
    app.config.from_mapping(SCOPE_CREDENTIALS=keys, SCOPE_BASE_URL=url, SCOPE_AUTH_API_URL=url)
    app.config.from_mapping(SCOPE_CACHE=cache, SCOPE_CACHE_LOCAL_TTL=0)
    if isinstance(cache, Cache):
        cache.init_app(app)
    scope = Scope(app)
    with app.app_context():
        return scope.client


def told(platform: LocalPlatform, cache: Any, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    client_of(platform, cache)
    return warnings(caplog, "scope_client.store")


def as_it_says(config: Config, said: str) -> Config:
    """The settings with what a warning names."""
    options = re.search(r"CACHE_OPTIONS=(\{.*?\})\)", said)
    query = re.search(r"CACHE_REDIS_URL=\.\.\.(\?\S+?), ", said)
    servers = re.search(r"CACHE_MEMCACHED_SERVERS=(HashClient\(.*?\)), with", said)
    better = []
    if query and "CACHE_REDIS_URL" in config:
        better.append({**config, "CACHE_REDIS_URL": config["CACHE_REDIS_URL"] + query[1]})
    elif options:
        better.append({**config, "CACHE_OPTIONS": {**config.get("CACHE_OPTIONS", {}), **eval(options[1], NAMES)}})
    if servers:
        code = servers[1].replace("[...]", repr(config["CACHE_MEMCACHED_SERVERS"]))
        better.append({**config, "CACHE_MEMCACHED_SERVERS": eval(code, NAMES)})
    assert len(better) == 1, said
    return better[0]


@pytest.mark.parametrize("make", SLOW.values(), ids=SLOW)
def test_what_is_named_ends_the_warning_and_the_wait(
    make: Callable[[str], Config], address: str, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    config = make(address)
    (said,) = told(platform, Cache(config=config), caplog)
    better = as_it_says(config, said)
    assert told(platform, Cache(config=better), caplog) == []
    client = client_of(platform, Cache(config=better))
    with ends_within(8):
        assert [content(client), content(client, "other")] == ["Hello!", "Bye!"]


def test_so_does_it_on_a_cluster(platform: LocalPlatform, caplog: pytest.LogCaptureFixture) -> None:
    with ThreeNodes() as cluster:
        nodes = ",".join("{}:{}".format(*each) for each in cluster.addresses)
        config = {"CACHE_TYPE": "RedisClusterCache", "CACHE_REDIS_CLUSTER": nodes}
        (said,) = told(platform, Cache(config=config), caplog)
        better = as_it_says(config, said)
        assert told(platform, Cache(config=better), caplog) == []


def test_a_memcached_as_the_warning_has_it_shares_what_was_fetched(
    memcached: Memcached, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    config = memcached_at(memcached.address)
    (said,) = told(platform, Cache(config=config), caplog)
    for _ in range(2):
        better = as_it_says(config, said)
        assert content(client_of(platform, Cache(config=better))) == "Hello!"
        better["CACHE_MEMCACHED_SERVERS"].close()
    assert reads(platform) == 1


@pytest.mark.parametrize(("attempts", "delay", "is_slow"), [(2, 0, False), (4, 0, True), (2, 3, True)])
def test_a_client_of_pymemcache_that_tries_again(
    attempts: int, delay: float, is_slow: bool, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    strict = HashClient(["127.0.0.1:1"], timeout=0.5, connect_timeout=0.5)
    said = told(platform, cachelib.MemcachedCache(RetryingClient(strict, attempts, delay)), caplog)
    assert [f"{attempts} times over" in each and "attempts=1" in each for each in said] == [True] * is_slow


RECIPES = re.findall(r"^\| .*(?:Flask-Caching|cachelib|its).* \| `(.*)` \|$", PAGE, re.MULTILINE)


def test_the_manual_has_a_recipe_for_each_kind() -> None:
    assert [re.split(r"\W", recipe)[0] for recipe in RECIPES] == [
        *("RedisCache", "CACHE_REDIS_URL", "CACHE_OPTIONS"),
        *("CACHE_MEMCACHED_SERVERS", "MemcachedCache"),
    ]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: re.split(r"[=(]", recipe)[0])
def test_what_the_readme_says_ends_the_wait(
    recipe: str, address: str, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = address.split(":")
    code = re.sub(r"localhost(:\d+)?", address, recipe).replace(
        f'RedisCache("{address}"', f'RedisCache("{host}", {port}'
    )
    if code.startswith("CACHE_"):
        config = eval(f"dict({code})", NAMES)
        kind = "MemcachedCache" if "CACHE_MEMCACHED_SERVERS" in config else "RedisCache"
        cache: Any = Cache(config={**redis_at(address, CACHE_TYPE=kind), **config})
    else:
        cache = eval(code, {**NAMES, "RedisCache": cachelib.RedisCache, "MemcachedCache": cachelib.MemcachedCache})
    assert told(platform, cache, caplog) == []
    client = client_of(platform, cache)
    with ends_within(8):
        assert [content(client), content(client, "other")] == ["Hello!", "Bye!"]
