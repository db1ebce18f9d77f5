"""Time and chance as one parameter, so that no test waits for either."""

from __future__ import annotations

import random
import time
from typing import Callable, NamedTuple


class Clock(NamedTuple):
    """`now` is monotonic seconds, `wall` seconds since 1970, `chance` a number from 0 up to 1."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
