"""Whatever somebody else has written under a key of ours, in any of Django's caches: a miss, which is healed."""

from __future__ import annotations

import base64
import os
import pickle
import zlib
from typing import TYPE_CHECKING, Any, Callable

import pytest
from django.core.cache import caches
from django.db import connections
from django_app.caching import Caching, joined
from faults.clock import ManualClock
from faults.greeting import GREETING
from faults.reading import content, reads, warnings
from faults.watched_store import WatchedStore

from scope_client.local import LocalPlatform
from scope_django._store import DjangoStore

if TYPE_CHECKING:
    pass

GARBAGE = {
    "nothing": b"",
    "bytes": b"\xff\xfe\x00",
    "text": b"plain text",
    "digits": b"12345",
    "digits without end": b"9" * 5000,
    "a broken pickle": pickle.dumps("text")[:-3],
    "half a pickle": pickle.dumps({"a": "text" * 100})[:50],
    "a pickle of a number": pickle.dumps(5),
    "a pickle of None": pickle.dumps(None),
    "a pickle of bytes": pickle.dumps(b"bytes"),
    "a pickle of a list": pickle.dumps([{"a": 1}]),
    "a pickle of a class of a module that is gone": b"cno_such_module\nGone\n.",
    "a pickle of a name that is gone": b"cos\nno_such_name\n.",
    "a pickle of a later protocol": b"\x80\x63.",
    "a pickle of garbage text": pickle.dumps("not JSON"),
    "a pickle of JSON that is not ours": pickle.dumps('{"schema": 1, "version": {}}'),
    "compressed garbage": zlib.compress(b"\xff\xfe"),
}


class Raw:
    """Writes bytes past Django where its caches keep a key of ours."""

    def __init__(self, kind: str, request: pytest.FixtureRequest) -> None:
        self._kind = kind
        self._request = request

    def write(self, key: str, octets: bytes) -> None:
        getattr(self, f"_{self._kind}")(key, octets)

    def _redis(self, key: str, octets: bytes) -> None:
        with self._request.getfixturevalue("redis_server").connected() as connection:
            connection.set(caches["default"].make_key(key), octets)

    def _memcached(self, key: str, octets: bytes) -> None:
        with self._request.getfixturevalue("memcached").connected() as client:
            client.set(caches["default"].make_key(key), octets, flags=1, noreply=False)  # a pickle, it says

    def _file(self, key: str, octets: bytes) -> None:
        path = caches["default"]._key_to_file(key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as opened:
            opened.write(octets)

    def _locmem(self, key: str, octets: bytes) -> None:
        cache = caches["default"]
        made = cache.make_key(key)
        with cache._lock:
            cache._cache[made] = octets
            cache._expire_info[made] = None

    def _database_file(self, key: str, octets: bytes) -> None:
        self.row(key, base64.b64encode(octets).decode(), "2100-01-01 00:00:00")

    def row(self, key: str, value: str, expires: str) -> None:
        with connections["file"].cursor() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO cached_prompts (cache_key, value, expires) VALUES (%s, %s, %s)",
                [caches["default"].make_key(key), value, expires],
            )


def assert_healed(platform: LocalPlatform, spoil: Callable[[str], None], caplog: Any) -> None:
    """What is at our keys is a miss for each who comes, until the next fetch has replaced it."""
    clock = ManualClock()

    def read() -> str:
        return content(joined(platform, clock=clock.clock))

    watched = WatchedStore(DjangoStore("default"))
    first = joined(platform, clock=clock.clock, cache_store=watched)
    content(first)
    key = watched.entry
    spoil(key)
    assert read() == GREETING
    assert reads(platform) == 2
    assert read() == GREETING
    assert reads(platform) == 2, "it is not replaced"
    spoil(f"{key}:lock")
    spoil(key)
    assert read() == read() == GREETING
    assert reads(platform) == 3, "it is not replaced"
    spoil(f"{key.rsplit(':', 1)[0]}:generation")
    assert read() == content(first) == GREETING
    first.clear_cache()
    platform.publish("greeting", "new")
    assert read() == content(first) == "new"
    assert reads(platform) == 4
    assert not warnings(caplog)


@pytest.mark.parametrize("octets", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("kind", ["locmem", "file", "database_file", "redis", "memcached"])
def test_garbage_under_keys_of_ours_is_a_miss_and_is_replaced(
    kind: str, octets: bytes, caching: Caching, platform: LocalPlatform, request: pytest.FixtureRequest, caplog: Any
) -> None:
    caching.use(kind)
    raw = Raw(kind, request)
    assert_healed(platform, lambda key: raw.write(key, octets), caplog)


@pytest.mark.parametrize("flags", [0, 2, 4, 8, 16, 255, 65535])
@pytest.mark.parametrize("octets", [b"\xff\xfe", b"", b"1.5", pickle.dumps("text")], ids=repr)
def test_garbage_in_memcached_of_any_kind_that_a_client_can_mark_it_as_is_a_miss(
    octets: bytes, flags: int, caching: Caching, platform: LocalPlatform, memcached: Any, caplog: Any
) -> None:
    caching.use("memcached")

    def spoil(key: str) -> None:
        with memcached.connected() as client:
            client.set(caches["default"].make_key(key), octets, flags=flags, noreply=False)

    assert_healed(platform, spoil, caplog)


@pytest.mark.parametrize("as_what", ["list", "hash"])
def test_another_type_of_value_in_redis_is_a_miss_and_is_replaced(
    as_what: str, caching: Caching, platform: LocalPlatform, redis_server: Any, caplog: Any
) -> None:
    caching.use("redis")

    def spoil(key: str) -> None:
        with redis_server.connected() as connection:
            made = caches["default"].make_key(key)
            connection.delete(made)
            if as_what == "list":
                connection.rpush(made, "a")
            else:
                connection.hset(made, "a", "b")

    assert_healed(platform, spoil, caplog)


ENDS = {"a time to come": "2100-01-01 00:00:00", "no time": "soon", "no date": "2024-99-99 00:00:00", "empty": ""}


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("value", ["", "not base64: é", "abc", "=", "a" * 10_000], ids=lambda value: repr(value[:20]))
def test_garbage_in_a_row_of_the_database_is_a_miss_and_is_replaced(
    value: str, ends: str, caching: Caching, platform: LocalPlatform, request: pytest.FixtureRequest, caplog: Any
) -> None:
    caching.use("database_file")
    raw = Raw("database_file", request)
    assert_healed(platform, lambda key: raw.row(key, value, ends), caplog)


HEADS = {
    "no end": b"",
    "an end that is a text": pickle.dumps("soon"),
    "an end that is a list": pickle.dumps([]),
    "an end and no value": pickle.dumps(None),
    "an end and a value that is not compressed": pickle.dumps(None) + pickle.dumps("text"),
    "an end and a compressed broken pickle": pickle.dumps(None) + zlib.compress(pickle.dumps("text")[:-2]),
    "an end and a cut value": pickle.dumps(None) + zlib.compress(pickle.dumps("text" * 1000))[:-6],
}


@pytest.mark.parametrize("octets", HEADS.values(), ids=HEADS)
def test_garbage_in_a_file_is_a_miss_and_is_replaced(
    octets: bytes, caching: Caching, platform: LocalPlatform, request: pytest.FixtureRequest, caplog: Any
) -> None:
    caching.use("file")
    raw = Raw("file", request)
    assert_healed(platform, lambda key: raw.write(key, octets), caplog)
