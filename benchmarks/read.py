"""A cached read, alone, by threads and with a Redis behind it; and a read of what Redis has and memory has not."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic, perf_counter, thread_time
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from scope_client import RedisStore, ScopeClient
from scope_client.local import LocalPlatform

from .measure import CLIENT, SERVER, Row, alone, compare, costs, loop, medians, on_core, rates, threaded

READS, REPETITIONS, PROCESSES = 2_000, 101, 7
THREADS, READS_OF_EACH, REPETITIONS_OF_ALL = 8, 50_000, 21
NAMES = [f"prompt-{number}" for number in range(500)]
HITS = 21
READ = 'client.get_prompt_version("p"{options})'
DICTIONARY = "dict.get and monotonic()"
BY_HAND = loop(
    "e = d.get(k); e[0] > monotonic()",
    'd, k = {"p": (monotonic() + 3600, "Hello, {{name}}!")}, "p"',
    timer=thread_time,
    monotonic=monotonic,
)
STARTING = Retry(ConstantBackoff(0.05), 200)


def rows() -> list[Row]:
    runs = [alone(in_this_process) for _ in range(PROCESSES)]
    with LocalPlatform({"p": "Hello, {{name}}!"}) as platform, redis_server() as url:
        shared = platform.client(cache_store=RedisStore(url), cache_local_ttl=600, cache_ttl=6000)
        return [
            *map(_middle, zip(*runs)),
            _threads(platform.client()),
            _read("cached read, Redis behind it", shared),
            _hits(url),
        ]


def in_this_process() -> list[Row]:
    """Chance decides where a process has its objects in memory, and moves all of its reads."""
    with LocalPlatform({"p": "Hello, {{name}}!"}) as platform:
        client = platform.client()
        version = client.get_prompt_version("p").id
        return [
            _read("cached read", client),
            _read('cached read, label="latest"', client, ', label="latest"'),
            _read("cached read, version=", client, f", version={version!r}"),
        ]


def _read(what: str, client: ScopeClient, options: str = "") -> Row:
    ours = loop(READ.format(options=options), timer=thread_time, client=client)
    return compare(what, ours, DICTIONARY, BY_HAND, READS, REPETITIONS)


def _middle(runs: tuple[Row, ...]) -> Row:
    middle = statistics.median(run.figure for run in runs)
    return next(run for run in runs if run.figure == middle)


def _threads(client: ScopeClient) -> Row:
    read = loop(READ.format(options=""), client=client)
    read(1)
    together, one = partial(threaded, read, READS_OF_EACH, THREADS), partial(read, THREADS * READS_OF_EACH)
    with on_core(CLIENT):  # from core to core the interpreter's lock costs a bare loop as much, more or less by chance
        taken = medians(together, one, repetitions=REPETITIONS_OF_ALL)
    return rates(f"cached reads, {THREADS} threads", "one thread", *taken)


def _hits(url: str) -> Row:
    store = RedisStore(url)
    with LocalPlatform(dict.fromkeys(NAMES, "x" * 2000)) as platform, redis.Redis.from_url(url) as server:
        server.flushdb()
        platform.client(cache_store=store).prefetch(NAMES, strict=True)
        asked = len(platform.requests)
        keys = [key for key in server.scan_iter() if not key.endswith((b":lock", b":generation"))]
        assert len(keys) == len(NAMES)
        with on_core(CLIENT):
            turns = [_by_turns(platform.client(cache_store=store), server, keys) for _ in range(HITS)]
        assert len(platform.requests) == asked, "the platform was asked"
    return costs("store hit, Redis", "redis-py mget, json.loads", *map(statistics.median, zip(*turns)))


def _by_turns(client: ScopeClient, server: redis.Redis, keys: list[bytes]) -> tuple[float, float]:
    """Seconds of a read of ours and of one by hand, which take turns read by read.

    Both ask for the entry and, in the same question, for the number that a fleet's `clear_cache` raises. A server that
    waits goes to sleep, and takes the longer to wake the longer it slept: in a loop of their own the quicker reads
    would find it awake.
    """
    ours = theirs = 0.0
    for name, key in zip(NAMES, keys):
        started = perf_counter()
        values: Any = server.mget(key, key.rpartition(b":")[0] + b":generation")
        json.loads(values[0])
        between = perf_counter()
        client.get_prompt_version(name)
        theirs += between - started
        ours += perf_counter() - between
    return ours / len(NAMES), theirs / len(NAMES)


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a Redis of our own, which keeps nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with on_core(SERVER):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with process:
            try:
                with redis.Redis(port=int(port), retry=STARTING) as server:
                    server.ping()
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                process.terminate()
