"""Time and chance as one parameter, so that no test waits for either."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from ._frozen import Frozen

# The system's own source: a program that seeds `random` gives its workers neither equal jitter nor another sequence.
_chance = random.SystemRandom().random


class Clock(Frozen):
    """Where a client takes time and chance from.

    Args:
        now: Monotonic seconds.
        wall: Seconds since 1970.
        sleep: Waits for so many seconds.
        chance: A number from 0 up to 1, for jitter.
    """

    __slots__ = ("now", "wall", "sleep", "chance")
    now: Callable[[], float]
    wall: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = _chance,
    ) -> None:
        self._freeze(now=now, wall=wall, sleep=sleep, chance=chance)
