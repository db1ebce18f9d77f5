"""How the settings of Flask-Caching spell the keywords of the client that its cache makes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Callable, Optional

_SENTINEL_KEYWORDS = "sentinel_kwargs"
_SENTINEL_OPTIONS = {
    "sentinel_socket_timeout": "0.5",
    "sentinel_socket_connect_timeout": "0.5",
    "sentinel_retry": "Retry(NoBackoff(), 0)",
}
_IN_URL = {"socket_timeout", "socket_connect_timeout"}
# It passes no options on, and clients of pylibmc are not for several threads.
_CLIENT_FOR_MEMCACHED = (
    "CACHE_MEMCACHED_SERVERS=HashClient([...], timeout=0.5, connect_timeout=0.5, use_pooling=True, serde=pickle_serde)"
    ", with `from pymemcache import HashClient` and `from pymemcache.serde import pickle_serde`"
)


def in_flask_caching(cache: Any) -> Optional[Callable[[Mapping[str, str]], str]]:
    """What says so, for `check_client`; None for a cache that is not one of Flask-Caching."""
    kinds = {kind.__name__ for kind in type(cache).__mro__ if kind.__module__.startswith("flask_caching.")}
    return partial(_settings, kinds) if kinds else None


def _settings(kinds: set[str], missing: Mapping[str, str]) -> str:
    if "MemcachedCache" in kinds and "SASLMemcachedCache" not in kinds:
        return _CLIENT_FOR_MEMCACHED
    options = {name: value for name, value in missing.items() if name != _SENTINEL_KEYWORDS}
    options.update(_SENTINEL_OPTIONS if _SENTINEL_KEYWORDS in missing else {})
    told = "CACHE_OPTIONS={" + ", ".join(f'"{name}": {value}' for name, value in options.items()) + "}"
    if "RedisSentinelCache" in kinds or not set(options) <= _IN_URL:
        return told
    # Before its version 2.4 a client of CACHE_REDIS_URL is made without CACHE_OPTIONS. A URL cannot name the retries.
    in_url = "&".join(f"{name}={value}" for name, value in options.items())
    return f"CACHE_REDIS_URL=...?{in_url}, or without a URL {told}"
