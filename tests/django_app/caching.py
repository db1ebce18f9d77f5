"""Each kind of cache that Django has, set up on a server, a folder or a database of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import django.core.cache.backends.db as database_backend
from django.core.management import call_command
from django.db import connections
from django.db.backends.signals import connection_created

from scope_django._store import DjangoStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

BACKENDS = "django.core.cache.backends."
TABLE = "cached_prompts"
_numbers = itertools.count()


class Caching:
    """Sets CACHES up; each method that takes nothing is a kind of cache, by its name."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._settings = request.getfixturevalue("settings")

    def use(self, kind: str, **more: Any) -> DjangoStore:
        given = getattr(self, kind)()
        given["OPTIONS"] = {**given.get("OPTIONS", {}), **more.pop("OPTIONS", {})}
        self._settings.CACHES = {"default": {**given, **more}}
        if kind in ("database", "database_file"):
            where = [] if kind == "database" else ["--database", "file"]
            call_command("createcachetable", *where)
        return DjangoStore("default")

    def locmem(self) -> dict[str, Any]:
        return {"BACKEND": BACKENDS + "locmem.LocMemCache", "LOCATION": str(next(_numbers))}

    def file(self) -> dict[str, Any]:
        folder = self._request.getfixturevalue("tmp_path") / "cache"
        return {"BACKEND": BACKENDS + "filebased.FileBasedCache", "LOCATION": str(folder)}

    def database(self) -> dict[str, Any]:
        self._request.getfixturevalue("db")
        return {"BACKEND": BACKENDS + "db.DatabaseCache", "LOCATION": TABLE}

    def database_file(self) -> dict[str, Any]:
        self._request.getfixturevalue("database_file")
        return {"BACKEND": BACKENDS + "db.DatabaseCache", "LOCATION": TABLE}

    def redis(self) -> dict[str, Any]:
        server = self._request.getfixturevalue("redis_server")
        limits = {"socket_timeout": 0.4, "socket_connect_timeout": 0.4}
        return {"BACKEND": BACKENDS + "redis.RedisCache", "LOCATION": server.url, "OPTIONS": limits}

    def memcached(self) -> dict[str, Any]:
        server = self._request.getfixturevalue("memcached")
        limits = {"timeout": 0.4, "connect_timeout": 0.4}
        return {"BACKEND": BACKENDS + "memcached.PyMemcacheCache", "LOCATION": server.address, "OPTIONS": limits}

    def dummy(self) -> dict[str, Any]:
        return {"BACKEND": BACKENDS + "dummy.DummyCache"}

    def passes(self, kind: str, seconds: float) -> None:
        """Moves the time of this kind of cache on. That of memcached cannot be moved."""
        if kind == "redis":
            self._request.getfixturevalue("redis_server").passes(seconds)
        elif kind != "memcached":
            patch, began, now = self._request.getfixturevalue("monkeypatch"), time.time, database_backend.tz_now
            patch.setattr(time, "time", lambda: began() + seconds)
            patch.setattr(database_backend, "tz_now", lambda: now() + timedelta(seconds=seconds))


class ToTheFile:
    """A database router that keeps the cache in a database of its own."""

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        return "file" if model._meta.app_label == "django_cache" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool | None:
        return db == "file" if app_label == "django_cache" else None


def joined(platform: LocalPlatform, alias: str = "default", **options: Any) -> ScopeClient:
    """One more client of a fleet that shares this cache."""
    usual = {"cache_store": DjangoStore(alias), "max_retries": 0, "cache_local_ttl": 0}
    return platform.client(**{**usual, **options})


def _does_not_wait_for_the_disk(connection: Any, **_: Any) -> None:
    if connection.alias == "file":
        connection.connection.execute("PRAGMA synchronous = OFF")


@contextlib.contextmanager
def in_a_database_file(path: str, settings: Any, blocker: Any) -> Iterator[str]:
    """Caches in a database are in this SQLite file meanwhile; gives the path."""
    options = {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": {"timeout": 10}}
    default = connections.settings["default"]
    connections.settings["file"] = connections.configure_settings({"default": default, "file": options})["file"]
    settings.DATABASE_ROUTERS = [ToTheFile()]
    connection_created.connect(_does_not_wait_for_the_disk)
    with blocker.unblock():
        yield path
        connections["file"].close()
    connection_created.disconnect(_does_not_wait_for_the_disk)
    del connections["file"]
    del connections.settings["file"]


def descriptors(path: str) -> int:
    """How many times this process has the file open."""
    found = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found += os.readlink(f"/proc/self/fd/{number}") == path
    return found
