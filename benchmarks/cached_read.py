"""A cached `get_prompt_version`, alone and over a shared store, beside a dictionary look-up and the clock."""

from __future__ import annotations

import threading
import time

from scope_client import RedisStore, ScopeClient
from scope_client.local import LocalPlatform

from . import redisserver
from .measure import Row, medians, seconds

READS = 200_000
THREADS = 8


def rows() -> list[Row]:
    with LocalPlatform({"greeting": "Hello, {{name}}!"}) as platform, redisserver.running() as url:
        store = RedisStore(url)
        return [
            *_rows("", platform.client()),
            *_rows(", Redis behind it", platform.client(cache_store=store, cache_local_ttl=600, cache_ttl=6000)),
        ]


def _rows(setting: str, client: ScopeClient) -> list[Row]:
    client.get_prompt_version("greeting")
    read = client.get_prompt_version

    def ours() -> float:
        started = time.perf_counter()
        for _ in range(READS):
            read("greeting")
        return (time.perf_counter() - started) / READS

    def threaded() -> float:
        threads = [threading.Thread(target=ours) for _ in range(THREADS)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (time.perf_counter() - started) / (READS * THREADS)

    cached, bare, shared = medians(ours, by_hand, threaded)
    return [
        Row(f"cached read{setting}", seconds(cached), f"dict.get and monotonic() {seconds(bare)}", cached / bare, 4.0),
        Row(
            f"cached reads, {THREADS} threads{setting}",
            f"{1 / shared:,.0f}/s",
            f"one thread {1 / cached:,.0f}/s",
            cached / shared,
            0.8,
            at_least=True,
        ),
    ]


def by_hand() -> float:
    cache = {"greeting": (time.monotonic() + 3600, "Hello, {{name}}!")}
    key = "greeting"
    started = time.perf_counter()
    for _ in range(READS):
        entry = cache.get(key)
        entry[0] > time.monotonic()  # type: ignore[index]  # noqa: B015  # just what is measured
    return (time.perf_counter() - started) / READS
