"""Figures: what a reader process counts and measures, in the same memory from its first read to its last."""

from __future__ import annotations

import os
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from .weather import REDIS, WEATHERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PARTS = 8  # of each power of two: a figure read from a histogram is too large by an eighth at the most
BUCKETS = 64 * PARTS
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def bucket_of(nanoseconds: int) -> int:
    power = max(nanoseconds.bit_length(), 4)
    return power * PARTS + (nanoseconds >> (power - 4)) % PARTS


def milliseconds_of(bucket: int) -> float:
    """The upper end of a bucket."""
    power, part = divmod(bucket, PARTS)
    return float((PARTS + part + 1) << (power - 4)) / 1e6


def percentile(counts: Sequence[int], share: float) -> float:
    """Milliseconds within which this share of the reads ended."""
    left = sum(counts) * share
    for bucket, count in enumerate(counts):
        left -= count
        if count and left <= 0:
            return milliseconds_of(bucket)
    return 0.0


def total(histograms: Iterable[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*histograms)]


class Figures:
    """Those of one thread: how many reads took how long, by the weather and by what Redis did when they began."""

    def __init__(self) -> None:
        self.by_weather = [[0] * BUCKETS for _ in WEATHERS]
        self.by_redis = [[0] * BUCKETS for _ in REDIS]
        self.of_nobodys = [[0] * BUCKETS for _ in REDIS]
        """How long it took to hear that there is no such name."""
        self.errors: Counter[str] = Counter()
        """Of the names that nobody has, while the platform fails."""
        self.reads = 0
        self.judged = 0
        """Reads whose answer may not have been any edition since the first."""

    def took(self, nanoseconds: int, weather: int, redis: int) -> None:
        bucket = bucket_of(nanoseconds)
        self.by_weather[weather][bucket] += 1
        self.by_redis[redis][bucket] += 1


def merged(figures: Sequence[Figures]) -> dict[str, Any]:
    return {
        "reads": sum(each.reads for each in figures),
        "judged": sum(each.judged for each in figures),
        "by_weather": [total(column) for column in zip(*(each.by_weather for each in figures))],
        "by_redis": [total(column) for column in zip(*(each.by_redis for each in figures))],
        "of_nobodys": [total(column) for column in zip(*(each.of_nobodys for each in figures))],
    }


def footprint() -> dict[str, float]:
    """Threads, open sockets, and megabytes of memory of this process now."""
    sockets = sum(map(_is_socket, os.listdir("/proc/self/fd")))
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return {"threads": threading.active_count(), "sockets": sockets, "megabytes": pages * PAGE_BYTES / 1e6}


def _is_socket(descriptor: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
    except OSError:  # it was closed meanwhile
        return False
