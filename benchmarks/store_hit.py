"""A version that is in Redis and not in memory, beside what redis-py itself needs to get and parse it."""

from __future__ import annotations

import json
import time

import redis

from scope_client import RedisStore
from scope_client.local import LocalPlatform

from . import redisserver
from .measure import CLIENT, Row, medians, on_core, seconds

READS = 500
REPETITIONS = 21
LIMIT = 1.6
NAMES = [f"prompt-{number}" for number in range(READS)]


def rows() -> list[Row]:
    text = "x" * 2000
    with (
        redisserver.running() as url,
        LocalPlatform(dict.fromkeys(NAMES, text)) as platform,
        redis.Redis.from_url(url) as server,
    ):
        platform.client(cache_store=RedisStore(url)).prefetch(NAMES, strict=True)
        asked = len(platform.requests)
        keys = [key for key in server.scan_iter() if not key.endswith((b":lock", b":generation"))]
        assert len(keys) == READS
        store = RedisStore(url)
        store.get_many(keys[:1])

        def ours() -> float:
            client = platform.client(cache_store=store)
            started = time.perf_counter()
            for name in NAMES:
                client.get_prompt_version(name)
            return (time.perf_counter() - started) / READS

        def theirs() -> float:
            started = time.perf_counter()
            for key in keys:
                json.loads(server.get(key))  # type: ignore[arg-type]  # it is there
            return (time.perf_counter() - started) / READS

        with on_core(CLIENT):
            hit, bare = medians(ours, theirs, repetitions=REPETITIONS)
        assert len(platform.requests) == asked, "the platform was asked"
    return [Row("store hit, Redis", seconds(hit), f"redis-py get, json.loads {seconds(bare)}", hit / bare, LIMIT)]
