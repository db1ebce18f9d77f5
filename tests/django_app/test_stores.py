"""DjangoStore over each of Django's caches: what a CacheStore promises, and never worse than no cache at all."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import itertools
import logging
import multiprocessing
import os
import pickle
import threading
import time
import warnings
import zlib
from typing import TYPE_CHECKING, Any, Callable

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.core.management import call_command
from django.db import connections, transaction
from faults.clock import ManualClock, eventually
from faults.crowd import crowd

from scope_client import CacheStore, Clock, Configuration, ScopeClient
from scope_client._prompt.ref import PromptRef
from scope_client.local import LocalPlatform
from scope_django._client import aget_prompt_version, get_client
from scope_django._store import DjangoStore

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "scope:1:0123456789abcdef0123:0123456789abcdef0123456789abcdef"
TEXTS = [
    "",
    "0",
    "-1",
    "null",
    "True",
    "Grüße, 世界 🎈",
    "a\x00b",
    '{"a": "\\ud800"}',
    "line\r\nline",
    " ",
    "x" * 900_000,
]
BACKENDS = "django.core.cache.backends."
PATIENCE = 20.0


def in_a_child(call: Callable[[], Any]) -> Any:
    """What `call` returns in a forked child."""
    context = multiprocessing.get_context("fork")
    outcomes = context.SimpleQueue()
    child = context.Process(target=lambda: outcomes.put(call()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of 3.12: other threads run
        child.start()
    child.join(PATIENCE)
    if child.is_alive():
        child.kill()
        pytest.fail("the child hangs")
    assert child.exitcode == 0
    return outcomes.get()


def in_a_thread(call: Callable[[], Any]) -> Any:
    (outcome,) = crowd(1, call)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


@contextlib.contextmanager
def no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class ToTheFile:
    """A database router that keeps the cache in a database of its own."""

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        return "file" if model._meta.app_label == "django_cache" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool | None:
        return db == "file" if app_label == "django_cache" else None


@pytest.fixture
def database_file(settings: Any, tmp_path: Any, django_db_blocker: Any) -> Iterator[str]:
    """An SQLite file, which is where caches in a database are."""
    path = str(tmp_path / "cache.sqlite3")
    options = {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": {"timeout": 10}}
    default = connections.settings["default"]
    connections.settings["file"] = connections.configure_settings({"default": default, "file": options})["file"]
    settings.DATABASE_ROUTERS = [ToTheFile()]
    with django_db_blocker.unblock():
        yield path
        connections["file"].close()
    del connections["file"]
    del connections.settings["file"]


def descriptors(path: str) -> int:
    """How many times this process has the file open."""
    found = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found += os.readlink(f"/proc/self/fd/{number}") == path
    return found


class Site:
    """Sets CACHES up; each method names a kind of cache."""

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
        return {"BACKEND": BACKENDS + "db.DatabaseCache", "LOCATION": "cached_prompts"}

    def database_file(self) -> dict[str, Any]:
        self._request.getfixturevalue("database_file")
        return {"BACKEND": BACKENDS + "db.DatabaseCache", "LOCATION": "cached_prompts"}

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


_numbers = itertools.count()


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Site:
    return Site(request)


class Contract:
    """What a CacheStore promises."""

    kind: str

    @pytest.fixture
    def store(self, site: Site) -> CacheStore:
        return site.use(self.kind)

    def test_it_is_a_cache_store(self, store: CacheStore) -> None:
        assert isinstance(store, CacheStore)
        assert Configuration(cache_store=store).cache_store is store

    def test_of_many_keys_only_those_that_are_there_come_back(self, store: CacheStore) -> None:
        store.set("a", "1", 60)
        store.set("b", "2", None)
        assert dict(store.get_many(["a", "b", "c"])) == {"a": "1", "b": "2"}
        assert dict(store.get_many(["c"])) == {}
        assert dict(store.get_many([])) == {}
        assert dict(store.get_many(("b", "b"))) == {"b": "2"}

    @pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:20]))
    @pytest.mark.parametrize("ttl", [60, None])
    def test_a_text_comes_back_as_it_was(self, text: str, ttl: float | None, store: CacheStore) -> None:
        store.set(KEY, text, ttl)
        found = store.get_many([KEY])[KEY]
        assert found == text
        assert type(found) is str

    @pytest.mark.parametrize("ttl", [0.4, 0.001])
    def test_a_part_of_a_second_is_a_time_and_does_not_delete(self, ttl: float, store: CacheStore) -> None:
        def keeps(write: Callable[..., Any]) -> bool:
            store.delete(KEY)
            write(KEY, "kept", ttl)
            return bool(store.get_many([KEY]))

        eventually(lambda: keeps(store.set))
        eventually(lambda: keeps(store.add))
        eventually(lambda: not store.get_many([KEY]))

    @pytest.mark.parametrize(
        "ttl", [86_400 * 29, 86_400 * 31, 86_400 * 365 * 9, 86_400 * 365 * 100, 2**31, 1e13, 1e17, 1e300], ids=repr
    )
    def test_any_number_of_seconds_is_a_time(self, ttl: float, store: CacheStore) -> None:
        """Configuration takes any finite stale_if_error."""
        store.set(KEY, "kept", ttl)
        assert store.get_many([KEY]) == {KEY: "kept"}
        assert store.add("other", "kept", ttl)
        assert store.get_many(["other"]) == {"other": "kept"}

    @pytest.mark.parametrize("year", [2029, 2037])
    def test_any_number_of_seconds_goes_on_being_a_time_in_years_to_come(
        self, year: int, store: CacheStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        began, shift = time.time, (year - 2026) * 365 * 86_400
        monkeypatch.setattr(time, "time", lambda: began() + shift)
        store.set(KEY, "kept", 86_400 * 365 * 100)
        assert store.get_many([KEY]) == {KEY: "kept"}

    def test_set_replaces_and_a_later_ttl_counts(self, store: CacheStore) -> None:
        store.set("a", "1", 1)
        store.set("a", "2", None)
        store.set("b", "1", None)
        store.set("b", "2", 1)
        eventually(lambda: not store.get_many(["b"]))
        assert store.get_many(["a"]) == {"a": "2"}

    def test_none_is_for_ever_whatever_the_default_timeout_of_the_cache(self, site: Site) -> None:
        store = site.use(self.kind, TIMEOUT=1)
        store.set("a", "1", None)
        store.set("b", "1", 1)
        eventually(lambda: not store.get_many(["b"]))
        assert store.get_many(["a"]) == {"a": "1"}

    def test_add_keeps_what_is_there_until_it_ends(self, store: CacheStore) -> None:
        assert store.add("a", "1", 2) is True
        assert store.add("a", "2", 60) is False
        eventually(lambda: store.add("a", "3", 60))
        assert store.get_many(["a"]) == {"a": "3"}

    def test_add_does_not_replace_what_was_set(self, store: CacheStore) -> None:
        store.set("a", "1", None)
        assert store.add("a", "2", 60) is False
        assert store.get_many(["a"]) == {"a": "1"}
        store.delete("a")
        assert store.add("a", "2", 60) is True

    def test_delete_removes_and_does_not_mind_what_is_not_there(self, store: CacheStore) -> None:
        store.set("a", "1", 60)
        store.set("b", "2", 60)
        store.delete("a")
        store.delete("a")
        store.delete("never-there")
        assert store.get_many(["a", "b"]) == {"b": "2"}

    @pytest.mark.parametrize("value", [b"bytes", 5, True, None, ["a"], {"a": "1"}], ids=repr)
    def test_what_others_keep_there_that_is_no_text_is_not_there(self, value: object, store: CacheStore) -> None:
        caches["default"].set(KEY, value, 60)
        store.set("b", "2", 60)
        assert dict(store.get_many([KEY, "b"])) == {"b": "2"}
        store.set(KEY, "1", 60)
        assert dict(store.get_many([KEY])) == {KEY: "1"}


class OfAllThreads(Contract):
    """What is shared by the threads of a process as well."""

    def test_of_16_threads_that_add_at_once_one_wins(self, store: CacheStore) -> None:
        for round_ in range(5):
            numbers = itertools.count()
            won = crowd(16, lambda: store.add(f"lock-{round_}", str(next(numbers)), 60))  # noqa: B023  # all end here
            assert sorted(won) == [False] * 15 + [True]

    def test_threads_that_do_everything_at_once_get_whole_values(self, store: CacheStore) -> None:
        texts = {str(number): str(number) * 10_000 for number in range(5)}

        def work() -> None:
            for number in range(10):
                key = str(number % 5)
                store.set(key, texts[key], 60 if number % 2 else None)
                assert all(texts[found] == value for found, value in store.get_many(list(texts)).items())
                if number % 7 == 0:
                    store.delete(key)
                store.add(key, texts[key], 60)

        assert crowd(6, work) == [None] * 6

    def test_a_forked_child_uses_it_and_its_parent_goes_on(self, store: CacheStore) -> None:
        store.set("a", "1", 60)
        connections.close_all()  # SQLite is not to be taken along into a child

        def works() -> tuple[dict[str, str], bool]:
            found = dict(store.get_many(["a"]))
            store.set("b", "2", 60)
            return found, store.get_many(["b"]) == {"b": "2"}

        assert in_a_child(works) == ({"a": "1"}, True)
        assert in_a_child(lambda: in_a_thread(works)) == ({"a": "1"}, True)
        assert dict(store.get_many(["a"])) == {"a": "1"}
        assert works() == ({"a": "1"}, True)


class TestLocMem(OfAllThreads):
    kind = "locmem"


class TestRedis(OfAllThreads):
    kind = "redis"

    def test_the_server_forgets_by_itself_after_whole_seconds(self, store: CacheStore, redis_server: Any) -> None:
        store.set("short", "1", 0.4)
        store.set("long", "1", 3600.4)
        store.set("for-ever", "1", None)
        with redis_server.connected() as connection:
            assert 3590 < connection.ttl(":1:long") <= 3601
            assert connection.ttl(":1:for-ever") == -1
            eventually(lambda: not connection.exists(":1:short"))


class TestMemcached(OfAllThreads):
    kind = "memcached"


class TestDatabase(Contract):
    """The one of the tests, inside a transaction."""

    kind = "database"


class TestDatabaseFile(OfAllThreads):
    kind = "database_file"

    def test_a_transaction_of_the_site_goes_on_after_the_cache_has_failed(self, site: Site) -> None:
        store = site.use("database_file", LOCATION="cached_prompts")
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


class TestFile(Contract):
    """Its `add` looks first and writes then, so that two may win."""

    kind = "file"

    def test_of_16_threads_that_add_at_once_at_least_one_wins(self, store: CacheStore) -> None:
        assert any(crowd(16, lambda: store.add("lock", "1", 60)))
        assert not any(crowd(16, lambda: store.add("lock", "1", 60)))


class TestDummy:
    """Nothing is kept, and nothing is an error."""

    def test_everything_is_a_miss_and_every_lock_is_to_be_had(self, site: Site) -> None:
        store = site.use("dummy")
        store.set(KEY, "1", 60)
        assert dict(store.get_many([KEY])) == {}
        assert store.add(KEY, "1", 5) is True
        assert store.add(KEY, "1", 5) is True
        store.delete(KEY)

    def test_each_client_goes_on_with_its_own_memory(self, site: Site, platform: LocalPlatform, caplog: Any) -> None:
        site.use("dummy")
        clock = ManualClock()
        for _ in range(2):
            client = joined(platform, clock=clock.clock)
            for _ in range(3):
                assert content(client)
                clock.passes(6)
            client.clear_cache()
            assert content(client)
        assert len(reads(platform)) == 4
        assert not said(caplog)


@pytest.mark.parametrize("alias", ["default", "second"])
def test_its_repr_names_the_alias_and_shows_no_location(alias: str) -> None:
    assert repr(DjangoStore(alias)) == f"DjangoStore('{alias}')"


def test_the_alias_is_kept_and_its_cache_looked_up_on_each_use(site: Site) -> None:
    store = site.use("locmem")
    store.set("a", "1", 60)
    site.use("locmem")
    assert dict(store.get_many(["a"])) == {}
    store.set("a", "2", 60)
    assert in_a_thread(lambda: dict(store.get_many(["a"]))) == {"a": "2"}


def joined(platform: LocalPlatform, alias: str = "default", **options: Any) -> ScopeClient:
    """One more client of a fleet that shares this cache."""
    return platform.client(
        **{"cache_store": DjangoStore(alias), "max_retries": 0, "cache_local_ttl": 0, **options}  # type: ignore[arg-type]
    )


def content(client: ScopeClient, name: str = "greeting", **options: Any) -> str:
    return client.get_prompt_version(name, **options).content


def reads(platform: LocalPlatform) -> list[str]:
    return [request.path for request in platform.requests if "/prompts/" in request.path]


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


SHARED = ["locmem", "file", "database", "database_file", "redis", "memcached"]
GREETING = "Good {{time_of_day}}, {{name}}!"


@pytest.fixture(params=SHARED)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_two_clients_share_one_fetch(kind: str, site: Site, platform: LocalPlatform, caplog: Any) -> None:
    site.use(kind)
    first, second = joined(platform), joined(platform)
    version = first.get_prompt_version("greeting")
    assert second.get_prompt_version("greeting") == version
    assert content(second, label="latest") == content(first, label="latest") == GREETING
    assert len(reads(platform)) == 2
    assert not said(caplog)


@pytest.mark.parametrize("kind", ["locmem", "database_file", "redis", "memcached"])
def test_two_clients_that_are_asked_by_many_at_once_make_one_request(
    kind: str, site: Site, platform: LocalPlatform, caplog: Any
) -> None:
    site.use(kind)
    platform.latency = 0.1
    clients = [joined(platform), joined(platform)]
    turns = itertools.count()
    assert crowd(12, lambda: content(clients[next(turns) % 2])) == [GREETING] * 12
    assert len(reads(platform)) == 1
    assert not said(caplog)


def test_clear_cache_reaches_the_others_and_leaves_what_is_not_ours(
    kind: str, site: Site, platform: LocalPlatform
) -> None:
    site.use(kind)
    first, second = joined(platform), joined(platform)
    caches["default"].set("theirs", {"kept": True}, 60)
    caches["default"].set("scope:theirs", "kept", 60)
    assert content(first) == content(second) == GREETING
    platform.publish("greeting", "Hello, {{name}}!")
    assert content(second) == GREETING
    first.clear_cache()
    assert content(second) == content(first) == content(joined(platform)) == "Hello, {{name}}!"
    assert len(reads(platform)) == 2
    assert caches["default"].get("theirs") == {"kept": True}
    assert caches["default"].get("scope:theirs") == "kept"


@pytest.mark.parametrize("change", [{"KEY_PREFIX": "theirs"}, {"VERSION": 2}], ids=repr)
def test_key_prefix_and_version_of_the_cache_part_two_sites(
    change: dict, kind: str, site: Site, platform: LocalPlatform, settings: Any
) -> None:
    site.use(kind)
    given = settings.CACHES["default"]
    settings.CACHES = {"default": given, "theirs": {**given, **change}}
    ours, theirs = joined(platform), joined(platform, "theirs")
    content(ours)
    platform.publish("greeting", "Hello!")
    assert content(theirs) == "Hello!"
    theirs.clear_cache()
    assert content(ours) == content(joined(platform)) == GREETING


def test_every_key_in_redis_is_short_ascii_and_has_the_prefix(
    site: Site, platform: LocalPlatform, redis_server: Any
) -> None:
    site.use("redis", KEY_PREFIX="blog")
    client = joined(platform)
    platform.publish("a b/ü", "x")
    for name in ("greeting", "a b/ü"):
        content(client, name)
    client.clear_cache()
    with redis_server.connected() as connection:
        keys = connection.keys("*")
    assert len(keys) == 3
    assert all(key.startswith(b"blog:1:scope:1:") and key.isascii() and len(key) < 100 for key in keys)


def test_a_lock_is_given_back_at_once(kind: str, site: Site, platform: LocalPlatform) -> None:
    store = site.use(kind)
    client = joined(platform)
    content(client)
    key = entry_key(client)
    assert not store.get_many([f"{key}:lock"])


def test_an_expired_entry_serves_a_new_process_while_the_platform_is_down(
    kind: str, site: Site, platform: LocalPlatform
) -> None:
    site.use(kind)
    clock = ManualClock()
    content(joined(platform, cache_ttl=60, clock=clock.clock))
    clock.passes(3600)
    platform.fail(503)
    assert content(joined(platform, clock=clock.clock)) == GREETING


def entry_key(client: ScopeClient, name: str = "greeting") -> str:
    return client._shared._key(PromptRef.of(name, None, None))


class TestAPromptThatIsTooLarge:
    """Memcached takes up to a mebibyte."""

    @pytest.fixture(autouse=True)
    def large(self, site: Site, platform: LocalPlatform) -> str:
        site.use("memcached")
        platform.publish("large", "x" * 1_500_000)
        return "large"

    def test_is_a_miss_and_everything_else_is_shared(self, platform: LocalPlatform, caplog: Any) -> None:
        for _ in range(2):
            client = joined(platform)
            assert len(content(client, "large")) == 1_500_000
            assert content(client) == GREETING
            assert client.status().counters["store_failures"] == 0
        assert len(reads(platform)) == 3
        assert not said(caplog)

    def test_is_read_from_memory_by_those_who_have_it(self, platform: LocalPlatform) -> None:
        client = joined(platform)
        assert {len(content(client, "large")) for _ in range(5)} == {1_500_000}
        assert len(reads(platform)) == 1

    def test_is_shared_again_once_it_is_small(self, platform: LocalPlatform, caplog: Any) -> None:
        content(joined(platform), "large")
        platform.publish("large", "small")
        assert content(joined(platform), "large") == content(joined(platform), "large") == "small"
        assert len(reads(platform)) == 2
        assert not said(caplog)

    def test_does_not_leave_a_smaller_one_of_before_in_its_place(self, platform: LocalPlatform) -> None:
        platform.publish("large", "small")
        clock = ManualClock()
        first = joined(platform, clock=clock.clock)
        content(first, "large")
        platform.publish("large", "y" * 1_500_000)
        clock.passes(400)
        assert content(first, "large", cache_ttl=0) == "y" * 1_500_000
        assert content(joined(platform, clock=clock.clock), "large") == "y" * 1_500_000


SERVERS = ["redis", "memcached"]


def server_of(request: pytest.FixtureRequest, kind: str) -> Any:
    return request.getfixturevalue("redis_server" if kind == "redis" else "memcached")


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("how", ["stop", "pause"])
def test_a_server_that_is_dead_or_hangs_is_a_miss_and_one_warning(
    how: str, kind: str, site: Site, platform: LocalPlatform, request: pytest.FixtureRequest, caplog: Any
) -> None:
    site.use(kind)
    server = server_of(request, kind)
    known = joined(platform)
    content(known)
    getattr(server, how)()
    platform.publish("other", "another")
    fresh = joined(platform)
    began = time.monotonic()
    assert [content(known), content(known, "other"), content(fresh), content(fresh, "other")] == [
        *(GREETING, "another", GREETING, "another")
    ]
    assert crowd(8, lambda: content(fresh)) == [GREETING] * 8
    assert not fresh.prefetch(["greeting", "other"]).errors
    fresh.clear_cache()
    assert content(fresh) == GREETING
    assert time.monotonic() - began < 30
    warned = [text for text in said(caplog) if "shared cache" in text]
    assert len(warned) == 2  # one for each client


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("how", ["stop", "pause"])
def test_a_server_that_comes_back_is_used_again(
    how: str, kind: str, site: Site, platform: LocalPlatform, request: pytest.FixtureRequest
) -> None:
    more = {} if kind == "redis" else {"OPTIONS": {"dead_timeout": 0, "retry_timeout": 0}}
    site.use(kind, **more)
    server = server_of(request, kind)
    clock = ManualClock()
    client = joined(platform, clock=clock.clock)
    content(client)
    getattr(server, how)()
    content(client, label="latest")
    assert client.status().counters["store_failures"]
    server.start()
    server.resume()
    clock.passes(6)
    platform.publish("other", "another")

    def is_shared() -> bool:
        before = len(reads(platform))
        client.clear_cache()
        content(client, "other")
        content(joined(platform, clock=clock.clock), "other")
        clock.passes(6)
        return len(reads(platform)) == before + 1

    eventually(is_shared)


GARBAGE = {
    "nothing": b"",
    "bytes": b"\xff\xfe\x00",
    "text": b"plain text",
    "digits": b"12345",
    "digits without end": b"9" * 5000,
    "a broken pickle": pickle.dumps("text")[:-3],
    "half a pickle": pickle.dumps({"a": "text" * 100})[:50],
    "a pickle of a number": pickle.dumps(5),
    "a pickle of None": pickle.dumps(None),
    "a pickle of bytes": pickle.dumps(b"bytes"),
    "a pickle of a list": pickle.dumps([{"a": 1}]),
    "a pickle of a class of a module that is gone": b"cno_such_module\nGone\n.",
    "a pickle of a name that is gone": b"cos\nno_such_name\n.",
    "a pickle of a later protocol": b"\x80\x63.",
    "a pickle of garbage text": pickle.dumps("not JSON"),
    "a pickle of JSON that is not ours": pickle.dumps('{"schema": 1, "version": {}}'),
    "compressed garbage": zlib.compress(b"\xff\xfe"),
}


class Raw:
    """Writes bytes past Django where its caches keep a key of ours."""

    def __init__(self, kind: str, request: pytest.FixtureRequest) -> None:
        self._kind = kind
        self._request = request

    def write(self, key: str, octets: bytes) -> None:
        getattr(self, f"_{self._kind}")(key, octets)

    def _redis(self, key: str, octets: bytes) -> None:
        with server_of(self._request, "redis").connected() as connection:
            connection.set(caches["default"].make_key(key), octets)

    def _memcached(self, key: str, octets: bytes) -> None:
        with server_of(self._request, "memcached").connected() as client:
            client.set(caches["default"].make_key(key), octets, flags=1, noreply=False)  # a pickle, it says

    def _file(self, key: str, octets: bytes) -> None:
        path = caches["default"]._key_to_file(key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as opened:
            opened.write(octets)

    def _locmem(self, key: str, octets: bytes) -> None:
        cache = caches["default"]
        made = cache.make_key(key)
        with cache._lock:
            cache._cache[made] = octets
            cache._expire_info[made] = None

    def _database_file(self, key: str, octets: bytes) -> None:
        self._row(key, base64.b64encode(octets).decode(), "2100-01-01 00:00:00")

    def _row(self, key: str, value: str, expires: str) -> None:
        with connections["file"].cursor() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO cached_prompts (cache_key, value, expires) VALUES (%s, %s, %s)",
                [caches["default"].make_key(key), value, expires],
            )


def assert_healed(platform: LocalPlatform, spoil: Callable[[str], None], caplog: Any) -> None:
    """What is at our keys is a miss for each who comes, until the next fetch has replaced it."""
    clock = ManualClock()

    def read() -> str:
        return content(joined(platform, clock=clock.clock))

    first = joined(platform, clock=clock.clock)
    content(first)
    key = entry_key(first)
    spoil(key)
    assert read() == GREETING
    assert len(reads(platform)) == 2
    assert read() == GREETING
    assert len(reads(platform)) == 2, "it is not replaced"
    spoil(f"{key}:lock")
    spoil(key)
    assert read() == read() == GREETING
    assert len(reads(platform)) == 3, "it is not replaced"
    spoil(f"{key.rsplit(':', 1)[0]}:generation")
    assert read() == content(first) == GREETING
    first.clear_cache()
    platform.publish("greeting", "new")
    assert read() == content(first) == "new"
    assert len(reads(platform)) == 4
    assert not said(caplog)


@pytest.mark.parametrize("octets", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("kind", ["locmem", "file", "database_file", "redis", "memcached"])
def test_garbage_under_keys_of_ours_is_a_miss_and_is_replaced(
    kind: str, octets: bytes, site: Site, platform: LocalPlatform, request: pytest.FixtureRequest, caplog: Any
) -> None:
    site.use(kind)
    raw = Raw(kind, request)
    assert_healed(platform, lambda key: raw.write(key, octets), caplog)


@pytest.mark.parametrize("flags", [0, 2, 4, 8, 16, 255, 65535])
@pytest.mark.parametrize("octets", [b"\xff\xfe", b"", b"1.5", pickle.dumps("text")], ids=repr)
def test_garbage_in_memcached_of_any_kind_that_a_client_can_mark_it_as_is_a_miss(
    octets: bytes, flags: int, site: Site, platform: LocalPlatform, memcached: Any, caplog: Any
) -> None:
    site.use("memcached")

    def spoil(key: str) -> None:
        with memcached.connected() as client:
            client.set(caches["default"].make_key(key), octets, flags=flags, noreply=False)

    assert_healed(platform, spoil, caplog)


@pytest.mark.parametrize("as_what", ["list", "hash"])
def test_another_type_of_value_in_redis_is_a_miss_and_is_replaced(
    as_what: str, site: Site, platform: LocalPlatform, redis_server: Any, caplog: Any
) -> None:
    site.use("redis")

    def spoil(key: str) -> None:
        with redis_server.connected() as connection:
            made = caches["default"].make_key(key)
            connection.delete(made)
            if as_what == "list":
                connection.rpush(made, "a")
            else:
                connection.hset(made, "a", "b")

    assert_healed(platform, spoil, caplog)


ENDS = {"a time to come": "2100-01-01 00:00:00", "no time": "soon", "no date": "2024-99-99 00:00:00", "empty": ""}


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("value", ["", "not base64: é", "abc", "=", "a" * 10_000], ids=lambda value: repr(value[:20]))
def test_garbage_in_a_row_of_the_database_is_a_miss_and_is_replaced(
    value: str, ends: str, site: Site, platform: LocalPlatform, request: pytest.FixtureRequest, caplog: Any
) -> None:
    site.use("database_file")
    raw = Raw("database_file", request)
    assert_healed(platform, lambda key: raw._row(key, value, ends), caplog)


HEADS = {
    "no end": b"",
    "an end that is a text": pickle.dumps("soon"),
    "an end that is a list": pickle.dumps([]),
    "an end and no value": pickle.dumps(None),
    "an end and a value that is not compressed": pickle.dumps(None) + pickle.dumps("text"),
    "an end and a compressed broken pickle": pickle.dumps(None) + zlib.compress(pickle.dumps("text")[:-2]),
    "an end and a cut value": pickle.dumps(None) + zlib.compress(pickle.dumps("text" * 1000))[:-6],
}


@pytest.mark.parametrize("octets", HEADS.values(), ids=HEADS)
def test_garbage_in_a_file_is_a_miss_and_is_replaced(
    octets: bytes, site: Site, platform: LocalPlatform, request: pytest.FixtureRequest, caplog: Any
) -> None:
    site.use("file")
    raw = Raw("file", request)
    assert_healed(platform, lambda key: raw.write(key, octets), caplog)


class TestWhatAThreadOpensIsClosed:
    @pytest.fixture
    def path(self, site: Site, database_file: str) -> str:
        site.use("database_file")
        connections["file"].close()
        return database_file

    def test_a_database_connection_of_a_thread_that_goes_on(self, path: str, platform: LocalPlatform) -> None:
        store = DjangoStore("default")

        def works() -> list[object]:
            store.set("a", "1", 60)
            store.add("b", "1", 60)
            store.get_many(["a", "b"])
            store.delete("b")
            return [connections["file"].connection, descriptors(path)]

        assert in_a_thread(works) == [None, 0]

    def test_a_database_connection_after_a_failure(self, path: str) -> None:
        with connections["file"].cursor() as cursor:
            cursor.execute("DROP TABLE cached_prompts")
        connections["file"].close()

        def fails() -> list[object]:
            for call in (lambda: DjangoStore("default").get_many(["a"]), lambda: DjangoStore("default").delete("a")):
                with contextlib.suppress(Exception):
                    call()
            return [connections["file"].connection, descriptors(path)]

        assert in_a_thread(fails) == [None, 0]

    def test_a_database_connection_of_a_renewal_in_the_background(self, path: str, platform: LocalPlatform) -> None:
        clock = ManualClock()
        client = joined(platform, clock=clock.clock)
        content(client)
        connections["file"].close()
        platform.publish("greeting", "new")
        clock.passes(285)
        assert content(client) == GREETING
        eventually(lambda: content(client) == "new")
        eventually(lambda: not (client._background._running or client._background._waiting))
        connections["file"].close()
        assert [thread.name for thread in threading.enumerate()].count("scope-background") == 1
        assert descriptors(path) == 0

    def test_a_database_connection_of_an_executor_of_an_event_loop(
        self, path: str, scope_settings: Any, platform: LocalPlatform
    ) -> None:
        async def reads_several() -> tuple[list[str], int, object]:
            await asyncio.gather(*(aget_prompt_version("greeting", label=label) for label in (None, "latest")))
            open_there = await sync_to_async(lambda: connections["file"].connection, thread_sensitive=False)()
            found = await asyncio.gather(*(aget_prompt_version("greeting") for _ in range(10)))
            return [each.content for each in found], descriptors(path), open_there

        assert asyncio.run(reads_several()) == ([GREETING] * 10, 0, None)
        assert len(reads(platform)) == 2

    def test_a_database_connection_that_was_open_before_stays_open(self, path: str) -> None:
        connections["file"].ensure_connection()
        before = connections["file"].connection
        DjangoStore("default").set("a", "1", 60)
        assert connections["file"].connection is before
        with transaction.atomic(using="file"):
            DjangoStore("default").set("b", "1", 60)
            assert DjangoStore("default").get_many(["a"]) == {"a": "1"}
            assert connections["file"].in_atomic_block
        assert DjangoStore("default").get_many(["a", "b"]) == {"a": "1", "b": "1"}
        connections["file"].close()

    def test_a_transaction_of_the_sites_holds_no_lock_and_keeps_what_was_fetched_when_it_is_committed(
        self, path: str
    ) -> None:
        store = DjangoStore("default")
        with transaction.atomic(using="file"):
            assert store.add("lock", "1", 60)
            assert in_a_thread(lambda: DjangoStore("default").add("lock", "2", 60))
            store.set("a", "1", 60)
            assert in_a_thread(lambda: DjangoStore("default").get_many(["a"])) == {}
        assert store.get_many(["a"]) == {"a": "1"}
        connections["file"].close()

    def test_a_transaction_of_the_sites_that_is_rolled_back_keeps_nothing(self, path: str) -> None:
        store = DjangoStore("default")
        with contextlib.suppress(ValueError), transaction.atomic(using="file"):
            store.set("a", "1", 60)
            raise ValueError
        assert store.get_many(["a"]) == {}
        connections["file"].close()

    def test_a_cache_without_its_table_leaves_a_transaction_of_the_sites_whole(
        self, path: str, platform: LocalPlatform
    ) -> None:
        with connections["file"].cursor() as cursor:
            cursor.execute("DROP TABLE cached_prompts")
            cursor.execute("CREATE TABLE mine (number integer)")
        with transaction.atomic(using="file"), connections["file"].cursor() as cursor:
            cursor.execute("INSERT INTO mine VALUES (1)")
            assert content(joined(platform)) == GREETING
            cursor.execute("INSERT INTO mine VALUES (2)")
        with connections["file"].cursor() as cursor:
            assert cursor.execute("SELECT number FROM mine").fetchall() == [(1,), (2,)]
        connections["file"].close()

    def test_a_connection_to_memcached(self, site: Site, memcached: Any) -> None:
        store = site.use("memcached")
        with memcached.connected() as client:
            before = client.stats()[b"curr_connections"]
            ended = threading.Event()

            def works() -> None:
                store.set("a", "1", 60)
                store.get_many(["a"])
                ended.wait(PATIENCE)

            threads = [threading.Thread(target=works, daemon=True) for _ in range(5)]
            for thread in threads:
                thread.start()
            eventually(lambda: client.stats()[b"curr_connections"] == before)
            ended.set()
            for thread in threads:
                thread.join(PATIENCE)

    def test_a_connection_to_redis_of_a_thread_that_has_ended(self, site: Site, redis_server: Any) -> None:
        """By the garbage collector it would be with a ResourceWarning."""
        store = site.use("redis")
        with redis_server.connected() as connection, no_garbage_collection():
            before = len(connection.client_list())
            assert crowd(5, lambda: store.set("a", "1", 60)) == [None] * 5
            eventually(lambda: len(connection.client_list()) <= before + 1, 3.0)


@pytest.mark.parametrize("kind", ["locmem", "file", "database_file", "redis", "memcached"])
def test_tasks_of_one_event_loop_that_read_different_prompts_at_once_share_the_cache_without_harm(
    kind: str, site: Site, platform: LocalPlatform, scope_settings: Any, caplog: Any
) -> None:
    """asgiref gives all threads that one task uses the same backend object."""
    site.use(kind)
    names = [f"prompt-{number}" for number in range(20)]
    for name in names:
        platform.publish(name, f"content of {name}")
    scope_settings(CACHE_LOCAL_TTL=0)

    async def reads_all() -> list[str]:
        assert caches["default"] is not None
        found = []
        for _ in range(3):
            found += await asyncio.gather(*(aget_prompt_version(name) for name in names))
        return [each.content for each in found]

    assert asyncio.run(reads_all()) == [f"content of {name}" for name in names] * 3
    assert len(reads(platform)) == 20
    assert not said(caplog)
    assert get_client().status().counters["store_failures"] == 0


@pytest.mark.parametrize("kind", ["locmem", "file", "redis", "memcached"])
def test_a_fork_while_threads_use_the_cache(kind: str, site: Site, platform: LocalPlatform, caplog: Any) -> None:
    site.use(kind)
    client = joined(platform, clock=Clock())
    content(client)
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            assert content(client) == GREETING
            time.sleep(0.001)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            assert in_a_child(lambda: [content(client), content(client, label="latest")]) == [GREETING] * 2
    finally:
        ended.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert content(client) == GREETING
    assert not said(caplog)
    assert client.status().counters["store_failures"] == 0
