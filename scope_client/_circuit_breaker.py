"""CircuitBreaker: after a failure, what failed is asked again only by one caller at a time, and after a pause."""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import NamedTuple

from ._clock import Clock

NEVER = -math.inf
MAX_DOUBLINGS = 10


class Pauses(NamedTuple):
    """The pause after the first failure, which doubles with each further one up to the longest; both in seconds."""

    first: float
    longest: float

    def after(self, failures: int) -> float:
        """Seconds after so many failures in a row, before they are jittered down to half of it at the most."""
        return min(self.first * 2.0 ** min(failures - 1, MAX_DOUBLINGS), self.longest)


class Circuit(Enum):
    """Whether something that may fail may be asked."""

    CLOSED = auto()
    """It works: everybody may ask."""
    OPEN = auto()
    """It failed, and the pause is not over: nobody may ask."""
    HALF_OPEN = auto()
    """It failed, and the pause is over: one caller may ask."""


class CircuitBreaker:
    """Failures in a row of one thing that may fail, and when it may be asked again.

    `failures` counts those in a row, `failed_at` is the time of the last, `ask_at` when the next attempt may be made.
    Whoever calls a method brings a lock. Readers of the three need none: each is one number, and an old one costs an
    attempt too many or one too late.
    """

    __slots__ = ("_clock", "_pauses", "ask_at", "failed_at", "failures")

    def __init__(self, clock: Clock, pauses: Pauses) -> None:
        self._clock = clock
        self._pauses = pauses
        self.failures = 0
        self.failed_at = NEVER
        self.ask_at = NEVER

    @property
    def circuit(self) -> Circuit:
        if not self.failures:
            return Circuit.CLOSED
        return Circuit.OPEN if self._clock.now() < self.ask_at else Circuit.HALF_OPEN

    def claim(self) -> bool:
        """Whether this caller may ask now. Of many who find the circuit half open, one may."""
        circuit = self.circuit
        if circuit is Circuit.HALF_OPEN:
            self.ask_at = self._clock.now() + self._jittered()
        return circuit is not Circuit.OPEN

    def failed(self, asked_to_wait: float = 0.0) -> None:
        """One failure more; `asked_to_wait` is the least pause, in seconds."""
        now = self._clock.now()
        # Many threads that fail at the same time met one failure, not many.
        if now >= self.failed_at + self._pauses.after(self.failures) / 2:
            self.failures += 1
        self.failed_at = now
        self.ask_at = max(self.ask_at, now + max(self._jittered(), asked_to_wait))

    def worked(self) -> bool:
        """Closes the circuit; whether it was open."""
        was_open, self.failures = self.failures > 0, 0
        self.failed_at = self.ask_at = NEVER
        return was_open

    def may_be_asked(self) -> None:
        """Ends the pause, and leaves the circuit half open: the next caller may ask."""
        self.ask_at = NEVER

    def _jittered(self) -> float:
        return self._pauses.after(self.failures) * (1 + self._clock.chance()) / 2
