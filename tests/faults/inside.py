"""What no public name shows of a client: the one place in the tests that knows its rooms by their private names."""

from __future__ import annotations

import gc
import math
import socket
import threading
from collections import deque
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from scope_client import RedisStore, ScopeClient, _process, _telemetry
from scope_client._cache.loading import Load
from scope_client._cache.shared_entry import lock_text, new_id
from scope_client._flight import Flights
from scope_client._flight import _Flight as Flight
from scope_client._http.budget import Budget
from scope_client._http.tokens import Token
from scope_client._prompt.ref import PromptRef
from scope_client._stores.answer_limit import AnswerLimit

if TYPE_CHECKING:
    import pytest
    import requests
    from faults.rig import Rig

    from scope_client import ScopeError
    from scope_client._background import Background
    from scope_client._cache.cache import PromptCache
    from scope_client._cache.fleet_locks import FleetLocks, Lock
    from scope_client._cache.lock_heartbeat import LockHeartbeat
    from scope_client._cache.memory import Entry
    from scope_client._cache.shared_store import SharedStore
    from scope_client._flight import State
    from scope_client._http.tokens import Tokens
    from scope_client._prompt.prompt_read import PromptRead
    from scope_client._rooms import Rooms

PROCESS = _process._process
HOOKS = (_telemetry.requests, _telemetry.responses, _telemetry.errors, _telemetry.cache)
LOCKS = (type(threading.Lock()), type(threading.RLock()))
NOT_ENTERED = (ModuleType, CodeType, FrameType, str, bytes, int, float, complex, bool, type(None))
NOT_THE_CLIENTS = ("logging", "pytest", "_pytest", "faults", "hypothesis", "socketserver", "http.server")


def rooms(client: ScopeClient) -> Rooms:
    return client._rooms


def background(client: ScopeClient) -> Background:
    return client._rooms.background


def starts_no_thread(rig: Rig | Rooms) -> None:
    """As if the threads of its background got no time to begin."""
    rig.background._start = lambda mark: True


def loads(rig: Rig, ref: PromptRef) -> PromptRead:
    """What a flight gives that begins now."""
    return rig.cache._loader.load(Load(ref, Budget(rig.clock.clock.now)))


def looks_into_its_store(rig: Rig, ref: PromptRef) -> None:
    """As another thread would do it behind the readers."""
    rig.cache._fleet.look_up(ref)


def is_looking_at_its_folder(client: ScopeClient) -> bool:
    assert client._rooms.bundle is not None
    return not client._rooms.bundle._background.is_idle


def flights(client: ScopeClient) -> Flights[Any]:
    return client._rooms.cache._flights


def leave_flight(flights: Flights[Any], key: str, state: State) -> None:
    """What an interrupt leaves that struck its leader after the end of the call, and before anybody was told."""
    flights._board(key, -1).state = state


def give_token(tokens: Tokens, text: str) -> None:
    """One that lives for long."""
    tokens._token = Token(text, 1e9, 1e9)


def refuse_token(tokens: Tokens, error: ScopeError) -> None:
    """What a try to buy one ends with."""
    tokens._was_refused(error)


def is_fetching(client: ScopeClient) -> bool:
    return bool(flights_of(client._rooms.cache))


def flights_of(cache: PromptCache) -> int:
    """How many fetches are under way."""
    return len(cache._flights.by_key)


def entry(client: ScopeClient, name: str = "greeting") -> Entry:
    return client._entries[name]


def shared(client: ScopeClient) -> SharedStore:
    assert client._rooms.shared is not None
    return client._rooms.shared


def store_key(client: ScopeClient, name: str = "greeting") -> str:
    return store_key_of(shared(client), PromptRef.of(name))


def hold_lock(shared: SharedStore, ref: PromptRef, seconds: float, silent_for: float | None = None) -> str:
    """Takes the fleet's lock for a prompt, as a process would which then says nothing for so long; its key."""
    lock = lock_of(shared, ref)
    assert shared._store.add(lock, lock_text(new_id(), silent_for), seconds)
    return lock


def is_watching(heartbeat: LockHeartbeat) -> bool:
    return not heartbeat._background.is_idle


def announces(shared: SharedStore, lock: Lock, silent_for: float) -> None:
    """As the heartbeat does."""
    shared._locks.announce(lock, silent_for)


def lock_of(shared: SharedStore, ref: PromptRef) -> str:
    """The key of the fleet's lock for a prompt, as it is now."""
    return shared.lock_for(ref, shared.find(ref)).key


def refused_locks(locks: FleetLocks) -> int:
    """How many are counted just now."""
    return len(locks._refused)


def store_key_of(shared: SharedStore, ref: PromptRef) -> str:
    return shared._key(ref)


