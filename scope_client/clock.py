"""Time and chance as one parameter, so that no test waits for either."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from .frozen import Frozen


class Clock(Frozen):
    """`now` is monotonic seconds, `wall` seconds since 1970, `chance` a number from 0 up to 1."""

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
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._freeze(now=now, wall=wall, sleep=sleep, chance=chance)
