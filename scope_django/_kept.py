"""Whether what one process puts into the cache of prompts is there for the others."""

from __future__ import annotations

from django.core.cache import caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections, router

from scope_client import ScopeClient
from scope_client.frameworks import pass_on

from ._store import DjangoStore

_OTHER_ALIAS = "point SCOPE['CACHE_ALIAS'] at one that all processes share: Redis, memcached, a database or files"


def unkept(client: ScopeClient) -> str | None:
    """Why nothing that this client fetches outlasts its process, and what to do; None if it does."""
    store = client.config.cache_store
    if store is None:
        return f"SCOPE['CACHE_ALIAS'] is None, so each process has prompts of its own; {_OTHER_ALIAS}"
    if not isinstance(store, DjangoStore):
        return None
    try:
        cache = caches.create_connection(store.alias)
        why = _why(cache)
    except Exception as error:  # noqa: BLE001  # of anybody's backend; the first use tells
        pass_on(error)
        return None
    return why and f"the cache {store.alias!r} ({type(cache).__name__}) {why}; {_OTHER_ALIAS}"


def _why(cache: object) -> str | None:
    if isinstance(cache, DummyCache):
        return "keeps nothing"
    if isinstance(cache, LocMemCache):
        return "belongs to this process alone"
    if isinstance(cache, BaseDatabaseCache):
        database = connections[router.db_for_write(cache.cache_model_class)]
        is_in_memory = getattr(database, "is_in_memory_db", lambda: False)()
        return "is in a database in the memory of this process alone" if is_in_memory else None
    return None
