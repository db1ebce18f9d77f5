"""Time and chance as one parameter, so that no test waits for either."""

from __future__ import annotations

import time
from collections.abc import Callable

from ._fork import held_back
from ._frozen import Frozen


def _chance() -> float:
    with held_back():
        import random

    return random.random()  # noqa: S311  # not for secrets


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
        chance: Callable[[], float] = _chance,
    ) -> None:
        self._freeze(now=now, wall=wall, sleep=sleep, chance=chance)
