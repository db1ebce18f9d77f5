"""A cached `get_prompt_version`, alone and over a shared store, beside a dictionary look-up and the clock."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from time import monotonic

from scope_client import RedisStore, ScopeClient
from scope_client.local import LocalPlatform

from . import redisserver
from .measure import CLIENT, Loop, Row, alone, medians, on_core, seconds, threaded, timed, worked

READS = 2_000
REPETITIONS = 101
PROCESSES = 7
PROMPTS = {"p": "Hello, {{name}}!"}
THREADS = 8
READS_OF_EACH = 50_000
REPETITIONS_OF_ALL = 21
LIMIT = 3.0
LIMIT_CHOSEN = 3.5
LEAST_RATE = 0.9
LIMIT_SHARED = 4.0
LEAST_RATE_SHARED = 0.8

Taken = tuple[str, float, float, float]  # what, its limit, and the seconds of ours and of the yardstick


def rows() -> list[Row]:
    reads = [_read(each) for each in zip(*(alone(f"{__name__}:in_this_process") for _ in range(PROCESSES)))]
    with LocalPlatform(PROMPTS) as platform, redisserver.running() as url:
        shared = platform.client(cache_store=RedisStore(url), cache_local_ttl=600, cache_ttl=6000)
        return [
            *reads,
            _threads("", _plain(platform.client()), LEAST_RATE),
            _read([_taken("cached read, Redis behind it", _plain(shared), LIMIT_SHARED)]),
            _threads(", Redis behind it", _plain(shared), LEAST_RATE_SHARED),
        ]


def in_this_process() -> list[Taken]:
    """Where a process has its objects in memory is chance, and moves all of its reads."""
    with LocalPlatform(PROMPTS) as platform:
        client = platform.client()
        return [
            _taken("cached read", _plain(client), LIMIT),
            _taken('cached read, label="latest"', _latest(client), LIMIT_CHOSEN),
            _taken("cached read, version=", _version(client), LIMIT_CHOSEN),
        ]


def _taken(what: str, loop: Loop, limit: float) -> Taken:
    loop(1)
    cached, bare = medians(lambda: worked(loop, READS), lambda: worked(by_hand, READS), repetitions=REPETITIONS)
    return what, limit, cached, bare


def _read(runs: Sequence[Taken]) -> Row:
    what, limit, cached, bare = sorted(runs, key=lambda taken: taken[2] / taken[3])[len(runs) // 2]
    return Row(what, seconds(cached), f"dict.get and monotonic() {seconds(bare)}", cached / bare, limit)


def _threads(setting: str, loop: Loop, least: float) -> Row:
    loop(1)
    together = functools.partial(threaded, loop, READS_OF_EACH, THREADS)
    one = functools.partial(timed, loop, THREADS * READS_OF_EACH)
    with on_core(CLIENT):  # from core to core the interpreter's lock costs a bare loop as much, more or less by chance
        shared, single = medians(together, one, repetitions=REPETITIONS_OF_ALL)
    what = f"cached reads, {THREADS} threads{setting}"
    rates = f"{1 / shared:,.0f}/s", f"one thread {1 / single:,.0f}/s"
    return Row(what, *rates, single / shared, least, at_least=True)


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
