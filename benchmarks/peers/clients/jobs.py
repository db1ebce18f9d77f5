"""What is measured of a client, whichever it is."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any, Callable

LASTING = 0.2
THREADED = 0.4


class Jobs:
    """`reader` has `read(name)`, `read_fresh(name)`, `fill(name, values)` and `text(prompt)`; times are in seconds."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def filled(self, name: str, values: dict[str, str]) -> str:
        return self._reader.fill(name, values)

    def read(self, name: str) -> None:
        self._reader.read(name)

    def cached(self, name: str) -> float:
        read = self._reader.read
        return _each(lambda times: _repeat(read, name, times), 200)

    def rate(self, name: str, threads: int) -> float:
        """Reads per second of all threads together."""
        return _rate(self._reader.read, name, threads)

    def filling(self, name: str, values: dict[str, str]) -> float:
        return _each(lambda times: _repeat_filling(self._reader.fill, name, values, times), 50)

    def filling_by_hand(self, name: str, values: dict[str, str]) -> float:
        return _each(lambda times: _repeat_filling(self._reader.fill_by_hand, name, values, times), 50)

    def fresh(self, name: str) -> float:
        return _each(lambda times: _repeat(self._reader.read_fresh, name, times), 20)

    def stampede(self, name: str, threads: int) -> None:
        """All threads read a name at the same moment."""
        gate = threading.Barrier(threads)
        _together(lambda: (gate.wait(), self._reader.read(name)), threads)

    def grown(self, prefix: str, count: int) -> int:
        """Bytes of memory that the process gained by reading so many prompts."""
        self._reader.read(f"{prefix}-first")
        before = resident()
        for number in range(count):
            self._reader.read(f"{prefix}-{number}")
        return resident() - before

    def outage(self, name: str, reads: int, patience: float) -> list[tuple[float, bool]]:
        """How long each read took and whether it gave the prompt, for the reads that ended in time."""
        seen: list[tuple[float, bool]] = []
        thread = threading.Thread(target=lambda: self._watch(name, reads, seen), daemon=True)
        thread.start()
        thread.join(patience)
        return list(seen)

    def _watch(self, name: str, reads: int, seen: list[tuple[float, bool]]) -> None:
        for _ in range(reads):
            started = time.perf_counter()
            try:
                prompt = self._reader.read(name)
            except Exception:
                prompt = None
            seen.append((time.perf_counter() - started, prompt is not None))
            time.sleep(0.05)


def resident() -> int:
    """The bytes of memory that this process holds (Linux)."""
    gc.collect()
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024


def _repeat(read: Callable[[str], object], name: str, times: int) -> None:
    for _ in range(times):
        read(name)


def _repeat_filling(fill: Callable[[str, dict[str, str]], str], name: str, values: dict[str, str], times: int) -> None:
    for _ in range(times):
        fill(name, values)


def _each(repeat: Callable[[int], None], batch: int) -> float:
    """Seconds for one, from as many batches as fill LASTING."""
    repeat(1)
    times, spent, started = 0, 0.0, time.perf_counter()
    while spent < LASTING:
        repeat(batch)
        times += batch
        spent = time.perf_counter() - started
    return spent / times


def _rate(read: Callable[[str], object], name: str, threads: int, batch: int = 100) -> float:
    read(name)
    counts: list[int] = []
    started = time.perf_counter()

    def work() -> None:
        times = 0
        while time.perf_counter() - started < THREADED:
            _repeat(read, name, batch)
            times += batch
        counts.append(times)

    _together(work, threads)
    return sum(counts) / (time.perf_counter() - started)


def _together(work: Callable[[], object], threads: int) -> None:
    started = [threading.Thread(target=work) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
