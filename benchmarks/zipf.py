"""A million reads over 100,000 names, drawn by Zipf's law, with a time to live of a second and a slow platform."""

from __future__ import annotations

import itertools
import json
import math
import random
import subprocess
import sys
import threading
import time
import urllib.request
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator

from scope_client import ApiKeyCredentials, ScopeClient

from . import server
from .measure import CLIENT, Row, on_core

READS = 1_000_000
NAMES = 100_000
EXPONENT = 1.1
SEED = 7
READERS = 64
BLOCK = 50
RATE = 10_000.0
TTL = 1.0
LATENCY = 0.02
KEPT_AFTER = 0.05  # an answer has arrived by then
FRESH_FOR = 0.95  # of the TTL: a cache may shorten it by a little chance
LONGEST_MS = 1.0
LIMIT = 1.2


class Traffic:
    """Which name each read is of, when it began and how many seconds it took."""

    def __init__(self) -> None:
        weights = itertools.accumulate((rank + 1) ** -EXPONENT for rank in range(NAMES))
        self.names = [f"name-{rank}" for rank in range(NAMES)]
        self.drawn = array("i", random.Random(SEED).choices(range(NAMES), cum_weights=list(weights), k=READS))
        self.began = array("d", bytes(8 * READS))
        self.took = array("d", bytes(8 * READS))
        self._blocks = iter(range(0, READS, BLOCK))

    def flow(self, client: ScopeClient) -> float:
        """Makes all the reads and tells how many seconds that took."""
        starts_at = time.monotonic()
        threads = [threading.Thread(target=self._read_blocks, args=(client, starts_at)) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(self.began), "a reader has failed"
        return time.monotonic() - starts_at

    def _read_blocks(self, client: ScopeClient, starts_at: float) -> None:
        """One block of reads after the other, as long as there are any, none of them before its time."""
        for first in self._blocks:
            time.sleep(max(0.0, starts_at + first / RATE - time.monotonic()))
            for number in range(first, first + BLOCK):
                self._read(client, number)

    def _read(self, client: ScopeClient, number: int) -> None:
        name = self.names[self.drawn[number]]
        began = time.monotonic()
        client.get_prompt_version(name)
        self.took[number] = time.monotonic() - began
        self.began[number] = began

    def by_name(self) -> dict[str, list[int]]:
        """The reads of each name, in order of their time."""
        reads = defaultdict(list)
        for number in sorted(range(READS), key=self.began.__getitem__):
            reads[self.names[self.drawn[number]]].append(number)
        return reads


def rows() -> list[Row]:
    with on_core(CLIENT), server.running(LATENCY) as url:
        command = [sys.executable, "-m", __name__, url]
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seen = json.loads(ran.stdout)
    what = f"Zipf, {READS:,} reads of {NAMES:,} names"
    fresh_reads, perfect = f"of {seen['fresh']:,} fresh reads", f"a perfect cache {seen['ideal']:,}"
    worst, asked = seen["worst"] * 1000, f"{seen['asked']:,} requests"
    return [
        Row(f"{what}: p99.9 where in cache", f"{worst:.2f} ms", fresh_reads, worst, LONGEST_MS, unit="ms"),
        Row(f"{what}: requests", asked, perfect, seen["asked"] / seen["ideal"], LIMIT),
    ]


def run(url: str) -> dict[str, float]:
    credentials = ApiKeyCredentials("org", "key", "secret")
    client = ScopeClient(credentials=credentials, base_url=url, auth_api_url=url, cache_ttl=TTL, cache_max_size=NAMES)
    traffic = Traffic()
    elapsed = traffic.flow(client)
    reads, answered = traffic.by_name(), answers(url)
    took = sorted(traffic.took[number] for number in fresh(traffic, reads, answered))
    return {
        "seconds": elapsed,
        "fresh": len(took),
        "worst": took[int(len(took) * 0.999)],
        "asked": sum(map(len, answered.values())),
        "ideal": sum(fewest(traffic.began[number] for number in numbers) for numbers in reads.values()),
    }


def answers(url: str) -> dict[str, list[float]]:
    """When the platform answered for each name."""
    found = defaultdict(list)
    with urllib.request.urlopen(url + server.LOG_PATH.decode()) as log:
        for name, moment in json.load(log):
            found[name].append(moment)
    return {name: sorted(moments) for name, moments in found.items()}


def fresh(traffic: Traffic, reads: dict[str, list[int]], answered: dict[str, list[float]]) -> Iterator[int]:
    """The reads of names that the platform had answered for within the time to live, and not just now."""
    for name, numbers in reads.items():
        moments = answered[name]
        for number in numbers:
            began = traffic.began[number]
            last = bisect_right(moments, began - KEPT_AFTER)
            if last and began - moments[last - 1] < FRESH_FOR * TTL:
                yield number


def fewest(moments: Iterable[float]) -> int:
    """How often a perfect cache would have asked for a name that was read at these moments."""
    asked, until = 0, -math.inf
    for moment in moments:
        if moment >= until:
            asked, until = asked + 1, moment + LATENCY + TTL
    return asked


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1])))
