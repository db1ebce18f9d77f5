"""What a CacheStore promises, asked of each of ours."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

import pytest
import redis
from faults.clock import ManualClock, eventually
from faults.crowd import crowd
from faults.redisserver import RedisServer

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

KEY = "scope:1:0123456789abcdef0123:0123456789abcdef0123456789abcdef"
TEXTS = ["", "0", "null", "Grüße, 世界 🎈", "a\x00b", '{"a": "\\ud800"}', "line\r\nline", " ", "x" * 3_000_000]


class TestMemoryStore:
    """The contract, and the store in this process."""

    @pytest.fixture
    def store(self) -> CacheStore:
        return MemoryStore()

    def test_it_is_a_cache_store(self, store: CacheStore) -> None:
        assert isinstance(store, CacheStore)
        assert Configuration(cache_store=store).cache_store is store

    def test_of_many_keys_only_those_that_are_there_come_back(self, store: CacheStore) -> None:
        store.set("a", "1", 60)
        store.set("b", "2", None)
        assert dict(store.get_many(["a", "b", "c"])) == {"a": "1", "b": "2"}
        assert dict(store.get_many(["c"])) == {}
        assert dict(store.get_many(("b", "b"))) == {"b": "2"}

    @pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:20]))
    @pytest.mark.parametrize("ttl", [60, 0.5, None])
    def test_a_text_comes_back_as_it_was(self, text: str, ttl: float | None, store: CacheStore) -> None:
        store.set(KEY, text, ttl)
        found = store.get_many([KEY])[KEY]
        assert found == text
        assert type(found) is str

    @pytest.mark.parametrize("ttl", [86_400 * 365 * 100, 1e13, 1e17, 1e300], ids=repr)
    def test_any_number_of_seconds_is_a_time(self, ttl: float, store: CacheStore) -> None:
        """Configuration takes any finite stale_if_error."""
        store.set(KEY, "kept", ttl)
        assert store.get_many([KEY]) == {KEY: "kept"}

    def test_set_replaces_and_a_later_ttl_counts(self, store: CacheStore) -> None:
        store.set("a", "1", 0.05)
        store.set("a", "2", None)
        store.set("b", "1", None)
        store.set("b", "2", 0.05)
        eventually(lambda: not store.get_many(["b"]))
        assert store.get_many(["a"]) == {"a": "2"}

    def test_add_keeps_what_is_there_until_it_ends(self, store: CacheStore) -> None:
        assert store.add("a", "1", 0.2) is True
        assert store.add("a", "2", 60) is False
        assert store.get_many(["a"]).get("a", "1") == "1"
        eventually(lambda: store.add("a", "3", 60))
        assert store.get_many(["a"]) == {"a": "3"}

    def test_add_does_not_replace_what_was_set(self, store: CacheStore) -> None:
        store.set("a", "1", None)
        assert store.add("a", "2", 60) is False
        store.delete("a")
        assert store.add("a", "2", 60) is True

    def test_of_16_threads_that_add_at_once_one_wins(self, store: CacheStore) -> None:
        for round_ in range(30):
            numbers = itertools.count()
            won = crowd(16, lambda: store.add(f"lock-{round_}", str(next(numbers)), 60))  # noqa: B023  # all end here
            assert sorted(won) == [False] * 15 + [True]

    def test_delete_removes_and_does_not_mind_what_is_not_there(self, store: CacheStore) -> None:
        store.set("a", "1", 60)
        store.set("b", "2", 60)
        store.delete("a")
        store.delete("a")
        store.delete("never there")
        assert store.get_many(["a", "b"]) == {"b": "2"}

    def test_threads_that_do_everything_at_once_get_whole_values(self, store: CacheStore) -> None:
        texts = {str(number): str(number) * 10_000 for number in range(5)}

        def work() -> None:
            for number in range(50):
                key = str(number % 5)
                store.set(key, texts[key], 60 if number % 2 else None)
                assert all(texts[found] == value for found, value in store.get_many(list(texts)).items())
                if number % 7 == 0:
                    store.delete(key)
                store.add(key, texts[key], 60)

        assert crowd(8, work) == [None] * 8


class TestRedisStoreOfAURL(TestMemoryStore):
    @pytest.fixture
    def store(self, redis_server: RedisServer) -> Iterator[CacheStore]:
        store = RedisStore(redis_server.url)
        yield store
        store._redis.close()

    def test_what_others_keep_there_that_is_no_text_of_ours_is_not_there(
        self, store: CacheStore, redis_server: RedisServer
    ) -> None:
        with redis_server.connected() as connection:
            connection.set("bytes", b"\xff\xfe\x00")
            connection.rpush("list", "a")
        assert "list" not in store.get_many(["bytes", "list"])
        store.set("bytes", "1", 60)
        assert store.get_many(["bytes"]) == {"bytes": "1"}


class TestRedisStoreOfAClient(TestRedisStoreOfAURL):
    @pytest.fixture
    def store(self, redis_server: RedisServer) -> Iterator[CacheStore]:
        with redis_server.connected() as connection:
            yield RedisStore(connection)


class TestRedisStoreOfAClientThatDecodes(TestRedisStoreOfAURL):
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


def test_redis_forgets_by_itself(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url)
    store.set("short", "1", 0.0001)
    store.set("long", "1", 3600.4)
    store.set("for ever", "1", None)
    eventually(lambda: set(store.get_many(["short", "long", "for ever"])) == {"long", "for ever"})
    with redis_server.connected() as connection:
        assert 3590 < connection.ttl("long") <= 3601
        assert connection.ttl("for ever") == -1
    store._redis.close()


def test_a_redis_that_is_not_there_or_hangs_raises_within_a_second(redis_server: RedisServer, closed_port: int) -> None:
    store = RedisStore(redis_server.url)
    store.set("a", "1", 60)
    redis_server.pause()
    started = time.monotonic()
    with pytest.raises(redis.TimeoutError):
        store.get_many(["a"])
    assert time.monotonic() - started < 5
    redis_server.resume()
    assert store.get_many(["a"]) == {"a": "1"}
    store._redis.close()
    with pytest.raises(redis.ConnectionError):
        RedisStore(f"redis://127.0.0.1:{closed_port}").set("a", "1", None)


@pytest.mark.parametrize("server", [None, 5, b"redis://localhost", object(), {}, [], True], ids=repr)
def test_what_is_neither_a_url_nor_a_client_is_a_configuration_error(server: object) -> None:
    with pytest.raises(ConfigurationError, match=r"RedisStore takes a URL or a redis\.Redis"):
        RedisStore(server)


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


@pytest.mark.parametrize("store", [RedisStore, MemoryStore, {}, "redis://localhost", object()], ids=repr)
def test_what_is_no_store_is_a_configuration_error(store: object) -> None:
    with pytest.raises(ConfigurationError, match="cache_store must be"):
        Configuration(cache_store=store)


def test_no_repr_shows_the_password(keys: ApiKeyCredentials) -> None:
    url = "redis://someone:hunter2@127.0.0.1:1/0"
    for store in (RedisStore(url), RedisStore(redis.Redis.from_url(url))):
        config = Configuration(cache_store=store, credentials=keys)
        shown = [store, str(store), config, str(config), config.to_dict(), ScopeClient(config=config)]
        assert "hunter2" not in repr(shown)
        assert "RedisStore" in repr(config)


def test_making_a_store_connects_nowhere_and_starts_no_thread() -> None:
    before = threading.active_count()
    RedisStore("redis://192.0.2.1:1")
    MemoryStore()
    assert threading.active_count() == before
