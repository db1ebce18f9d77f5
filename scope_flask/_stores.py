"""CachelibStore: a cachelib cache, or a Flask-Caching Cache, as a CacheStore."""

from __future__ import annotations

import contextlib
import copy
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from flask import Flask
from werkzeug.utils import ImportStringError, import_string

from scope_client import CacheStore, ConfigurationError, RedisStore
from scope_client.frameworks import (
    STORE_METHODS,
    ForeignStore,
    asynchronous_method,
    check_client,
    cut,
    explained,
    has_methods,
    pass_on,
    shown,
)

from ._flask_caching import in_flask_caching

_CACHELIB_METHODS = ("get_dict", "get", "set", "add", "delete")
_CACHE_MUST_BE = (
    "SCOPE_CACHE must be a cachelib cache, a flask_caching.Cache, a CacheStore, the import path of one, "
    "or a URL such as redis://localhost:6379/0, got {}"
)

MAX_ADD_TRIES = 3
_SERVER_CLIENTS = ("_write_client", "_client")


class CachelibStore(ForeignStore):
    """Over a cachelib cache, where a time of 0 means for ever; `find` returns the cache on each use."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    def check_client(self) -> None:
        """Logs a warning for a server's client without a strict time limit, if the cache can be found yet.

        Raises:
            ConfigurationError: The client is asynchronous.
        """
        with contextlib.suppress(RuntimeError):
            cache = self._find()
            names = in_flask_caching(cache)
            self.may_hang = any(check_client(getattr(cache, name, None), names) for name in _SERVER_CLIENTS)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        """Without what would split the fleet: a prefix that is made anew for each request, and replicas that lag.

        A replica would not have a lock that was just taken, nor that the prompts were cleared.
        """
        cache = self._find()
        changes = {}
        if callable(getattr(cache, "key_prefix", None)):
            changes["key_prefix"] = ""
        if getattr(cache, "_read_client", None) is not getattr(cache, "_write_client", None):
            changes["_read_client"] = cache._write_client
        if changes:
            cache = copy.copy(cache)
            vars(cache).update(changes)
        yield cache

    def found(self, cache: Any, keys: Sequence[str]) -> Mapping[str, Any]:
        return cache.get_dict(*keys)  # type: ignore[no-any-return]  # cachelib's

    def timeout(self, cache: Any, seconds: int | None) -> int | None:
        return 0 if seconds is None else max(seconds, 1)

    def add(self, key: str, value: str, ttl: float) -> bool:
        """As a CacheStore has it, also if the cache has no server, which would remove what has ended.

        The `add` of such a cache refuses a key whose entry has ended. That of a FileSystemCache also returns False if
        it cannot write.
        """
        with self.opened() as cache:
            has_server = any(hasattr(cache, name) for name in _SERVER_CLIENTS)
        for _ in range(MAX_ADD_TRIES):
            if super().add(key, value, ttl):
                return True
            if has_server or self.get_many([key]):
                return False
            self.delete(key)
        raise OSError("the cache keeps nothing")


def store_of(given: Any, app: Flask) -> CacheStore:
    """The store that SCOPE_CACHE names; raises ConfigurationError if it names none."""
    if isinstance(given, str):
        if given.lower().startswith(("redis://", "rediss://", "unix://")):
            return RedisStore(given)
        given = _imported(given)
    method = asynchronous_method(given)
    if method is not None:
        raise ConfigurationError(
            _CACHE_MUST_BE.format(f"{type(given).__name__}, whose {method} is asynchronous: give the synchronous one")
        )
    if hasattr(type(given), "init_app") and hasattr(type(given), "cache"):
        return CachelibStore(_Backend(given, app))
    if has_methods(given, _CACHELIB_METHODS):
        return CachelibStore(lambda: given)
    if has_methods(given, STORE_METHODS):
        return given  # type: ignore[no-any-return]  # it has what the Protocol names
    raise ConfigurationError(_CACHE_MUST_BE.format(type(given).__name__))


def _imported(path: str) -> Any:
    if not re.fullmatch(r"\w+([.:]\w+)+", path):  # not shown: it may be a URL with a password
        raise ConfigurationError(_CACHE_MUST_BE.format("text that is not one of these"))
    try:
        return import_string(path)
    except Exception as error:  # noqa: BLE001  # whatever that module raises
        pass_on(error)
        why = str(error.exception) if isinstance(error, ImportStringError) else explained(error)
        raise ConfigurationError(f"SCOPE_CACHE: {shown(path)} cannot be imported ({cut(why)})") from None


class _Backend:
    """Finds the backend of a Flask-Caching Cache for one app, outside of an app context too.

    The Cache may be initialised later. Neither it nor the app is kept alive by this.
    """

    def __init__(self, cache: Any, app: Flask) -> None:
        self._cache = weakref.ref(cache)
        self._app = weakref.ref(app)
        self._last: Any = None

    def __call__(self) -> Any:
        app, cache = self._app(), self._cache()
        known = {} if app is None else app.extensions.get("cache", {})
        self._last = known.get(cache, self._last)
        if self._last is None:
            raise RuntimeError("SCOPE_CACHE is a Flask-Caching Cache on which init_app(app) was not called")
        return self._last
