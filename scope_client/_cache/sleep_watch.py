"""SleepWatch: notices time that passed while the machine slept, which a monotonic clock may not count."""

from __future__ import annotations

import threading

from .._clock import Clock
from .._fork import renew_in_children

LOOK_AT_WALL_CLOCK_SECONDS = 5.0  # of a prompt's use, at the most, between two looks
MIN_SLEEP_SECONDS = 2.0


class SleepWatch:
    """Holds the wall clock beside the monotonic one. A wall clock that is set ahead looks like a sleep.

    While the wall clock is `ahead` of the other by about as much, there is nothing to ask for.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead = clock.wall() - clock.now()
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def seconds_slept(self) -> float:
        """Seconds that the wall clock has gained since they were last told of; 0 if it went back."""
        # Of several threads that notice it at the same time, one hears of it.
        with self._lock:
            ahead = self._clock.wall() - self._clock.now()
            gained = ahead - self.ahead
            if abs(gained) < MIN_SLEEP_SECONDS:
                return 0.0
            self.ahead = ahead
        return max(gained, 0.0)
