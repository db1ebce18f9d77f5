"""How long the client of a cache server may hold a reader up while the server hangs, as the client itself has it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple, Optional

from .._attribute_names import STORE_CLIENT, STORE_SETTINGS
from .._interrupts import pass_on
from .._log import Log
from ..errors import ConfigurationError
from .cache_store import asynchronous_method

_log = Log("scope_client.store")
LONGEST_PATIENCE_SECONDS = 1.5  # half a second each for an answer, and for two connects of one retry
_LONGEST_LIMIT_SECONDS = LONGEST_PATIENCE_SECONDS / 2
_REDIS_LIMITS = {"socket_timeout": "0.5", "socket_connect_timeout": "0.5"}
_NO_RETRIES = {"retry": "Retry(NoBackoff(), 0)"}
_NO_RETRIES_OF_OLD_CLUSTER = {"cluster_error_retry_attempts": "0"}
_SENTINEL_SETTINGS = {
    "sentinel_kwargs": '{"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}'
}
_PYMEMCACHE_LIMITS = {"timeout": "0.5", "connect_timeout": "0.5"}
_ONE_ATTEMPT = {"attempts": "1"}
_PYLIBMC_LIMITS = {"behaviors": '{"connect_timeout": 500, "_poll_timeout": 500}'}
_MEMCACHED_LIMITS = {"socket_timeout": "0.5"}
_MANY_PAUSES = 64


class Wait(NamedTuple):
    """What a call waits for before it fails: so many seconds, so many times, and the pauses in between."""

    seconds: float
    """One time limit of the client, of an answer or of a connect."""
    times: float = 1
    """How often it is waited for: more than once by a client that retries."""
    pauses: float = 0
    """Seconds of all the pauses between the retries, at the most."""

    @property
    def total(self) -> float:
        """Seconds of the whole call."""
        return self.seconds * self.times + self.pauses

    @property
    def is_long(self) -> bool:
        """Whether a reader should not have to wait for it."""
        return self.total > LONGEST_PATIENCE_SECONDS

    def __str__(self) -> str:
        if math.isinf(self.total):
            return "any time"
        repeated = f", {self.times:g} times over" if self.times > 1 else ""
        return f"{self.seconds:g} seconds{repeated}" + (
            f" with {self.pauses:.2g} seconds of pauses" if self.pauses else ""
        )


class Patience(NamedTuple):
    """How long one call of a client may take."""

    hanging: Wait
    """If the server takes connections, and does not answer."""
    lost: Wait
    """If it takes no connections either, as behind a network that is cut; the longer of the two."""
    missing: dict[str, str]
    """The keywords of the client that would make it less, each with its value as Python code."""


def check_client(client: Any, in_framework: Optional[Callable[[Mapping[str, str]], str]] = None) -> bool:
    """Logs a warning for a client without a strict time limit. Nothing is sent, but pylibmc connects.

    Args:
        client: One of redis-py, valkey-py, pymemcache, pylibmc, python-memcached or bmemcached; any other passes.
        in_framework: Says how a framework's own settings spell some keywords of the client, given with their values.

    Returns:
        Whether it was warned of.

    Raises:
        ConfigurationError: Its methods are coroutines.
    """
    method = asynchronous_method(client)
    if method is not None:
        raise ConfigurationError(
            f"a shared cache needs a synchronous client, got {type(client).__module__}.{type(client).__name__}, whose "
            f"{method} is asynchronous: give the client that is not of asyncio"
        )
    found = patience_of(client)
    if found is None or not found.lost.is_long:
        return False
    kind = f"{type(client).__module__.split('.')[0]}.{type(client).__name__}"
    _log.warning(
        "a cache server that hangs would hold readers up for %s: give the %s of the shared cache %s%s",
        found.lost,
        kind,
        ", ".join(f"{name}={value}" for name, value in found.missing.items()),
        "" if in_framework is None else f" ({in_framework(found.missing)})",
        facts={STORE_CLIENT: kind, STORE_SETTINGS: list(found.missing)},
    )
    return True


def patience_of(client: Any) -> Optional[Patience]:
    """How long a call of this client may take. Nothing is sent, but pylibmc connects.

    Args:
        client: As `check_client` takes it.

    Returns:
        With what all of its parts lack; None for one that is not known, or has no limit to set.
    """
    found = list(_patience_of(client))
    if not found:
        return None
    missing: dict[str, str] = {}
    for each in found:
        missing.update(each.missing if each.lost.is_long else {})
    hanging, lost = (max(waits, key=lambda wait: wait.total) for waits in zip(*(each[:2] for each in found)))
    return Patience(hanging, lost, missing)


def _patience_of(client: Any) -> Iterator[Patience]:
    """By what the known clients are called by inside."""
    try:
        if "_retry_delay" in getattr(client, "__dict__", {}):  # one that seems to have every name
            yield from _of_retrying_client(client)
            return
        client = _one_of_pool(client)
        for kind, look in _KINDS.items():
            if hasattr(client, kind):
                yield from look(client)
                return
    except Exception as error:  # noqa: BLE001  # another version of such a library
        pass_on(error)


def _one_of_pool(client: Any) -> Any:
    """A pool of pylibmc's is a queue of clients, or has a master of which each thread's is a copy."""
    queue = getattr(client, "queue", None)
    return queue[0] if queue else getattr(client, "master", client)


def _of_redis(client: Any) -> Iterator[Patience]:
    pool = client.connection_pool
    # It is never connected. It has what was given, and the defaults of its version for the rest.
    connection = pool.connection_class(**pool.connection_kwargs)
    answer, connect = (_limit(getattr(connection, name, 0.0)) for name in _REDIS_LIMITS)
    retries, pauses = _retries(getattr(connection, "retry", None))
    yield Patience(
        Wait(answer, retries + 1, pauses),
        # It tries each connect anew, and this each time that it tries the call anew.
        Wait(max(answer, connect), 1 + retries * (retries + 1), pauses * (retries + 1)),
        _of_limits(max(answer, connect), _NO_RETRIES if retries else {}),
    )
    for sentinel in getattr(getattr(pool, "sentinel_manager", None), "sentinels", ()):
        for found in _of_redis(sentinel):
            yield found._replace(missing=_SENTINEL_SETTINGS)


def _of_cluster(client: Any) -> Iterator[Patience]:
    node = client.get_default_node()
    server = getattr(node, "redis_connection", None) or getattr(node, "valkey_connection", None)
    attempts = getattr(client, "cluster_error_retry_attempts", None)  # of redis-py 5 and valkey-py
    retries, pauses = _retries(client.retry) if attempts is None else (attempts, 0.0)
    no_retries = _NO_RETRIES if attempts is None else _NO_RETRIES_OF_OLD_CLUSTER
    for found in _of_redis(server):
        hanging, lost = (
            Wait(each.seconds, each.times * (retries + 1), each.pauses * (retries + 1) + pauses)
            for each in (found.hanging, found.lost)
        )
        yield Patience(hanging, lost, _of_limits(lost.seconds, no_retries if retries else {}))


def _of_limits(seconds: float, no_retries: Mapping[str, str]) -> dict[str, str]:
    return {**(_REDIS_LIMITS if seconds > _LONGEST_LIMIT_SECONDS else {}), **no_retries}


def _of_retrying_client(client: Any) -> Iterator[Patience]:
    """Of pymemcache, around another one of its clients."""
    attempts = client._attempts
    pauses = client._retry_delay * (attempts - 1)
    for found in _patience_of(client._client):
        hanging, lost = (Wait(each.seconds, attempts, pauses) for each in (found.hanging, found.lost))
        is_slow = lost.seconds > _LONGEST_LIMIT_SECONDS
        yield Patience(hanging, lost, {**(found.missing if is_slow else {}), **(_ONE_ATTEMPT if attempts > 1 else {})})


def _of_pymemcache(client: Any) -> Iterator[Patience]:
    yield _of_one_attempt(client.timeout, client.connect_timeout, _PYMEMCACHE_LIMITS)


def _of_hash_client(client: Any) -> Iterator[Patience]:
    answer, connect = (client.default_kwargs.get(name) for name in _PYMEMCACHE_LIMITS)
    yield _of_one_attempt(answer, connect, _PYMEMCACHE_LIMITS)


def _of_pylibmc(client: Any) -> Iterator[Patience]:
    behaviors = client.behaviors
    connect, answer = (behaviors[name] / 1000 for name in ("connect_timeout", "_poll_timeout"))
    yield _of_one_attempt(answer, connect, _PYLIBMC_LIMITS)


def _of_memcached(client: Any) -> Iterator[Patience]:
    yield _of_one_attempt(client.socket_timeout, client.socket_timeout, _MEMCACHED_LIMITS)


_KINDS: dict[str, Callable[[Any], Iterator[Patience]]] = {
    "nodes_manager": _of_cluster,
    "connection_pool": _of_redis,
    "default_kwargs": _of_hash_client,
    "connect_timeout": _of_pymemcache,
    "behaviors": _of_pylibmc,
    "socket_timeout": _of_memcached,
}


def _of_one_attempt(answer: float | None, connect: float | None, limits: dict[str, str]) -> Patience:
    return Patience(Wait(_limit(answer)), Wait(max(_limit(answer), _limit(connect))), limits)


def _limit(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds


def _retries(retry: Any) -> tuple[float, float]:
    """How many, and the seconds of their pauses at the most. A Retry of less than none goes on for ever."""
    retries = getattr(retry, "_retries", 0)
    if retries < 0:
        return math.inf, math.inf
    backoff: Any = getattr(retry, "_backoff", None)
    longest = getattr(backoff, "_cap", None)
    if longest is None:
        return retries, getattr(backoff, "_backoff", 0.0) * retries
    growing = (min(longest, backoff._base * 2**number) for number in range(1, min(retries, _MANY_PAUSES) + 1))
    return retries, sum(growing) + longest * max(0, retries - _MANY_PAUSES)
