"""Interleaved repetitions, medians, cores to run on, and rows that hold a figure against its limit."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

REPETITIONS = 9
LEAST_REPETITIONS = 7
SERVER, CLIENT = 0, 1
HEADING = ("what", "ours", "yardstick", "figure", "limit", "")
COUNTS = ("requests", "errors")
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


Loop = Callable[[int], None]  # does something so many times


class Row(NamedTuple):
    """`figure` is a ratio, or a count or size where `unit` says so; met at most at `limit`, or at least at it."""

    what: str
    ours: str
    yardstick: str
    figure: float
    limit: float
    unit: str = "x"
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


def medians(*measures: Callable[[], float], repetitions: int = REPETITIONS) -> list[float]:
    """The median of each, all measured by turns so that a slow moment of the machine hits all of them."""
    assert repetitions >= LEAST_REPETITIONS, "a median of so few says little"
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(repetitions):
        for times, measure in zip(taken, measures):
            times.append(measure())
    return [statistics.median(times) for times in taken]


def timed(loop: Loop, times: int) -> float:
    """Seconds for each."""
    started = time.perf_counter()
    loop(times)
    return (time.perf_counter() - started) / times


def worked(loop: Loop, times: int) -> float:
    """Seconds of the processor's time for each, of which none goes to what else this machine does."""
    started = time.thread_time()
    loop(times)
    return (time.thread_time() - started) / times


def threaded(loop: Loop, times: int, threads: int) -> float:
    """Seconds for each, while so many threads are at it, so many times each."""
    running = [threading.Thread(target=loop, args=(times,)) for _ in range(threads)]
    started = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return (time.perf_counter() - started) / (times * threads)


def alone(function: str) -> Any:
    """What a function, "module:name", returns in a new process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_called, function).result()


def _called(function: str) -> Any:
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)()


@contextmanager
def on_core(which: int) -> Iterator[None]:
    """Keeps this thread, and what it starts, on one core (SERVER or CLIENT) where there are two to choose from."""
    if len(CORES) <= max(SERVER, CLIENT):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORES[which]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def seconds(value: float) -> str:
    """A time with its unit, three figures."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def number(value: float, unit: str) -> str:
    """A ratio with two decimals, and any other figure with as many as it has."""
    if unit == "x":
        return f"{value:.2f} x"
    shown = f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{shown} {unit[:-1] if shown == '1' and unit in COUNTS else unit}"


def cells(row: Row) -> tuple[str, ...]:
    """What a table shows of a row, under HEADING."""
    limit = f"{'at least' if row.at_least else 'at most'} {number(row.limit, row.unit)}"
    return row.what, row.ours, row.yardstick, number(row.figure, row.unit), limit, "met" if row.is_met else "MISSED"


def table(rows: list[Row]) -> str:
    """The rows in columns of even width."""
    lines = [HEADING, *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADING))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
