"""CachelibStore: a cachelib cache, or a Flask-Caching Cache, as a CacheStore."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from flask import Flask
from werkzeug.utils import import_string

from scope_client import CacheStore, ConfigurationError, RedisStore
from scope_client.adapters import ForeignStore

_ASKED_OF_CACHELIB = ("get_dict", "get", "set", "add", "delete")
_ASKED_OF_STORE = ("get_many", "set", "add", "delete")
_MUST_BE = (
    "SCOPE_CACHE must be a cachelib cache, a flask_caching.Cache, a CacheStore, the import path of one, "
    "or a URL such as redis://localhost:6379/0, got {}"
)


class CachelibStore(ForeignStore):
    """`find` gives the cache on each use; a time of 0 is for ever there."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        yield self._find()

    def found(self, cache: Any, keys: Sequence[str]) -> Mapping[str, Any]:
        return cache.get_dict(*keys)  # type: ignore[no-any-return]  # cachelib's

    def timeout(self, seconds: int | None) -> int | None:
        return 0 if seconds is None else max(seconds, 1)


def store_of(given: Any, app: Flask) -> CacheStore:
    """The store that SCOPE_CACHE names; ConfigurationError for what is none."""
    if isinstance(given, str):
        if given.startswith(("redis://", "rediss://", "unix://")):
            return RedisStore(given)
        try:
            given = import_string(given)
        except ImportError as error:
            raise ConfigurationError(f"{_MUST_BE.format(repr(given))}: {error}") from None
    if _has(given, _ASKED_OF_CACHELIB):
        return CachelibStore(lambda: given)
    if hasattr(given, "init_app") and hasattr(given, "cache"):
        return CachelibStore(_backend_of(given, weakref.ref(app)))
    if _has(given, _ASKED_OF_STORE):
        return given  # type: ignore[no-any-return]  # it has what the Protocol names
    raise ConfigurationError(_MUST_BE.format(type(given).__name__))


def _backend_of(cache: Any, app: weakref.ref[Flask]) -> Callable[[], Any]:
    """Looked up on each use, since Flask-Caching may be initialised later; outside of an app context too."""

    def find() -> Any:
        known = app()
        backends = {} if known is None else known.extensions.get("cache", {})
        if cache not in backends:
            raise RuntimeError("SCOPE_CACHE is a Flask-Caching Cache on which init_app(app) was not called")
        return backends[cache]

    return find


def _has(given: Any, names: Sequence[str]) -> bool:
    return not isinstance(given, type) and all(callable(getattr(given, name, None)) for name in names)
