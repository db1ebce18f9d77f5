"""CachelibStore: a cachelib cache, or a Flask-Caching Cache, as a CacheStore."""

from __future__ import annotations

import contextlib
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from flask import Flask
from werkzeug.utils import import_string

from scope_client import CacheStore, ConfigurationError, RedisStore
from scope_client.frameworks import ForeignStore, warn_of_patience

_ASKED_OF_CACHELIB = ("get_dict", "get", "set", "add", "delete")
_ASKED_OF_STORE = ("get_many", "set", "add", "delete")
_MUST_BE = (
    "SCOPE_CACHE must be a cachelib cache, a flask_caching.Cache, a CacheStore, the import path of one, "
    "or a URL such as redis://localhost:6379/0, got {}"
)

_TRIES = 3


class CachelibStore(ForeignStore):
    """`find` gives the cache on each use; a time of 0 is for ever there."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    def look(self) -> None:
        """Finds the cache while the app is there, if it is to be found yet; a warning for a Redis without a limit."""
        with contextlib.suppress(RuntimeError):
            server = getattr(self._find(), "_write_client", None)
            if server is not None:
                warn_of_patience(server)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        yield self._find()

    def found(self, cache: Any, keys: Sequence[str]) -> Mapping[str, Any]:
        return cache.get_dict(*keys)  # type: ignore[no-any-return]  # cachelib's

    def timeout(self, cache: Any, seconds: int | None) -> int | None:
        return 0 if seconds is None else max(seconds, 1)

    def add(self, key: str, value: str, ttl: float) -> bool:
        """cachelib's files do not notice that an old lock has ended, nor say that they cannot be written."""
        for _ in range(_TRIES):
            if super().add(key, value, ttl):
                return True
            with self.opened() as cache:
                if cache.get(key) is not None:
                    return False
                cache.delete(key)
        raise OSError("the cache keeps nothing")


def store_of(given: Any, app: Flask) -> CacheStore:
    """The store that SCOPE_CACHE names; ConfigurationError for what is none."""
    if isinstance(given, str):
        if given.lower().startswith(("redis://", "rediss://", "unix://")):
            return RedisStore(given)
        given = _imported(given)
    if hasattr(type(given), "init_app") and hasattr(type(given), "cache"):
        return CachelibStore(_Backend(given, app))
    if _has(given, _ASKED_OF_CACHELIB):
        return CachelibStore(lambda: given)
    if _has(given, _ASKED_OF_STORE):
        return given  # type: ignore[no-any-return]  # it has what the Protocol names
    raise ConfigurationError(_MUST_BE.format(type(given).__name__))


def _imported(path: str) -> Any:
    if not re.fullmatch(r"\w+([.:]\w+)+", path):  # not shown: it may be a URL with a password
        raise ConfigurationError(_MUST_BE.format("a text that is neither"))
    try:
        return import_string(path)
    except Exception as error:  # noqa: BLE001  # of any module
        raise ConfigurationError(f"{_MUST_BE.format(repr(path))}: {error}") from None


class _Backend:
    """That of a Flask-Caching Cache for one app, which may be initialised later, and without an app context.

    Keeps neither alive: the app knows the cache, as the cache knows the app.
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


def _has(given: Any, names: Sequence[str]) -> bool:
    return not isinstance(given, type) and all(callable(getattr(given, name, None)) for name in names)