def ends_the_rest_of_the_store(client: ScopeClient) -> None:
    """As if the seconds for which a store that failed is left alone had gone by."""
    shared(client)._breaker._breaker.may_be_asked()


def is_troubled(client: ScopeClient) -> bool:
    """Whether the client knows of an outage, of all or of one prompt."""
    return bool(client._rooms.platform._breaker.failures or client._rooms.platform.failing)


def redis_of(store: RedisStore) -> Any:
    return store._redis


def looked_into(client: ScopeClient) -> tuple[object, object]:
    """What a read is answered from at once."""
    return client._entries, client._others


def closes_the_slow_path(client: ScopeClient) -> None:
    """From now on a read is answered at once from memory, or fails."""
    del client._reading


def retries_of_cluster(store: RedisStore) -> int:
    """How often the client of a cluster tries again what fails; redis-py 5 has a number of its own for it."""
    client = store._redis
    is_apart = "cluster_error_retry_attempts" in vars(client)
    return int(client.cluster_error_retry_attempts if is_apart else client.retry.get_retries())


def connections_of(store: RedisStore) -> list[Any]:
    """Those that a store by URL has open and does not use."""
    return list(store._redis.connection_pool._available_connections)


def ends_the_time_of_the_last_answer(store: RedisStore) -> None:
    for connection in connections_of(store):
        connection._sock._left = -math.inf


def time_limit_of(connection: Any) -> float:
    """Seconds, of the socket itself."""
    return float(connection._sock.gettimeout())


def is_limited(connection: Any) -> bool:
    """Whether redis-py reads from this connection by way of our time limit for a whole answer."""
    reads_from = connection._parser
    sockets = connection._sock, getattr(reads_from, "_sock", None) or reads_from._buffer._sock
    return all(isinstance(each, AnswerLimit) for each in sockets)


def session(client: ScopeClient) -> requests.Session:
    return client._rooms.source._exchange._line.session


def lets_connections_rest(client: ScopeClient, seconds: float) -> None:
    """As if the client's idle connections had been idle for so many seconds more."""
    for adapter in session(client).adapters.values():
        for manager in (adapter.poolmanager, *adapter.proxy_manager.values()):
            for pool in manager.pools._container.values():
                for connection in filter(None, pool.pool.queue):
                    since, wall = connection.rests_since
                    connection.rests_since = since - seconds, wall


def answers_with(client: ScopeClient, version: object) -> None:
    """Many reads in little time: no fetch goes any further than this."""
    client._rooms.source.fetch = lambda ref, budget: version


def is_reading_an_answer() -> bool:
    from scope_client._http import connections

    return any(each.sock and each.sock._io_refs for each in connections._connections)


class Graph:
    """Every object that a client, or whatever else, holds on to; classes and modules are nobody's."""

    def __init__(self, *roots: object) -> None:
        self._found: dict[int, tuple[object, str]] = {}
        waiting = deque((root, type(root).__name__) for root in roots)
        while waiting:
            each, path = waiting.popleft()
            if id(each) in self._found or isinstance(each, (NOT_ENTERED, type)) or _is_foreign(each):
                continue
            self._found[id(each)] = each, path
            waiting.extend((held, f"{path}.{type(held).__name__}") for held in _held_by(each))

    @property
    def locks(self) -> list[object]:
        return self._of(LOCKS)

    @property
    def sockets(self) -> list[object]:
        """The open ones."""
        return [each for each in self._of(socket.socket) if each.fileno() >= 0]

    @property
    def flights(self) -> list[object]:
        return self._of(Flight)

    @property
    def texts(self) -> list[str | bytes]:
        """Those that the objects found hold."""
        return [text for each, _ in self._found.values() for text in _held_by(each) if isinstance(text, (str, bytes))]

    @property
    def threads(self) -> list[object]:
        return self._of(threading.Thread)

    def paths_of_what_is_also_in(self, other: Graph, of_these: list[object]) -> list[str]:
        """How one gets to those of these objects that the other graph, whose objects live on, has as well."""
        return [self._found[id(each)][1] for each in of_these if id(each) in other._found]

    def _of(self, kinds: Any) -> list[Any]:
        return [each for each, _ in self._found.values() if isinstance(each, kinds)]


def _held_by(each: object) -> list[object]:
    if isinstance(each, (FunctionType, MethodType)):  # not their globals, which are a module's
        closure = getattr(each, "__closure__", None) or ()
        return [*closure, getattr(each, "__self__", None)]
    return gc.get_referents(each)


def _is_foreign(each: object) -> bool:
    return type(each).__module__.split(".")[0] in NOT_THE_CLIENTS or type(each).__module__ in NOT_THE_CLIENTS


def forgets_the_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not warned of a synchronous read on an event loop yet."""
    monkeypatch.setattr("scope_client._running_loop._has_warned", False)
