"""A cache server, or what stands before it, whose answers come byte by byte: each byte in time, and never the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis
from faults.clock import ends_within
from faults.inside import (
    connections_of,
    ends_the_time_of_the_last_answer,
    is_limited,
    redis_of,
    retries_of_cluster,
    time_limit_of,
)
from faults.reading import content, warnings
from faults.rediscluster import ThreeNodes
from faults.tunnels import Impeded

from scope_client import RedisStore, ScopeClient
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.redisserver import RedisServer

KEY, LONG = "key", "x" * 10_000
PAUSE = 0.1  # of the half second that the server has
QUICK = 5.0  # of the minutes that a whole answer would take


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello!" * 100, "other": "Bye!"}) as started:
        yield started


@pytest.fixture
def dripping(redis_server: RedisServer) -> Iterator[Impeded]:
    with Impeded(redis_server.port) as started:
        yield started


@pytest.fixture
def store(dripping: Impeded) -> Iterator[RedisStore]:
    store = RedisStore(f"redis://127.0.0.1:{dripping.port}/0")
    yield store
    redis_of(store).close()


@pytest.mark.parametrize("is_connected", [True, False])
def test_a_whole_answer_has_half_a_second(is_connected: bool, store: RedisStore, dripping: Impeded) -> None:
    if is_connected:
        store.set(KEY, LONG, 100)
    dripping.pause = PAUSE
    with ends_within(QUICK), pytest.raises(redis.TimeoutError):
        store.get_many([KEY])


def test_the_next_one_has_it_again(store: RedisStore, dripping: Impeded) -> None:
    store.set(KEY, LONG, 100)
    dripping.pause = PAUSE
    with pytest.raises(redis.TimeoutError):
        store.get_many([KEY])
    dripping.pause = None
    for _ in range(3):
        assert store.get_many([KEY]) == {KEY: LONG}


def test_a_server_that_is_too_slow_is_asked_once(store: RedisStore, dripping: Impeded) -> None:
    store.set(KEY, LONG, 100)
    assert dripping.carried == 1
    dripping.delay = QUICK
    with pytest.raises(redis.TimeoutError):
        store.get_many([KEY])
    assert dripping.carried == 1


def test_an_answer_that_comes_in_parts_within_it_is_read(store: RedisStore, dripping: Impeded) -> None:
    dripping.pause = 0.001
    for text in ("short", "rather longer"):
        store.set(KEY, text, 100)
        assert store.get_many([KEY]) == {KEY: text}


def test_what_waits_for_longer_than_that_between_two_questions_is_well(store: RedisStore) -> None:
    store.set(KEY, LONG, 100)
    ends_the_time_of_the_last_answer(store)
    assert store.get_many([KEY]) == {KEY: LONG}


def test_what_is_read_in_parts_leaves_the_time_of_the_next_as_it_is(store: RedisStore, dripping: Impeded) -> None:
    dripping.pause = 0.001
    store.set(KEY, "short", 100)
    (connection,) = connections_of(store)
    assert time_limit_of(connection) == connection.socket_timeout


@pytest.mark.parametrize("began", ["before the first read", "after it"])
def test_readers_are_served_in_time(
    began: str, platform: LocalPlatform, store: RedisStore, dripping: Impeded, caplog: pytest.LogCaptureFixture
) -> None:
    urls: dict[str, Any] = {"base_url": platform.url, "auth_api_url": platform.url}
    with ScopeClient(credentials=platform.credentials, cache_store=store, **urls) as client:
        if began == "after it":
            assert content(client, "other") == "Bye!"
        dripping.pause = PAUSE
        with ends_within(QUICK):
            assert content(client, "greeting") == "Hello!" * 100
        assert len(warnings(caplog)) == 1


def test_it_holds_for_each_node_of_a_cluster() -> None:
    with ThreeNodes() as cluster, cluster.store() as store:
        for number in range(20):
            store.set(f"{KEY}{number}", LONG, 100)
        nodes = redis_of(store).get_nodes()
        pools = [node.redis_connection.connection_pool for node in nodes if node.redis_connection]
        connections = [each for pool in pools for each in pool._available_connections]
        assert len(connections) >= len(cluster.addresses)
        assert all(map(is_limited, connections))
        assert store.get_many([f"{KEY}{number}" for number in range(20)])
        assert retries_of_cluster(store) == 0
