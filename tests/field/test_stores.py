"""Redis as people run it: clusters, Sentinel, Valkey; and clients of asyncio, which no reader could wait for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

import aiocache
import cachelib
import pytest
import redis
import redis.asyncio
import redis.asyncio.sentinel
import valkey
import valkey.asyncio
from faults.child import Child, held
from faults.clock import ends_within
from faults.crowd import crowd
from faults.daemon import PATIENCE
from faults.inside import redis_of
from faults.reading import content, reads, warnings
from faults.rediscluster import SentinelServer, ThreeNodes
from faults.redisserver import RedisServer
from faults.store_contract import Later, SharedStoreContract
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkey.backoff import NoBackoff as NoBackoffOfValkey
from valkey.retry import Retry as RetryOfValkey

from scope_client import CacheStore, Configuration, ConfigurationError, NotFoundError, RedisStore, ScopeClient
from scope_client.local import LocalPlatform
from scope_flask import Scope

LIMITS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
STRICT = {**LIMITS, "retry": Retry(NoBackoff(), 0)}
Commands = dict[str, int]


@pytest.fixture(scope="module")
def started_cluster() -> Iterator[ThreeNodes]:
    with ThreeNodes() as started:
        yield started


@pytest.fixture
def cluster(started_cluster: ThreeNodes) -> ThreeNodes:
    """A real one of three nodes, running and empty."""
    started_cluster.reset()
    return started_cluster


@pytest.fixture
def sentinel(redis_server: RedisServer) -> Iterator[SentinelServer]:
    with SentinelServer(redis_server) as started:
        yield started


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello!", "other": "Bye!"}) as started:
        yield started


def cluster_client(cluster: ThreeNodes) -> redis.RedisCluster:
    apart = {"cluster_error_retry_attempts": 0} if redis.VERSION < (6,) else {}  # of what `retry` says
    return redis.RedisCluster.from_url(cluster.url, **STRICT, **apart)


def valkey_cluster_client(cluster: ThreeNodes) -> valkey.ValkeyCluster:
    retry = RetryOfValkey(NoBackoffOfValkey(), 0)
    return valkey.ValkeyCluster(*cluster.addresses[0], retry=retry, cluster_error_retry_attempts=0, **LIMITS)


class OnCluster(SharedStoreContract):
    rounds = 10

    @pytest.fixture
    def later(self, cluster: ThreeNodes) -> Later:
        return cluster.passes


class TestTheURLOfACluster(OnCluster):
    @pytest.fixture
    def store(self, cluster: ThreeNodes) -> Iterator[CacheStore]:
        with cluster.store() as store:
            yield store


class TestARedisCluster(OnCluster):
    @pytest.fixture
    def store(self, cluster: ThreeNodes) -> Iterator[CacheStore]:
        with cluster_client(cluster) as client:
            yield RedisStore(client)


class TestAValkeyCluster(OnCluster):
    @pytest.fixture
    def store(self, cluster: ThreeNodes) -> Iterator[CacheStore]:
        with valkey_cluster_client(cluster) as client:
            yield RedisStore(client)


class OnOneServer(SharedStoreContract):
    rounds = 10

    @pytest.fixture
    def later(self, redis_server: RedisServer) -> Later:
        return redis_server.passes


class TestAMasterOfSentinel(OnOneServer):
    @pytest.fixture
    def store(self, sentinel: SentinelServer) -> Iterator[CacheStore]:
        with master_for(sentinel) as client:
            yield RedisStore(client)


class TestAValkey(OnOneServer):
    @pytest.fixture
    def store(self, redis_server: RedisServer) -> Iterator[CacheStore]:
        with valkey.Valkey.from_url(redis_server.url, socket_timeout=PATIENCE) as client:
            yield RedisStore(client)


@contextlib.contextmanager
def master_for(sentinel: SentinelServer) -> Iterator[redis.Redis]:
    strict = {"sentinel_kwargs": STRICT, **STRICT}
    watching = redis.sentinel.Sentinel([("127.0.0.1", sentinel.port)], **strict)
    with watching.master_for("mymaster", **STRICT) as client:
        yield client
    for each in watching.sentinels:
        each.close()


def of_a_url(cluster: ThreeNodes) -> Any:
    return cluster.url


@pytest.mark.parametrize("given", [of_a_url, cluster_client, valkey_cluster_client])
def test_a_fleet_on_a_cluster_fetches_once_and_warns_of_nothing(
    given: Callable[[ThreeNodes], Any], cluster: ThreeNodes, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"prompt-{number}" for number in range(10)]
    for name in names:
        platform.publish(name, f"content of {name}")
    for environment in ("production", "staging", "test"):  # keys of one slot each, which lie on any of the nodes
        clients = [platform.client(cache_store=RedisStore(given(cluster)), environment=environment) for _ in range(3)]
        for client in clients:
            assert [content(client, name) for name in names] == [f"content of {name}" for name in names]
        clients[0].clear_cache()
    assert reads(platform) == 3 * len(names)
    assert not warnings(caplog)


def test_threads_that_find_the_cluster_at_once_share_it(
    cluster: ThreeNodes, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"prompt-{number}" for number in range(8)]
    for name in names:
        platform.publish(name, "Hello!")
    for environment in ("production", "staging", "test"):
        client, waiting = platform.client(cache_store=RedisStore(cluster.url), environment=environment), iter(names)
        assert crowd(8, lambda: content(client, next(waiting))) == ["Hello!"] * 8  # noqa: B023  # all end here
    assert "one node of a cluster" not in caplog.text


def test_nothing_is_sent_to_a_cluster_before_the_first_read(cluster: ThreeNodes) -> None:
    before = [_commands(node) for node in cluster.nodes]
    RedisStore(cluster.url)
    assert [_commands(node) for node in cluster.nodes] == before


@pytest.mark.parametrize("make", [cluster_client, valkey_cluster_client])
def test_a_fork_while_other_threads_hold_the_locks_of_a_cluster(make: Callable[..., Any], cluster: ThreeNodes) -> None:
    with make(cluster) as client, contextlib.ExitStack() as holding:
        store = RedisStore(client)
        keys = [f"{{{number}}}" for number in range(20)]
        for key in keys:
            store.set(key, "there", 100)
        locks = locks_of(client)
        assert len(locks) >= 2 + 2 * len(cluster.addresses)
        for lock in locks:
            holding.enter_context(held(lock))

        def looks_for_the_nodes_again() -> Mapping[str, str]:
            client.nodes_manager.initialize()
            return store.get_many(keys)

        assert Child(looks_for_the_nodes_again).outcome() == dict.fromkeys(keys, "there")


def locks_of(client: Any) -> list[Any]:
    """Those of a client of a cluster that it takes for a question, of its nodes too."""
    servers = [getattr(node, "redis_connection", None) or node.valkey_connection for node in client.get_nodes()]
    holders = [client, client.nodes_manager, *(server.connection_pool for server in servers)]
    names = ("_lock", "_fork_lock", "_initialization_lock")
    return [getattr(holder, name) for holder in holders for name in names if hasattr(holder, name)]


def test_a_url_of_a_cluster_is_found_again_in_a_child(cluster: ThreeNodes) -> None:
    with cluster.store() as store:
        store.set("{a}", "there", 100)
        with held(redis_of(store).nodes_manager._lock):
            assert Child(lambda: store.get_many(["{a}"])).outcome() == {"{a}": "there"}


@pytest.mark.parametrize("given", [of_a_url, cluster_client, valkey_cluster_client])
def test_a_cluster_that_hangs_is_a_miss_within_seconds_one_warning_and_is_used_again(
    given: Callable[[ThreeNodes], Any], cluster: ThreeNodes, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    client = platform.client(cache_store=RedisStore(given(cluster)), cache_local_ttl=0)
    content(client)
    cluster.pause()
    with ends_within(8):
        assert content(client) == "Hello!"
    with ends_within(2):
        assert [content(client, "other") for _ in range(20)] == ["Bye!"] * 20
    assert len(warnings(caplog, "scope_client.store")) == 1


@pytest.mark.parametrize("kind", [redis.Redis, valkey.Valkey])
def test_a_client_of_one_node_shares_what_is_on_it_and_else_says_which_class_to_use(
    kind: Any, cluster: ThreeNodes, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    shared, apart = 0, 0
    for host, port in cluster.addresses:
        before = reads(platform)
        for _ in range(2):
            with kind(host, port, socket_timeout=0.5, socket_connect_timeout=0.5) as server:
                client = platform.client(cache_store=RedisStore(server), cache_local_ttl=0)
                assert [content(client), content(client, "other"), content(client)] == ["Hello!", "Bye!", "Hello!"]
        shared += reads(platform) - before == 2
        apart += reads(platform) - before == 4
    assert (shared, apart) == (0, 2) or (shared, apart) == (1, 2)
    told = [text for text in warnings(caplog, "scope_client.store") if "goes on with its own" in text]
    assert len(told) == 4
    assert all("redis.RedisCluster" in text for text in told)


def test_a_fleet_behind_sentinel_fetches_once(
    sentinel: SentinelServer, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        with master_for(sentinel) as client:
            assert content(platform.client(cache_store=RedisStore(client))) == "Hello!"
    assert reads(platform) == 1
    assert not warnings(caplog)


def test_a_fleet_on_valkey_fetches_once(
    redis_server: RedisServer, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        with valkey.Valkey.from_url(redis_server.url, **LIMITS) as client:
            assert content(platform.client(cache_store=RedisStore(client))) == "Hello!"
    assert reads(platform) == 1
    assert not warnings(caplog)


def test_a_read_that_fetches_and_keeps_takes_three_commands_and_a_hit_one(
    redis_server: RedisServer, platform: LocalPlatform
) -> None:
    with redis_server.store() as store:
        client = platform.client(cache_store=store, cache_local_ttl=0)
        before = _commands(redis_server)
        content(client)
        after = _commands(redis_server)
        assert _difference(before, after) == {"mget": 1, "set": 2}
        content(client)
        assert _difference(after, _commands(redis_server)) == {"mget": 1}


def test_so_it_does_on_a_cluster(cluster: ThreeNodes, platform: LocalPlatform) -> None:
    with cluster_client(cluster) as server:
        client = platform.client(cache_store=RedisStore(server), cache_local_ttl=0)
        before = _of_all(cluster)
        content(client)
        after = _of_all(cluster)
        assert _difference(before, after) == {"mget": 1, "set": 2}


def _commands(server: RedisServer) -> Commands:
    with server.connected() as connection:
        seen = connection.info("commandstats")
    ours = ("mget", "get", "set", "setnx", "expire", "del")
    return {name: seen.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ours}


def _of_all(cluster: ThreeNodes) -> Commands:
    each = [_commands(node) for node in cluster.nodes]
    return {name: sum(one[name] for one in each) for name in each[0]}


def _difference(before: Commands, after: Commands) -> Commands:
    return {name: after[name] - count for name, count in before.items() if after[name] != count}


ASYNCHRONOUS: dict[str, Callable[[], Any]] = {
    "redis": redis.asyncio.Redis,
    "redis by URL": lambda: redis.asyncio.from_url("redis://localhost"),
    "redis cluster": lambda: redis.asyncio.RedisCluster(host="localhost"),
    "redis sentinel": lambda: redis.asyncio.sentinel.Sentinel([("localhost", 1)]).master_for("mymaster"),
    "valkey": valkey.asyncio.Valkey,
}


@pytest.mark.parametrize("make", ASYNCHRONOUS.values(), ids=ASYNCHRONOUS)
def test_an_asynchronous_client_is_a_configuration_error_that_says_what_to_give(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"synchronous client.* is asynchronous"):
        RedisStore(make())


@pytest.fixture(autouse=True)
def event_loop_to_make_them_in() -> Iterator[None]:
    """Python 3.9 wants one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def test_a_user_of_redis_needs_no_more_than_the_manual_says(
    redis_server: RedisServer, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    commands = ["+get", "+mget", "+set", "+del"]
    with redis_server.connected() as connection:
        connection.acl_setuser("scope", enabled=True, passwords=["+few"], keys=["scope:*"], commands=commands)
        try:
            store = RedisStore(f"redis://scope:few@127.0.0.1:{redis_server.port}/0")
            clients = [platform.client(cache_store=store) for _ in range(2)]
            assert [content(client) for client in clients] == ["Hello!"] * 2
            clients[0].clear_cache()
            with pytest.raises(NotFoundError):
                clients[0].get_prompt_version("misspelt")
            assert [content(client) for client in clients] == ["Hello!"] * 2
            assert clients[0].status().counters["store_failures"] == 0
        finally:
            connection.acl_deluser("scope")
    assert warnings(caplog) == []


class Asynchronous:
    """As somebody writes one who has only clients of asyncio."""

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {}

    async def set(self, key: str, value: str, ttl: float | None) -> None:
        pass

    async def add(self, key: str, value: str, ttl: float) -> bool:
        return True

    async def delete(self, key: str) -> None:
        pass


class PartlyAsynchronous(Asynchronous):
    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {}

    def set(self, key: str, value: str, ttl: float | None) -> None:
        pass

    def delete(self, key: str) -> None:
        pass


STORES: dict[str, Callable[[], Any]] = {
    "one of the user's": Asynchronous,
    "one with a method": PartlyAsynchronous,
    "aiocache": aiocache.SimpleMemoryCache,
    "aiocache on Redis": lambda: aiocache.RedisCache(redis.asyncio.Redis()),
    "redis": redis.asyncio.Redis,
    "valkey": valkey.asyncio.Valkey,
}


@pytest.mark.parametrize("make", STORES.values(), ids=STORES)
def test_a_store_with_coroutine_methods_is_a_configuration_error(make: Callable[[], Any]) -> None:
    for give in (Configuration, ScopeClient):
        with pytest.raises(ConfigurationError, match=r"cache_store must be a CacheStore .* is asynchronous"):
            give(cache_store=make())


@pytest.mark.parametrize("make", [*STORES.values(), lambda: cachelib.RedisCache(redis.asyncio.Redis())])
def test_so_it_is_for_flask(make: Callable[[], Any], platform: LocalPlatform) -> None:
    app = Flask("site")
    app.config.from_mapping(SCOPE_CACHE=make(), SCOPE_CREDENTIALS=platform.credentials)
    with pytest.raises(ConfigurationError, match="asynchronous"), app.app_context():
        Scope(app).client.status()
