"""RedisStore: a CacheStore on a Redis server or cluster, through redis-py or valkey-py."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from .._extras import missing_extra
from .._foreign_text import printable
from .._fork import held_back, renew_in_children
from .._frames import hides_what_it_was_given
from .._frozen import CopiedAsItself
from .._interrupts import pass_on
from .._redaction import Redaction, Secret, secrets_in_url
from ..errors import ConfigurationError
from .failure import PERCENT_ENCODED, has_password_in_the_open, is_of_a_node, is_of_a_url
from .patience import check_client

if TYPE_CHECKING:
    from redis import Redis
    from redis.cluster import RedisCluster
else:
    Redis = RedisCluster = Any

SERVER_TIMEOUT_SECONDS = 0.5
MAX_KEY_TTL_SECONDS = 10 * 365 * 86_400.0


class RedisStore(CopiedAsItself):
    """A CacheStore on a Redis or Valkey server, or on a cluster of them.

    With a URL, the server has half a second for a connect, and is waited for half a second in all for each answer, to
    its last byte. If it turns out to be a node of a cluster, the whole cluster is used. A client of your own is used as
    it is. It should be as strict:
    redis.Redis(..., socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)). With redis-py's own
    defaults a server that hangs may hold a reader up for half a minute; for a client that is not strict a warning is
    logged. Its `socket_timeout` is the time for each part of an answer, not for the whole.

    Args:
        server: A URL such as redis://localhost:6379/0, or a synchronous client: a `redis.Redis`, one of a `Sentinel`'s
            `master_for`, a `redis.RedisCluster`, or those of valkey-py.

    Raises:
        ConfigurationError: It is neither of the two, it is asynchronous, or redis-py is not installed.
    """

    @hides_what_it_was_given
    def __init__(self, server: Union[str, Redis, RedisCluster]) -> None:
        self._url = Secret(server) if isinstance(server, str) else None
        self._redis: Any = server if self._url is None else _connected(self._url)
        if not callable(getattr(self._redis, "mget", None)):
            raise ConfigurationError(f"RedisStore takes a URL or a redis.Redis, got {type(server).__name__}")
        self.may_hang: bool = check_client(self._redis)
        """Whether a server that hangs may hold a reader up."""
        self._finding = threading.RLock()
        renew_in_children(self)

    def after_fork(self) -> None:
        """redis-py notices a fork by itself, but waits for the locks of its pool, which nobody holds in the child.

        It has a dozen more, one for each connection among them. So what this store made itself is made anew; the
        locks come first, because the old one takes them once more as it goes.
        """
        self._finding = threading.RLock()
        for holder in _lock_holders(self._redis):
            for lock in ("_lock", "_fork_lock", "_initialization_lock"):
                if hasattr(holder, lock):
                    setattr(holder, lock, threading.RLock())
        if self._url is not None:
            # A cluster is found again with the first read: this must not wait for the network.
            self._redis = _connected(self._url)

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        """As in CacheStore."""
        try:
            values = [_text(value) for value in self._ask(_values, keys)]
        except UnicodeDecodeError:  # what somebody else put there
            return {}
        return {key: value for key, value in zip(keys, values) if value is not None}

    def set(self, key: str, value: str, ttl: Optional[float]) -> None:
        """As in CacheStore."""
        self._ask(lambda server: server.set(key, value, px=None if ttl is None else _milliseconds(ttl)))

    def add(self, key: str, value: str, ttl: float) -> bool:
        """As in CacheStore."""
        return bool(self._ask(lambda server: server.set(key, value, px=_milliseconds(ttl), nx=True)))

    def delete(self, key: str) -> None:
        """As in CacheStore."""
        self._ask(lambda server: server.delete(key))

    @hides_what_it_was_given
    def _ask(self, call: Callable[..., Any], *arguments: Any) -> Any:
        server = self._redis
        try:
            return call(server, *arguments)
        except Exception as error:
            pass_on(error)
            if self._url is None or hasattr(server, "nodes_manager") or not is_of_a_node(error):
                raise
        # Not before a node says so: nothing is sent when the store is made. Of many threads that are told at once, one
        # finds the cluster: the others could do no better than wait for it.
        with self._finding:
            if server is self._redis:
                self._redis = _connected_cluster(self._url)
        return call(self._redis, *arguments)

    def __repr__(self) -> str:
        return "RedisStore(...)"


def _connected(url: str) -> Any:
    try:
        with held_back():
            import redis
    except ImportError as error:
        raise ConfigurationError(missing_extra("RedisStore", ("redis",), "redis", error)) from None
    if has_password_in_the_open(url):
        raise ConfigurationError(f"RedisStore takes a URL such as redis://localhost:6379/0 {PERCENT_ENCODED}")
    try:
        connected: Any = redis.Redis.from_url(url, **_limits())
        pool = connected.connection_pool
        pool.connection_class(**pool.connection_kwargs)  # or an unknown option would show with the first read
    except (ValueError, TypeError, redis.RedisError) as error:
        # It may name an option that is a part of a password: one with a question mark in it.
        is_open = not is_of_a_url(error) and "@" not in url.partition("?")[2]
        said = printable(Redaction(secrets_in_url(url)).text(str(error)))
        why = f"({said})" if is_open else PERCENT_ENCODED
        raise ConfigurationError(f"RedisStore takes a URL such as redis://localhost:6379/0 {why}") from None
    return connected


def _connected_cluster(url: str) -> Any:
    with held_back():
        from redis.cluster import RedisCluster

    cluster: Any = RedisCluster.from_url(url, **_limits())
    if hasattr(cluster, "cluster_error_retry_attempts"):  # redis-py 5, where it is apart from `retry`
        cluster.cluster_error_retry_attempts = 0
    return cluster


def _limits() -> dict[str, Any]:
    """Without `retry` redis-py tries again, up to ten times, with pauses."""
    with held_back():  # the last one loads `socket`, which would be a tenth of what the package takes to import
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        from .answer_limit import limit_answers

    return {
        "socket_timeout": SERVER_TIMEOUT_SECONDS,
        "socket_connect_timeout": SERVER_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "redis_connect_func": limit_answers,
    }


def _values(server: Any, keys: Sequence[str]) -> list[Any]:
    """A cluster takes keys of one slot at a time. Those of one client are in one: they share a part in braces."""
    ask = getattr(server, "mget_nonatomic", None) or server.mget
    return ask(keys)  # type: ignore[no-any-return]  # redis-py's


def _lock_holders(client: Any) -> Iterator[Any]:
    yield client
    yield getattr(client, "connection_pool", None)
    manager = getattr(client, "nodes_manager", None)
    yield manager
    for node in list(getattr(manager, "nodes_cache", {}).values()):
        server = getattr(node, "redis_connection", None) or getattr(node, "valkey_connection", None)
        yield getattr(server, "connection_pool", None)


def _text(value: str | bytes | None) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(min(seconds, MAX_KEY_TTL_SECONDS) * 1000))
