"""A cached `get_prompt_version`, alone and over a shared store, beside a dictionary look-up and the clock."""

from __future__ import annotations

import functools
from time import monotonic

from scope_client import RedisStore, ScopeClient
from scope_client.local import LocalPlatform

from . import redisserver
from .measure import CLIENT, Loop, Row, medians, on_core, seconds, threaded, timed, worked

READS = 2_000
REPETITIONS = 301
THREADS = 8
READS_OF_EACH = 50_000
REPETITIONS_OF_ALL = 21
LIMIT = 3.0
LIMIT_CHOSEN = 3.5
LEAST_RATE = 0.9
LIMIT_SHARED = 4.0
LEAST_RATE_SHARED = 0.8


def rows() -> list[Row]:
    with LocalPlatform({"p": "Hello, {{name}}!"}) as platform, redisserver.running() as url:
        alone = platform.client()
        shared = platform.client(cache_store=RedisStore(url), cache_local_ttl=600, cache_ttl=6000)
        return [
            *_reads(alone),
            _threads("", _plain(alone), LEAST_RATE),
            _read("cached read, Redis behind it", _plain(shared), LIMIT_SHARED),
            _threads(", Redis behind it", _plain(shared), LEAST_RATE_SHARED),
        ]


def _reads(client: ScopeClient) -> list[Row]:
    return [
        _read("cached read", _plain(client), LIMIT),
        _read('cached read, label="latest"', _latest(client), LIMIT_CHOSEN),
        _read("cached read, version=", _version(client), LIMIT_CHOSEN),
    ]


def _read(what: str, loop: Loop, limit: float) -> Row:
    loop(1)
    cached, bare = medians(lambda: worked(loop, READS), lambda: worked(by_hand, READS), repetitions=REPETITIONS)
    return Row(what, seconds(cached), f"dict.get and monotonic() {seconds(bare)}", cached / bare, limit)


def _threads(setting: str, loop: Loop, least: float) -> Row:
    loop(1)
    together = functools.partial(threaded, loop, READS_OF_EACH, THREADS)
    one = functools.partial(timed, loop, THREADS * READS_OF_EACH)
    with on_core(CLIENT):  # from core to core the interpreter's lock costs a bare loop as much, more or less by chance
        shared, alone = medians(together, one, repetitions=REPETITIONS_OF_ALL)
    what = f"cached reads, {THREADS} threads{setting}"
    rates = f"{1 / shared:,.0f}/s", f"one thread {1 / alone:,.0f}/s"
    return Row(what, *rates, alone / shared, least, at_least=True)


def by_hand(reads: int) -> None:
    d, k = {"p": (monotonic() + 3600, "Hello, {{name}}!")}, "p"
    for _ in range(reads):
        e = d.get(k)
        e[0] > monotonic()  # type: ignore[index]  # noqa: B015  # just what is measured


def _plain(client: ScopeClient) -> Loop:
    def loop(reads: int) -> None:
        for _ in range(reads):
            client.get_prompt_version("p")

    return loop


def _latest(client: ScopeClient) -> Loop:
    def loop(reads: int) -> None:
        for _ in range(reads):
            client.get_prompt_version("p", label="latest")

    return loop


def _version(client: ScopeClient) -> Loop:
    wanted = client.get_prompt_version("p").id

    def loop(reads: int) -> None:
        for _ in range(reads):
            client.get_prompt_version("p", version=wanted)

    return loop
