"""Clients of Django sites that share a cache: one fetch for all of them, and never worse than no cache at all."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from django.core.cache import caches
from django_app.caching import Caching, joined
from faults.clock import ManualClock, eventually
from faults.crowd import crowd
from faults.greeting import GREETING
from faults.reading import content, reads, warnings
from faults.watched_store import WatchedStore

from scope_client import NotFoundError
from scope_client.local import LocalPlatform

SHARED = ["locmem", "file", "database", "database_file", "redis", "memcached"]


@pytest.fixture(params=SHARED)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_two_clients_share_one_fetch(kind: str, caching: Caching, platform: LocalPlatform, caplog: Any) -> None:
    caching.use(kind)
    first, second = joined(platform), joined(platform)
    version = first.get_prompt_version("greeting")
    assert second.get_prompt_version("greeting") == version
    assert content(second, label="latest") == content(first, label="latest") == GREETING
    assert reads(platform) == 2
    assert not warnings(caplog)


@pytest.mark.parametrize("kind", ["locmem", "database_file", "redis", "memcached"])
def test_two_clients_that_are_asked_by_many_at_once_make_one_request(
    kind: str, caching: Caching, platform: LocalPlatform, caplog: Any
) -> None:
    caching.use(kind)
    platform.latency = 0.1
    clients = [joined(platform), joined(platform)]
    turns = itertools.count()
    assert crowd(12, lambda: content(clients[next(turns) % 2])) == [GREETING] * 12
    assert reads(platform) == 1
    assert not warnings(caplog)


def test_clear_cache_reaches_the_others_and_leaves_what_is_not_ours(
    kind: str, caching: Caching, platform: LocalPlatform
) -> None:
    caching.use(kind)
    first, second = joined(platform), joined(platform)
    caches["default"].set("theirs", {"kept": True}, 60)
    caches["default"].set("scope:theirs", "kept", 60)
    assert content(first) == content(second) == GREETING
    platform.publish("greeting", "Hello, {{name}}!")
    assert content(second) == GREETING
    first.clear_cache()
    assert content(second) == content(first) == content(joined(platform)) == "Hello, {{name}}!"
    assert reads(platform) == 2
    assert caches["default"].get("theirs") == {"kept": True}
    assert caches["default"].get("scope:theirs") == "kept"


@pytest.mark.parametrize("change", [{"KEY_PREFIX": "theirs"}, {"VERSION": 2}], ids=repr)
def test_key_prefix_and_version_of_the_cache_part_two_sites(
    change: dict, kind: str, caching: Caching, platform: LocalPlatform, settings: Any
) -> None:
    caching.use(kind)
    given = settings.CACHES["default"]
    settings.CACHES = {"default": given, "theirs": {**given, **change}}
    ours, theirs = joined(platform), joined(platform, "theirs")
    content(ours)
    platform.publish("greeting", "Hello!")
    assert content(theirs) == "Hello!"
    theirs.clear_cache()
    assert content(ours) == content(joined(platform)) == GREETING


def test_every_key_in_redis_is_short_ascii_and_has_the_prefix(
    caching: Caching, platform: LocalPlatform, redis_server: Any
) -> None:
    caching.use("redis", KEY_PREFIX="blog")
    client = joined(platform)
    platform.publish("a b/ü", "x")
    for name in ("greeting", "a b/ü"):
        content(client, name)
    client.clear_cache()
    with redis_server.connected() as connection:
        keys = connection.keys("*")
    assert len(keys) == 3
    assert all(key.startswith(b"blog:1:scope:1:") and key.isascii() and len(key) < 100 for key in keys)


def test_nobody_waits_for_the_lock_of_a_fetch_that_has_ended(
    kind: str, caching: Caching, platform: LocalPlatform
) -> None:
    watched = WatchedStore(caching.use(kind))
    for client in [joined(platform, cache_store=watched), joined(platform, cache_store=watched)] * 2:
        assert content(client, cache_ttl=0) == GREETING
        with pytest.raises(NotFoundError):
            content(client, "missing")
    looks = [method for method, *_ in watched.calls if method == "get_many"]
    assert len(looks) == 8  # one a read


def test_an_expired_entry_serves_a_new_process_while_the_platform_is_down(
    kind: str, caching: Caching, platform: LocalPlatform
) -> None:
    caching.use(kind)
    clock = ManualClock()
    content(joined(platform, cache_ttl=60, clock=clock.clock))
    clock.passes(3600)
    platform.fail(503)
    assert content(joined(platform, clock=clock.clock)) == GREETING


def test_each_client_goes_on_with_its_own_memory_if_the_cache_keeps_nothing(
    caching: Caching, platform: LocalPlatform, caplog: Any
) -> None:
    caching.use("dummy")
    clock = ManualClock()
    for _ in range(2):
        client = joined(platform, clock=clock.clock)
        for _ in range(3):
            assert content(client)
            clock.passes(6)
        client.clear_cache()
        assert content(client)
    assert reads(platform) == 4
    assert not warnings(caplog)


class TestAPromptThatIsTooLarge:
    """Memcached takes up to a mebibyte."""

    @pytest.fixture(autouse=True)
    def large(self, caching: Caching, platform: LocalPlatform) -> str:
        caching.use("memcached")
        platform.publish("large", "x" * 1_500_000)
        return "large"

    def test_is_a_miss_and_everything_else_is_shared(self, platform: LocalPlatform, caplog: Any) -> None:
        for _ in range(2):
            client = joined(platform)
            assert len(content(client, "large")) == 1_500_000
            assert content(client) == GREETING
            assert client.status().counters["store_failures"] == 0
        assert reads(platform) == 3
        assert not warnings(caplog)

    def test_is_read_from_memory_by_those_who_have_it(self, platform: LocalPlatform) -> None:
        client = joined(platform)
        assert {len(content(client, "large")) for _ in range(5)} == {1_500_000}
        assert reads(platform) == 1

    def test_is_shared_again_once_it_is_small(self, platform: LocalPlatform, caplog: Any) -> None:
        content(joined(platform), "large")
        platform.publish("large", "small")
        assert content(joined(platform), "large") == content(joined(platform), "large") == "small"
        assert reads(platform) == 2
        assert not warnings(caplog)

    def test_does_not_leave_a_smaller_one_of_before_in_its_place(self, platform: LocalPlatform) -> None:
        platform.publish("large", "small")
        clock = ManualClock()
        first = joined(platform, clock=clock.clock)
        content(first, "large")
        platform.publish("large", "y" * 1_500_000)
        clock.passes(400)
        assert content(first, "large", cache_ttl=0) == "y" * 1_500_000
        assert content(joined(platform, clock=clock.clock), "large") == "y" * 1_500_000


SERVERS = ["redis", "memcached"]


def server_of(request: pytest.FixtureRequest, kind: str) -> Any:
    return request.getfixturevalue("redis_server" if kind == "redis" else "memcached")


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("how", ["stop", "pause"])
def test_a_server_that_is_dead_or_hangs_is_a_miss_and_one_warning(
    how: str, kind: str, caching: Caching, platform: LocalPlatform, request: pytest.FixtureRequest, caplog: Any
) -> None:
    caching.use(kind)
    server = server_of(request, kind)
    known = joined(platform)
    content(known)
    getattr(server, how)()
    platform.publish("other", "another")
    fresh = joined(platform)
    began = time.monotonic()
    assert [content(known), content(known, "other"), content(fresh), content(fresh, "other")] == [
        *(GREETING, "another", GREETING, "another")
    ]
    assert crowd(8, lambda: content(fresh)) == [GREETING] * 8
    assert not fresh.prefetch(["greeting", "other"]).errors
    fresh.clear_cache()
    assert content(fresh) == GREETING
    assert time.monotonic() - began < 30
    warned = [text for text in warnings(caplog) if "shared cache" in text]
    assert len(warned) == 2  # one for each client


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("how", ["stop", "pause"])
def test_a_server_that_comes_back_is_used_again(
    how: str, kind: str, caching: Caching, platform: LocalPlatform, request: pytest.FixtureRequest
) -> None:
    more = {} if kind == "redis" else {"OPTIONS": {"dead_timeout": 0, "retry_timeout": 0}}
    caching.use(kind, **more)
    server = server_of(request, kind)
    clock = ManualClock()
    client = joined(platform, clock=clock.clock)
    content(client)
    getattr(server, how)()
    content(client, label="latest")
    assert client.status().counters["store_failures"]
    server.start()
    server.resume()
    clock.passes(6)
    platform.publish("other", "another")

    def is_shared() -> bool:
        before = reads(platform)
        client.clear_cache()
        content(client, "other")
        content(joined(platform, clock=clock.clock), "other")
        clock.passes(6)
        return reads(platform) == before + 1

    eventually(is_shared)
