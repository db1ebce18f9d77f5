"""Growth: what a call costs at three sizes, and how long the message of its error is."""

from __future__ import annotations

import gc
import sys
import time
from typing import Callable

STEP = 4  # from each size to the next
# A linear cost has 4, a quadratic one has 16. Python 3.9 needs that, at worst, to look for one text in another.
MOST_FOR_A_STEP = 9.0 if sys.version_info >= (3, 10) else 30.0
SHORTEST_SECONDS = 0.002  # below it the noise of the machine is as large
RUNS = 3
LONGEST_MESSAGE = 2_500

Prepared = Callable[[int], Callable[[], object]]


def check(prepare: Prepared, first: int) -> None:
    """Asserts that the call which `prepare` makes for a size costs no more for each unit of a larger one.

    An error that the call raises is a result like any other, if its message is short.
    """
    took = _cost(prepare(first))
    for size in (first * STEP, first * STEP * STEP):
        before, took = took, _cost(prepare(size))
        assert took < MOST_FOR_A_STEP * max(before, SHORTEST_SECONDS), f"size {size}: {before:.4f} s, then {took:.4f} s"


def _cost(call: Callable[[], object]) -> float:
    """The least of several runs, in seconds of this process's own; what it waits for others does not count."""
    gc.disable()  # a collection costs what all other tests have left
    try:
        return min(_timed(call) for _ in range(RUNS))
    finally:
        gc.enable()


def _timed(call: Callable[[], object]) -> float:
    started = time.process_time()
    said = _said(call)
    took = time.process_time() - started
    assert len(said) <= LONGEST_MESSAGE, f"a message of {len(said)} characters: {said[:LONGEST_MESSAGE]}"
    return took


def _said(call: Callable[[], object]) -> str:
    try:
        call()
    except Exception as error:
        return str(error)
    return ""
