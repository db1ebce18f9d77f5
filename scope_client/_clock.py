"""Time and chance as one parameter, so that no test waits for either."""

import os
import time
from collections.abc import Callable

from ._frozen import Frozen


def _chance() -> float:
    # The system's own source: a program that seeds `random` does not give its workers equal jitter by it.
    return int.from_bytes(os.urandom(6), "big") / 2**48


def _wall() -> float:
    return time.time()


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


class Clock(Frozen):
    """Where a client takes time and chance from. The arguments are the fields.

    What other programs replace for a while is looked up when it is used: gevent `time.sleep`, test tools `time.time`.
    The monotonic clock is not. Its times are compared with earlier ones, and a tool that stops it would make each wait
    endless, or each answer too late. Some tools stop `time.monotonic` wherever it is bound; `time.perf_counter` they
    leave alone.
    """

    __slots__ = ("now", "wall", "sleep", "chance")
    now: Callable[[], float]
    """Returns monotonic seconds. Default `time.perf_counter`."""
    wall: Callable[[], float]
    """Returns seconds since 1970. Default `time.time`."""
    sleep: Callable[[float], None]
    """Waits for so many seconds. Default `time.sleep`."""
    chance: Callable[[], float]
    """Returns a number from 0 up to 1, for jitter. Default the system's own source."""

    def __init__(
        self,
        now: Callable[[], float] = time.perf_counter,
        wall: Callable[[], float] = _wall,
        sleep: Callable[[float], None] = _sleep,
        chance: Callable[[], float] = _chance,
    ) -> None:
        self._freeze(now=now, wall=wall, sleep=sleep, chance=chance)


SYSTEM_CLOCK = Clock()
