"""What no public name shows of a client: the one place in the tests that knows its rooms by their private names."""

from __future__ import annotations

import gc
import socket
import threading
from collections import deque
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from scope_client import ScopeClient
from scope_client._flight import Flights
from scope_client._flight import _Flight as Flight

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import requests

    from scope_client._background import Background
    from scope_client._cache.entries import Entry
    from scope_client._cache.fleet import Fleet

LOCKS = (type(threading.Lock()), type(threading.RLock()))
NOT_ENTERED = (ModuleType, CodeType, FrameType, str, bytes, int, float, complex, bool, type(None))
NOT_THE_CLIENTS = ("logging", "pytest", "_pytest", "faults", "hypothesis", "socketserver", "http.server")


def background(client: ScopeClient) -> Background:
    return client._background


def flights(client: ScopeClient) -> Flights[Any]:
    return client._cache._flights


def is_fetching(client: ScopeClient) -> bool:
    return bool(flights(client)._flying)


def entry(client: ScopeClient, name: str = "greeting") -> Entry:
    return client._entries[name]


def fleet(client: ScopeClient) -> Fleet:
    assert client._fleet is not None
    return client._fleet


def lock_key(client: ScopeClient, name: str = "greeting") -> str:
    """The key of the fleet's lock for a prompt."""
    return f"{store_key(client, name)}:lock"


def store_key(client: ScopeClient, name: str = "greeting") -> str:
    from scope_client._prompt.ref import PromptRef

    return fleet(client)._key(PromptRef.of(name))


def ends_the_rest_of_the_store(client: ScopeClient) -> None:
    """As if the seconds for which a store that failed is left alone had gone by."""
    fleet(client)._guard._breaker.may_be_asked()


def is_troubled(client: ScopeClient) -> bool:
    """Whether the client knows of an outage, of all or of one prompt."""
    return bool(client._outage._platform.failures or client._outage._failing)


def session(client: ScopeClient) -> requests.Session:
    return client._source._exchange._line._session


def answers_with(client: ScopeClient, version: object) -> None:
    """Many reads in little time: no fetch goes any further than this."""
    client._source.fetch = lambda ref, budget: version


def reachable(*roots: object) -> Iterator[object]:
    """Every object that a client, or whatever else, holds on to; classes and modules are nobody's."""
    seen: set[int] = set()
    waiting = deque(roots)
    while waiting:
        each = waiting.popleft()
        if id(each) in seen or isinstance(each, (NOT_ENTERED, type)) or _is_foreign(each):
            continue
        seen.add(id(each))
        yield each
        waiting.extend(_held_by(each))


def locks(objects: Iterable[object]) -> list[object]:
    return [each for each in objects if isinstance(each, LOCKS)]


def threads(objects: Iterable[object]) -> list[threading.Thread]:
    return [each for each in objects if isinstance(each, threading.Thread)]


def open_sockets(objects: Iterable[object]) -> list[socket.socket]:
    return [each for each in objects if isinstance(each, socket.socket) and each.fileno() >= 0]


def flights_under_way(objects: Iterable[object]) -> list[object]:
    return [each for each in objects if isinstance(each, Flight)]


def _held_by(each: object) -> list[object]:
    if isinstance(each, (FunctionType, MethodType)):  # not their globals, which are a module's
        closure = getattr(each, "__closure__", None) or ()
        return [*closure, getattr(each, "__self__", None)]
    return gc.get_referents(each)


def _is_foreign(each: object) -> bool:
    return type(each).__module__.split(".")[0] in NOT_THE_CLIENTS or type(each).__module__ in NOT_THE_CLIENTS
