"""Times a statement beside its yardstick, by turns, and holds the ratio of the medians against its limit."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

from .limits import LIMITS, Limit

REPETITIONS = 9
SERVER, CLIENT = 0, 1
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []

T = TypeVar("T")
Loop = Callable[[int], float]  # runs a statement so many times, and returns the seconds that one of them took
LOOP = """
def run(times):
    {setup}
    started = _timer()
    for _ in range(times):
        {statement}
    return (_timer() - started) / times
"""


class Row(NamedTuple):
    """`figure` is the ratio of ours to the yardstick's; `what` is a row of LIMITS."""

    what: str
    ours: str
    yardstick: str
    figure: float

    @property
    def limit(self) -> Limit:
        return LIMITS[self.what]

    @property
    def is_met(self) -> bool:
        return self.limit.allows(self.figure)


def loop(statement: str, setup: str = "pass", *, timer: Callable[[], float] = time.perf_counter, **names: Any) -> Loop:
    """A loop of the statement itself, without a call around it; each run of the loop begins with the setup.

    The default timer counts what a user waits. `time.thread_time` counts the processor's time alone, and is steadier.
    """
    made: dict[str, Any] = {**names, "_timer": timer}
    exec(LOOP.format(setup=setup, statement=statement), made)
    return cast(Loop, made["run"])


def medians(*measures: Callable[[], float], repetitions: int = REPETITIONS) -> list[float]:
    """The median of each. They take turns, so that a slow moment of the machine hits all of them."""
    turns = [[measure() for measure in measures] for _ in range(repetitions)]
    return [statistics.median(taken) for taken in zip(*turns)]


def compare(what: str, ours: Loop, yardstick: str, theirs: Loop, times: int, repetitions: int = REPETITIONS) -> Row:
    """The row of two loops, each run `times` times a turn."""
    ours(1)
    return costs(what, yardstick, *medians(partial(ours, times), partial(theirs, times), repetitions=repetitions))


def costs(what: str, yardstick: str, ours: float, theirs: float) -> Row:
    """The row of two times in seconds."""
    return Row(what, seconds(ours), f"{yardstick} {seconds(theirs)}", ours / theirs)


def rates(what: str, yardstick: str, ours: float, theirs: float) -> Row:
    """The row of two times in seconds, shown as how often a second."""
    return Row(what, f"{1 / ours:,.0f}/s", f"{yardstick} {1 / theirs:,.0f}/s", theirs / ours)


def threaded(run: Loop, times: int, threads: int) -> float:
    """Seconds for each statement, if so many threads run the loop at once, `times` times each."""
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        list(pool.map(run, [times] * threads))
        return (time.perf_counter() - started) / (times * threads)


def alone(work: Callable[[], T]) -> T:
    """What the function returns in a new process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(work).result()


@contextmanager
def on_core(which: int) -> Iterator[None]:
    """Keeps this thread, and what it starts, on one core (SERVER or CLIENT), if there are two to choose from."""
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
