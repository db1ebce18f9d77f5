"""DjangoStore over each of Django's caches: what every CacheStore promises, and what Django adds to it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import caches
from django.db import connections, transaction
from django_app.caching import Caching
from faults.clock import eventually
from faults.crowd import in_a_thread
from faults.store_contract import KEY, CacheStoreContract, Later, SharedStoreContract, UnlockedStoreContract

from scope_client import CacheStore
from scope_django._store import DjangoStore

if TYPE_CHECKING:
    pass


class DjangoContract(CacheStoreContract):
    kind: str
    largest = 900_000  # memcached takes up to a mebibyte
    rounds = 10

    @pytest.fixture
    def store(self, caching: Caching) -> CacheStore:
        return caching.use(self.kind)

    @pytest.fixture
    def later(self, caching: Caching) -> Later:
        return lambda seconds: caching.passes(self.kind, seconds)

    def test_of_no_keys_none_come_back(self, store: CacheStore) -> None:
        assert dict(store.get_many([])) == {}

    @pytest.mark.parametrize("year", [2029, 2037])
    def test_any_number_of_seconds_goes_on_being_a_time_in_years_to_come(
        self, year: int, store: CacheStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        began, shift = time.time, (year - 2026) * 365 * 86_400
        monkeypatch.setattr(time, "time", lambda: began() + shift)
        store.set(KEY, "kept", 86_400 * 365 * 100)
        assert store.get_many([KEY]) == {KEY: "kept"}

    def test_none_is_for_ever_whatever_the_default_timeout_of_the_cache(self, caching: Caching, later: Later) -> None:
        store = caching.use(self.kind, TIMEOUT=1)
        store.set("a", "1", None)
        store.set("b", "1", 1)
        later(2)
        eventually(lambda: not store.get_many(["b"]))
        assert store.get_many(["a"]) == {"a": "1"}

    @pytest.mark.parametrize("value", [b"bytes", 5, True, None, ["a"], {"a": "1"}], ids=repr)
    def test_what_others_keep_there_that_is_no_text_is_not_there(self, value: object, store: CacheStore) -> None:
        caches["default"].set(KEY, value, 60)
        store.set("b", "2", 60)
        assert dict(store.get_many([KEY, "b"])) == {"b": "2"}
        store.set(KEY, "1", 60)
        assert dict(store.get_many([KEY])) == {KEY: "1"}

    def leave_to_the_parent(self) -> None:
        connections.close_all()  # SQLite is not to be taken along into a child


class TestLocMem(DjangoContract, SharedStoreContract):
    kind = "locmem"


class TestRedis(DjangoContract, SharedStoreContract):
    kind = "redis"

    def test_the_server_forgets_by_itself_after_whole_seconds(self, store: CacheStore, redis_server: Any) -> None:
        store.set("short", "1", 0.4)
        store.set("long", "1", 3600.4)
        store.set("for-ever", "1", None)
        with redis_server.connected() as connection:
            assert 3590 < connection.ttl(":1:long") <= 3601
            assert connection.ttl(":1:for-ever") == -1
            assert 0 < connection.pttl(":1:short") <= 1000


class TestMemcached(DjangoContract, SharedStoreContract):
    kind = "memcached"


class TestDatabase(DjangoContract):
    """The one of the tests, inside a transaction."""

    kind = "database"


class TestDatabaseFile(DjangoContract, SharedStoreContract):
    kind = "database_file"

    def test_a_transaction_of_the_site_goes_on_after_the_cache_has_failed(self, caching: Caching) -> None:
        store = caching.use("database_file", LOCATION="cached_prompts")
        with connections["file"].cursor() as cursor:
            cursor.execute("DROP TABLE cached_prompts")
            cursor.execute("CREATE TABLE theirs (a text)")
        with transaction.atomic(using="file"), connections["file"].cursor() as cursor:
            cursor.execute("INSERT INTO theirs VALUES ('kept')")
            with contextlib.suppress(Exception):
                store.get_many([KEY])
            with contextlib.suppress(Exception):
                store.set(KEY, "1", 60)
        with connections["file"].cursor() as cursor:
            cursor.execute("SELECT a FROM theirs")
            assert cursor.fetchall() == [("kept",)]


class TestFile(DjangoContract, UnlockedStoreContract):
    kind = "file"


class TestDummy:
    """Nothing is kept, and nothing is an error."""

    def test_everything_is_a_miss_and_every_lock_is_to_be_had(self, caching: Caching) -> None:
        store = caching.use("dummy")
        store.set(KEY, "1", 60)
        assert dict(store.get_many([KEY])) == {}
        assert store.add(KEY, "1", 5) is True
        assert store.add(KEY, "1", 5) is True
        store.delete(KEY)


@pytest.mark.parametrize("alias", ["default", "second"])
def test_its_repr_names_the_alias_and_shows_no_location(alias: str) -> None:
    assert repr(DjangoStore(alias)) == f"DjangoStore('{alias}')"


def test_the_alias_is_kept_and_its_cache_looked_up_on_each_use(caching: Caching) -> None:
    store = caching.use("locmem")
    store.set("a", "1", 60)
    caching.use("locmem")
    assert dict(store.get_many(["a"])) == {}
    store.set("a", "2", 60)
    assert in_a_thread(lambda: dict(store.get_many(["a"]))) == {"a": "2"}
