"""What threads, tasks and forks do to a cache of Django's, and what they leave open: nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.db import connections, transaction
from django_app.caching import Caching, descriptors, joined
from faults.child import in_a_child
from faults.clock import ManualClock, eventually
from faults.crowd import crowd, in_a_thread
from faults.greeting import GREETING
from faults.reading import content, reads, wait_until_idle, warnings

from scope_client import Clock
from scope_client.local import LocalPlatform
from scope_django import aget_prompt_version, get_client
from scope_django._store import DjangoStore

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 20.0


@contextlib.contextmanager
def no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class TestWhatAThreadOpensIsClosed:
    @pytest.fixture
    def path(self, caching: Caching, database_file: str) -> str:
        caching.use("database_file")
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
        wait_until_idle(client)
        connections["file"].close()
        assert "scope-background" in [thread.name for thread in threading.enumerate()]
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
        assert reads(platform) == 2

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

    def test_a_connection_to_memcached(self, caching: Caching, memcached: Any) -> None:
        store = caching.use("memcached")
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
            eventually(lambda: client.stats()[b"curr_connections"] <= before)
            ended.set()
            for thread in threads:
                thread.join(PATIENCE)

    def test_a_connection_to_redis_of_a_thread_that_has_ended(self, caching: Caching, redis_server: Any) -> None:
        """By the garbage collector it would be with a ResourceWarning."""
        store = caching.use("redis")
        with redis_server.connected() as connection, no_garbage_collection():
            before = len(connection.client_list())
            assert crowd(5, lambda: store.set("a", "1", 60)) == [None] * 5
            eventually(lambda: len(connection.client_list()) <= before + 1, 3.0)


# Not a database in an SQLite file, which takes one writer at a time: of twenty at once, it refuses some.
@pytest.mark.parametrize("kind", ["locmem", "file", "redis", "memcached"])
def test_tasks_of_one_event_loop_that_read_different_prompts_at_once_share_the_cache_without_harm(
    kind: str, caching: Caching, platform: LocalPlatform, scope_settings: Any, caplog: Any
) -> None:
    """asgiref gives all threads that one task uses the same backend object."""
    caching.use(kind)
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
    assert reads(platform) == 20
    assert not warnings(caplog)
    assert get_client().status().counters["store_failures"] == 0


def test_tasks_that_write_to_an_sqlite_file_at_once_are_all_served(
    caching: Caching, platform: LocalPlatform, scope_settings: Any
) -> None:
    caching.use("database_file")
    names = [f"prompt-{number}" for number in range(20)]
    for name in names:
        platform.publish(name, f"content of {name}")
    scope_settings()

    async def reads_all() -> list[str]:
        return [each.content for each in await asyncio.gather(*(aget_prompt_version(name) for name in names))]

    assert asyncio.run(reads_all()) == [f"content of {name}" for name in names]


@pytest.mark.parametrize("kind", ["locmem", "file", "redis", "memcached"])
def test_a_fork_while_threads_use_the_cache(kind: str, caching: Caching, platform: LocalPlatform, caplog: Any) -> None:
    caching.use(kind)
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
    assert not warnings(caplog)
    assert client.status().counters["store_failures"] == 0
