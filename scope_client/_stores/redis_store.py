"""RedisStore: a CacheStore on a Redis server, through redis-py."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from .._extras import missing_extra
from .._fork import held_back, renew_in_children
from .._frames import hides_what_it_was_given
from .._log import Log
from .._redaction import Redaction, Secret, secrets_in_url
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from redis import Redis
else:
    Redis = Any

_log = Log("scope_client.store")
SERVER_TIMEOUT_SECONDS = 0.5
LONGEST_PATIENCE_SECONDS = 1.0
MAX_KEY_TTL_SECONDS = 10 * 365 * 86_400.0


class RedisStore:
    """A CacheStore on a Redis server.

    With a URL, the server has half a second for a connect, and half a second for each answer. A `redis.Redis` of your
    own is used as it is. It should be as strict: redis.Redis(..., socket_timeout=0.5, socket_connect_timeout=0.5,
    retry=Retry(NoBackoff(), 0)). With redis-py's own defaults a server that hangs may hold a reader up for half a
    minute; for one without a time limit a warning is logged.

    Args:
        server: A URL such as redis://localhost:6379/0, or a `redis.Redis`.

    Raises:
        ConfigurationError: It is neither of the two, or redis-py is not installed.
    """

    @hides_what_it_was_given
    def __init__(self, server: Union[str, Redis]) -> None:
        self._url = Secret(server) if isinstance(server, str) else None
        self._redis: Any = server if self._url is None else _connected(self._url)
        if not callable(getattr(self._redis, "mget", None)):
            raise ConfigurationError(f"RedisStore takes a URL or a redis.Redis, got {type(server).__name__}")
        warn_of_patience(self._redis)
        renew_in_children(self)

    def after_fork(self) -> None:
        """redis-py notices a fork by itself, but waits for the locks of its pool, which nobody holds in the child.

        It has a dozen more, one for each connection among them. So what this store made itself is made anew; the
        locks come first, because the old one takes them once more as it goes.
        """
        pool = getattr(self._redis, "connection_pool", None)
        for lock in ("_lock", "_fork_lock"):
            if hasattr(pool, lock):
                setattr(pool, lock, threading.RLock())
        if self._url is not None:
            self._redis = _connected(self._url)

    @hides_what_it_was_given
    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        """As in CacheStore."""
        try:
            values = [_text(value) for value in self._redis.mget(keys)]
        except UnicodeDecodeError:  # what somebody else put there
            return {}
        return {key: value for key, value in zip(keys, values) if value is not None}

    @hides_what_it_was_given
    def set(self, key: str, value: str, ttl: Optional[float]) -> None:
        """As in CacheStore."""
        self._redis.set(key, value, px=None if ttl is None else _milliseconds(ttl))

    @hides_what_it_was_given
    def add(self, key: str, value: str, ttl: float) -> bool:
        """As in CacheStore."""
        return bool(self._redis.set(key, value, px=_milliseconds(ttl), nx=True))

    @hides_what_it_was_given
    def delete(self, key: str) -> None:
        """As in CacheStore."""
        self._redis.delete(key)

    def __repr__(self) -> str:
        return "RedisStore(...)"


def _connected(url: str) -> Any:
    try:
        with held_back():
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
    except ImportError as error:
        raise ConfigurationError(missing_extra("RedisStore", ("redis",), "redis", error)) from None
    try:
        connected: Any = redis.Redis.from_url(
            url,
            socket_timeout=SERVER_TIMEOUT_SECONDS,
            socket_connect_timeout=SERVER_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        pool = connected.connection_pool
        pool.connection_class(**pool.connection_kwargs)  # or an unknown option would show with the first read
    except (ValueError, TypeError, redis.RedisError) as error:
        why = Redaction(secrets_in_url(url)).text(str(error))
        raise ConfigurationError(f"RedisStore takes a URL such as redis://localhost:6379/0 ({why})") from None
    return connected


def warn_of_patience(connected: Any) -> None:
    """Logs a warning for a redis.Redis without a time limit."""
    options = getattr(getattr(connected, "connection_pool", None), "connection_kwargs", {})
    limit = options.get("socket_timeout")
    if limit is None or limit > LONGEST_PATIENCE_SECONDS:
        _log.warning(
            "a Redis that hangs would hold readers up: give the redis.Redis a socket_timeout of 0.5, no retries"
        )


def _text(value: str | bytes | None) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(min(seconds, MAX_KEY_TTL_SECONDS) * 1000))
