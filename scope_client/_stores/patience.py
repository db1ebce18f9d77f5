"""How long the client of a cache server may hold a reader up while the server hangs, as far as its settings tell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

from .._interrupts import pass_on
from .._log import Log
from ..errors import ConfigurationError
from .cache_store import asynchronous_method

_log = Log("scope_client.store")
LONGEST_PATIENCE_SECONDS = 1.0
_REDIS_LIMITS = "socket_timeout=0.5, socket_connect_timeout=0.5"
_NO_RETRIES = "retry=Retry(NoBackoff(), 0)"
_NO_RETRIES_OF_OLD_CLUSTER = "cluster_error_retry_attempts=0"
_SENTINEL_SETTINGS = 'sentinel_kwargs={"socket_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}'
_PYMEMCACHE_SETTINGS = "timeout=0.5, connect_timeout=0.5"
_PYLIBMC_SETTINGS = 'behaviors={"connect_timeout": 500, "_poll_timeout": 500}'
_MEMCACHED_SETTINGS = "socket_timeout=0.5"


class Patience(NamedTuple):
    """Seconds for one answer, how often it is waited for, and the settings that would make it less."""

    seconds: float
    times: float
    settings: str


def check_client(client: Any) -> bool:
    """Logs a warning for a client without a strict time limit. Nothing is sent.

    Args:
        client: One of redis-py, valkey-py, pymemcache, pylibmc, python-memcached or bmemcached; any other passes.

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
    for found in _patience_of(client):
        if found.seconds * found.times > LONGEST_PATIENCE_SECONDS:
            name = f"{type(client).__module__.split('.')[0]}.{type(client).__name__}"
            _log.warning(
                "a cache server that hangs would hold readers up for %s: give the %s of the shared cache %s",
                _described(found),
                name,
                found.settings,
            )
            return True
    return False


def _patience_of(client: Any) -> Iterator[Patience]:
    """By what the known clients are called by inside; nothing for one that is not known, or has no limit to set."""
    try:
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
    limits = [getattr(connection, name, 0.0) for name in ("socket_timeout", "socket_connect_timeout")]
    yield _of_limits(_longest(limits), _tries(getattr(connection, "retry", None)), _NO_RETRIES)
    for sentinel in getattr(getattr(pool, "sentinel_manager", None), "sentinels", ()):
        for found in _of_redis(sentinel):
            yield found._replace(settings=_SENTINEL_SETTINGS)


def _of_cluster(client: Any) -> Iterator[Patience]:
    node = client.get_default_node()
    server = getattr(node, "redis_connection", None) or getattr(node, "valkey_connection", None)
    retries = getattr(client, "cluster_error_retry_attempts", None)  # of redis-py 5 and valkey-py
    for found in _of_redis(server):
        if retries is None:
            yield _of_limits(found.seconds, found.times * _tries(client.retry), _NO_RETRIES)
        else:
            yield _of_limits(found.seconds, found.times * (retries + 1), _NO_RETRIES_OF_OLD_CLUSTER)


def _of_limits(seconds: float, times: float, no_retries: str) -> Patience:
    """With those settings that are not there yet."""
    settings = [_REDIS_LIMITS] * (seconds > LONGEST_PATIENCE_SECONDS / 2) + [no_retries] * (times > 1)
    return Patience(seconds, times, ", ".join(settings))


def _of_pymemcache(client: Any) -> Iterator[Patience]:
    yield Patience(_longest([client.timeout, client.connect_timeout]), 1, _PYMEMCACHE_SETTINGS)


def _of_hash_client(client: Any) -> Iterator[Patience]:
    limits = [client.default_kwargs.get(name) for name in ("timeout", "connect_timeout")]
    yield Patience(_longest(limits), 1, _PYMEMCACHE_SETTINGS)


def _of_pylibmc(client: Any) -> Iterator[Patience]:
    limits = [client.behaviors[name] / 1000 for name in ("connect_timeout", "_poll_timeout")]
    yield Patience(_longest(limits), 1, _PYLIBMC_SETTINGS)


def _of_memcached(client: Any) -> Iterator[Patience]:
    yield Patience(_longest([client.socket_timeout]), 1, _MEMCACHED_SETTINGS)


_KINDS: dict[str, Callable[[Any], Iterator[Patience]]] = {
    "nodes_manager": _of_cluster,
    "connection_pool": _of_redis,
    "default_kwargs": _of_hash_client,
    "connect_timeout": _of_pymemcache,
    "behaviors": _of_pylibmc,
    "socket_timeout": _of_memcached,
}


def _longest(limits: list[float | None]) -> float:
    return max(math.inf if limit is None else limit for limit in limits)


def _tries(retry: Any) -> float:
    """A Retry of less than none goes on for ever."""
    retries = getattr(retry, "_retries", 0)
    return math.inf if retries < 0 else retries + 1


def _described(found: Patience) -> str:
    if math.isinf(found.seconds) or math.isinf(found.times):
        return "any time"
    return f"{found.seconds:g} seconds" + (f", {found.times:g} times over" if found.times > 1 else "")
