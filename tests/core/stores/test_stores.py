"""Our own stores: what every CacheStore promises, and what they do besides."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest
import redis
from faults.clock import ManualClock, ends_within, eventually
from faults.ids import by_repr
from faults.redisserver import RedisServer
from faults.store_contract import Later, SharedStoreContract

from scope_client import (
    ApiKeyCredentials,
    CacheStore,
    Configuration,
    ConfigurationError,
    MemoryStore,
    RedisStore,
    ScopeClient,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class TestMemoryStore(SharedStoreContract):
    is_shared_with_children = False  # a child starts with an empty one

    @pytest.fixture
    def store(self, clock: ManualClock) -> CacheStore:
        return MemoryStore(timer=lambda: clock.time)

    @pytest.fixture
    def later(self, clock: ManualClock) -> Later:
        return clock.passes


class OnRedis(SharedStoreContract):
    @pytest.fixture
    def later(self, redis_server: RedisServer) -> Later:
        return redis_server.passes

    def test_what_others_keep_there_that_is_not_text_of_ours_is_not_there(
        self, store: CacheStore, redis_server: RedisServer
    ) -> None:
        with redis_server.connected() as connection:
            connection.set("bytes", b"\xff\xfe\x00")
            connection.rpush("list", "a")
        assert "list" not in store.get_many(["bytes", "list"])
        store.set("bytes", "1", 60)
        assert store.get_many(["bytes"]) == {"bytes": "1"}


class TestRedisStoreOfAURL(OnRedis):
    @pytest.fixture
    def store(self, redis_server: RedisServer) -> Iterator[CacheStore]:
        with redis_server.store() as store:
            yield store


class TestRedisStoreOfAClient(OnRedis):
    @pytest.fixture
    def store(self, redis_server: RedisServer) -> Iterator[CacheStore]:
        with redis_server.connected() as connection:
            yield RedisStore(connection)

    def test_what_is_not_text_takes_nothing_else_away(self, store: CacheStore, redis_server: RedisServer) -> None:
        with redis_server.connected() as connection:
            connection.set("bytes", b"\xff\xfe\x00")
        store.set("text", "1", 60)
        assert store.get_many(["bytes", "text"])["text"] == "1"


class TestRedisStoreOfAClientThatDecodes(OnRedis):
    @pytest.fixture
    def store(self, redis_server: RedisServer) -> Iterator[CacheStore]:
        with redis_server.connected(decode_responses=True) as connection:
            yield RedisStore(connection)


def test_memory_forgets_after_ttl_seconds_by_its_timer(clock: ManualClock) -> None:
    store = MemoryStore(timer=lambda: clock.time)
    store.set("a", "1", 10)
    store.set("b", "2", None)
    assert store.add("lock", "1", 5)
    clock.passes(4.9)
    assert not store.add("lock", "2", 5)
    clock.passes(0.1)
    assert store.add("lock", "3", 5)
    clock.passes(4.9)
    assert store.get_many(["a"]) == {"a": "1"}
    clock.passes(0.1)
    assert store.get_many(["a", "b"]) == {"b": "2"}
    clock.passes(1e9)
    store.delete("a")
    assert store.get_many(["b"]) == {"b": "2"}


def test_memory_that_is_full_loses_the_one_unread_for_longest() -> None:
    store = MemoryStore(maxsize=3)
    for name in "abc":
        store.set(name, name, None)
    store.get_many(["a"])
    store.set("d", "d", None)
    assert set(store.get_many(list("abcd"))) == {"a", "c", "d"}


def test_memory_has_a_timer_of_its_own() -> None:
    store = MemoryStore()
    store.set("short", "1", 0.001)
    store.set("long", "1", 3600)
    eventually(lambda: store.get_many(["short", "long"]) == {"long": "1"})


def test_redis_forgets_by_itself(redis_server: RedisServer) -> None:
    with redis_server.store() as store:
        store.set("short", "1", 0.0001)
        store.set("long", "1", 3600.4)
        store.set("for ever", "1", None)
        eventually(lambda: set(store.get_many(["short", "long", "for ever"])) == {"long", "for ever"})
    with redis_server.connected() as connection:
        assert 3590 < connection.ttl("long") <= 3601
        assert connection.ttl("for ever") == -1


def test_a_redis_that_is_not_there_or_hangs_raises_within_a_second(redis_server: RedisServer, closed_port: int) -> None:
    with redis_server.store() as store:
        store.set("a", "1", 60)
        redis_server.pause()
        with ends_within(5), pytest.raises(redis.TimeoutError):
            store.get_many(["a"])
        redis_server.resume()
        assert store.get_many(["a"]) == {"a": "1"}
    with pytest.raises(redis.ConnectionError):
        RedisStore(f"redis://127.0.0.1:{closed_port}").set("a", "1", None)


@pytest.mark.parametrize("server", [None, 5, b"redis://localhost", object(), {}, [], True], ids=by_repr)
def test_what_is_neither_a_url_nor_a_client_is_a_configuration_error(server: object) -> None:
    with pytest.raises(ConfigurationError, match=r"RedisStore takes a URL or a redis\.Redis"):
        RedisStore(server)


def test_it_says_what_it_got_in_place_of_a_client() -> None:
    with pytest.raises(ConfigurationError, match=r"RedisStore takes a URL or a redis\.Redis, got int$"):
        RedisStore(5)


def test_without_redis_py_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"RedisStore.* redis.*scope-prompts\[redis\]"):
        RedisStore("redis://localhost")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://localhost?no_such_option=1", "no_such_option"),
        ("redis://localhost?socket_timeout=abc", r"\(.*socket_timeout"),
        ("redis://localhost:abc", "a number as its port"),
        ("redis://localhost?no_such_option=a@b", "percent-encoded"),
        ("redis://:p/x@localhost", "percent-encoded"),
    ],
)
def test_a_url_that_cannot_be_used_is_explained(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^RedisStore takes a URL such as redis://localhost:6379/0 .*{said}"):
        RedisStore(url)


@pytest.mark.parametrize(
    ("ttl", "milliseconds"),
    [(60, 60_000), (0.0015, 2), (0.0001, 1), (0, 1), (1e12, 10 * 365 * 24 * 3600 * 1000), (None, None)],
)
def test_a_ttl_is_sent_in_milliseconds_one_at_the_least_and_ten_years_at_the_most(
    ttl: float | None, milliseconds: int | None
) -> None:
    class Recording(redis.Redis):
        def set(self, *_: object, **options: object) -> bool:
            sent.append(options["px"])
            return True

    sent: list[object] = []
    with Recording() as client:
        store = RedisStore(client)
        store.set("a", "1", ttl)
        if ttl is not None:
            assert store.add("a", "1", ttl) is True
    assert set(sent) == {milliseconds}


@pytest.mark.parametrize(
    "url",
    [
        *("", "localhost:6379", "http://localhost", "redis://localhost:abc", "redis://localhost:99999999"),
        *("redis://[::1", "redis://:hunter2@localhost:abc", "localhost:6379:hunter2"),
        *("redis://localhost?socket_timeout=abc", "redis://localhost?no_such_option=1"),
    ],
)
def test_a_url_that_is_none_is_a_configuration_error_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        RedisStore(url)
    assert "hunter2" not in str(raised.value)
    assert "redis://" in str(raised.value)


PASSWORD = "hunter2hunter2"
URLS_WITH_A_PASSWORD_IN_THE_OPEN = [
    *("redis://:pa/{}@localhost:6379/0", "redis://:{}/x@localhost", "rediss://user:{}/x@localhost:1"),
    *("redis://:12/{}@localhost:1/0", "redis://:p@12/{}@localhost:1", "redis://:p@{}/x@localhost:1"),
    *("redis://:{}#x@localhost", "redis://:x#{}@localhost:1", "redis://:12#{}@localhost"),
    *(
        "redis://:{}?x@localhost",
        "redis://:12?{}@localhost",
        "redis://:12?{}=1@localhost",
        "redis://:12?a={}@localhost",
    ),
    *(
        "redis://user:12?{}=1@localhost",
        "redis://:p@12?{}=1@localhost",
        "redis://:[{}@localhost",
        "redis://:{}]@localhost",
    ),
    *("redis://:{}", "redis://user:{}", "redis://:{}:6379", "redis://localhost:1:{}", "redis:/:{}@localhost", "{}"),
    *(
        "unix://:{}/x@/tmp/socket",
        "unix://:12/{}@/tmp/socket",
        "redis://:\u2603{}/x@localhost",
        "redis://:\n{}/@localhost",
    ),
]


@pytest.mark.parametrize("url", URLS_WITH_A_PASSWORD_IN_THE_OPEN)
def test_a_password_that_is_not_percent_encoded_is_a_configuration_error_without_any_of_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        RedisStore(url.format(PASSWORD))
    assert PASSWORD[:6] not in str(raised.value)
    assert "redis://" in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        *("redis://:a%2Fb%23c%3Fd%40e@127.0.0.1:1/0", "redis://user:p:a%@127.0.0.1:1", "redis://user@127.0.0.1:1"),
        *("redis://127.0.0.1:1/0?client_name=me@home", "redis://:p@127.0.0.1:1/0?client_name=me@home"),
        *("unix:///tmp/a@b.sock", "unix://:p@/tmp/a@b.sock?db=1", "redis://:a@b@127.0.0.1:1"),
    ],
)
def test_a_url_that_can_be_read_is_taken(url: str) -> None:
    with pytest.raises(redis.ConnectionError):
        RedisStore(url).set("a", "1", None)


@pytest.mark.parametrize("store", [RedisStore, MemoryStore, {}, "redis://localhost", object()], ids=by_repr)
def test_what_is_no_store_is_a_configuration_error(store: object) -> None:
    with pytest.raises(ConfigurationError, match="cache_store must be"):
        Configuration(cache_store=store)


def test_no_repr_shows_the_password(keys: ApiKeyCredentials) -> None:
    url = "redis://someone:hunter2@127.0.0.1:1/0"
    for store in (RedisStore(url), RedisStore(redis.Redis.from_url(url))):
        config = Configuration(cache_store=store, credentials=keys)
        shown = [store, str(store), config, str(config), config.to_dict(), ScopeClient(config=config)]
        assert "hunter2" not in repr(shown)
        assert repr(store) == "RedisStore(...)"
        assert "RedisStore" in repr(config)


def test_making_a_store_connects_nowhere_and_starts_no_thread() -> None:
    before = set(threading.enumerate())
    RedisStore("redis://192.0.2.1:1")
    MemoryStore()
    assert set(threading.enumerate()) <= before
