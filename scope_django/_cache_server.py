"""The server behind a cache of Django: whether one that hangs holds readers up, and what CACHES must say against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.cache import caches
from django.core.cache.backends.memcached import PyLibMCCache
from django.core.cache.backends.redis import RedisCache

from scope_client.frameworks import Patience, check_client, pass_on, patience_of

_FOR_RETRY = "with `from redis.backoff import NoBackoff` and `from redis.retry import Retry`"
# django-redis ignores the lower-case names of redis-py among its OPTIONS.
_OPTION_OF_DJANGO_REDIS = {
    "socket_timeout": "SOCKET_TIMEOUT",
    "socket_connect_timeout": "SOCKET_CONNECT_TIMEOUT",
    "sentinel_kwargs": "SENTINEL_KWARGS",
}
_POOL_OPTIONS = "CONNECTION_POOL_KWARGS"
_NO_SERVER = "/dev/null/none"  # pylibmc connects when it is asked for its limits, for four seconds by default


class CacheServer:
    """Asked by a backend that is made for this and sends nothing.

    Args:
        alias: A key of CACHES.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._cache: Any = caches.create_connection(alias)
        if isinstance(self._cache, PyLibMCCache):
            self._cache._servers = [_NO_SERVER]  # type: ignore[attr-defined]  # which the stubs do not know

    @property
    def patience(self) -> Patience | None:
        """Of the client that is the slowest to give up; None if none is known to have a limit."""
        found = [each for each in map(patience_of, _clients_of(self._cache)) if each is not None]
        return max(found, key=lambda each: each.lost.total, default=None)

    def may_hang(self) -> bool:
        """Logs a warning if it may hold readers up for long; raises ConfigurationError if a client is asynchronous."""
        return any(check_client(client, in_framework=self.settings) for client in _clients_of(self._cache))

    def settings(self, missing: Mapping[str, str]) -> str:
        """What CACHES must say so that the client has these keywords."""
        params = caches.settings[self._alias]
        in_url = [name for name in missing if name in _names_in_urls(params.get("LOCATION", ""))]
        options = {name: value for name, value in missing.items() if name not in in_url}
        if hasattr(getattr(self._cache, "client", None), "connection_factory"):
            options = _of_django_redis(options, params.get("OPTIONS") or {})
        told = [f'"OPTIONS": {_code(options)}'] if options else []
        if in_url:
            told.append("?" + "&".join(f"{name}={missing[name]}" for name in in_url) + " in its LOCATION")
        return f"CACHES[{self._alias!r}] {' and '.join(told)}" + (f", {_FOR_RETRY}" if "Retry(" in str(told) else "")


def server_of(alias: str) -> CacheServer | None:
    """None if the cache cannot be made: the first read will show it."""
    try:
        return CacheServer(alias)
    except Exception as error:  # noqa: BLE001  # whatever the backend raises
        pass_on(error)
        return None


def read_where_it_writes(cache: Any) -> None:
    """Of several servers in its LOCATION, the backends for Redis write to the first and read from any other."""
    if isinstance(cache, RedisCache):
        client: Any = cache._cache
        pool_index = client._get_connection_pool_index
        client._get_connection_pool_index = lambda write: pool_index(write=True)
        return
    client = getattr(cache, "client", None)
    client_index = getattr(client, "get_next_client_index", None)  # of django-redis and its kin
    if client_index is not None:
        client.get_next_client_index = lambda write=True, tried=None: client_index(write=True, tried=tried)


def _clients_of(cache: Any) -> list[Any]:
    """What talks to the server: Django's own backends have it in `_cache`, django-redis and its kin in `client`."""
    try:
        inner = getattr(cache, "client", None) or getattr(cache, "_cache", None)
        factory = getattr(inner, "connection_factory", None)
        if factory is not None:
            # That of the class has the pool of whoever used this LOCATION first, with other OPTIONS perhaps.
            factory._pools = {}
        shards = getattr(inner, "_serverdict", None)
        if shards is not None:
            return [factory.connect(url) for url in shards] if factory is not None else list(shards.values())
        get_client = getattr(inner, "get_client", None)
        return [inner if get_client is None else get_client(write=True)]
    except Exception as error:  # noqa: BLE001  # the first read will show it
        pass_on(error)
        return []


def _names_in_urls(location: Any) -> set[str]:
    """The options in the URLs of servers, which win over OPTIONS."""
    urls = str(location).split(",") if isinstance(location, str) else list(map(str, location))
    return {name for url in urls for name in parse_qs(urlsplit(url).query)}


def _of_django_redis(options: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """Those for the pool win over its own names, and have no other name for the rest."""
    for_pool = given.get(_POOL_OPTIONS) or {}
    has_name = {name for name in options if name in _OPTION_OF_DJANGO_REDIS and name not in for_pool}
    pool = {name: value for name, value in options.items() if name not in has_name}
    told = {_OPTION_OF_DJANGO_REDIS[name]: options[name] for name in options if name in has_name}
    return {**told, **({_POOL_OPTIONS: _code(pool)} if pool else {})}


def _code(options: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {value}' for name, value in options.items()) + "}"
