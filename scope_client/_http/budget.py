"""What one call may spend: time, and retries."""

from __future__ import annotations

import math
from typing import Callable

from ..errors import ScopeError, TimeoutError

MAX_WAIT_SECONDS = 1e6  # a lock takes no number
OVERRUN_SECONDS = 1.0  # past its time: a thread that the machine is too busy for is not as late


class Budget:
    """`seconds` for the whole of a call (None: as long as it takes), of which one attempt gets at most `attempt`.

    `retries` is the number of attempts after the first, None if the Configuration decides. `waits_its_turn` is called
    before each attempt, with the seconds that are left, and `heard_nothing` after each one that ends without an answer.
    """

    __slots__ = ("_ends_at", "_has_asked", "_now", "attempt", "heard_nothing", "retries", "seconds", "waits_its_turn")

    def __init__(
        self,
        now: Callable[[], float],
        seconds: float | None = None,
        *,
        attempt: float | None = None,
        retries: int | None = None,
    ) -> None:
        self._now = now
        self._ends_at = None if seconds is None else now() + seconds
        self._has_asked = False
        self.seconds = seconds
        self.attempt = attempt
        self.retries = retries
        self.heard_nothing: Callable[[], object] = _do_nothing
        self.waits_its_turn: Callable[[float | None], object] = _do_nothing

    def left(self) -> float | None:
        """Seconds that are left, None if time does not matter; raises TimeoutError if none are left."""
        if self._ends_at is None:
            return None
        left = self._ends_at - self._now()
        if left <= 0:
            raise self.overdrawn()
        return min(left, MAX_WAIT_SECONDS)

    def for_attempt(self, timeout: float) -> tuple[float, float]:
        """Seconds that an attempt may take, and all that are left, which it may take with looking up a host's name.

        Raises TimeoutError for none. If they were over before the first attempt, this process was kept from making it.
        """
        if not (self._has_asked or self.affords(0.0)):
            error = self.overdrawn()
            error.is_overrun = True
            raise error
        self.waits_its_turn(self.left())
        if self.attempt is not None:
            timeout = min(timeout, self.attempt)
        left = self.left()
        self._has_asked = True
        at_most = math.inf if left is None else left
        return min(timeout, at_most), at_most

    def outlasts(self, other: Budget) -> bool:
        """Whether this one ends later than the other."""
        return other._ends_at is not None and (self._ends_at is None or self._ends_at > other._ends_at)

    def affords(self, pause: float) -> bool:
        """Whether there is time left after a pause of so many seconds."""
        return self._ends_at is None or self._now() + pause < self._ends_at

    def at_most(self, seconds: float, *, retries: int | None = None) -> Budget:
        """The same, ending after so many seconds unless it ends sooner, and with no more than so many retries."""
        is_shorter = not self.affords(seconds)
        limited = Budget(
            self._now,
            self.seconds if is_shorter else seconds,
            attempt=self.attempt,
            retries=self.retries if retries is None else retries,
        )
        if is_shorter:
            limited._ends_at = self._ends_at
        limited.waits_its_turn = self.waits_its_turn
        return limited

    def watched(self, heard_nothing: Callable[[], object]) -> Budget:
        """The same, for an exchange of which the caller wants to know each attempt that ends without an answer."""
        watched = Budget(self._now, attempt=self.attempt, retries=self.retries)
        watched.seconds, watched._ends_at = self.seconds, self._ends_at
        watched.heard_nothing = heard_nothing
        watched.waits_its_turn = self.waits_its_turn
        return watched

    def in_turn(self, waits_its_turn: Callable[[float | None], object]) -> Budget:
        """The same, for a call whose attempts wait for their turn; one without an end stays free for other calls."""
        waiting = self.watched(self.heard_nothing) if self._ends_at is None else self
        waiting.waits_its_turn = waits_its_turn
        return waiting

    def overdrawn(self, last: ScopeError | None = None) -> TimeoutError:
        """The error of a call whose time is over, or too short for more; `last` is what its last attempt ended in."""
        over_for = 0.0 if self._ends_at is None else self._now() - self._ends_at
        is_over, is_overrun = over_for >= 0, over_for > OVERRUN_SECONDS
        said = f"the prompt was not there within the {self.seconds:g} s that the call had"
        if not is_over:
            said = f"the {self.seconds:g} s that the call had leave no time for another attempt"
        if last is None:
            return TimeoutError(said, is_deadline=True, is_overrun=is_overrun)
        error = TimeoutError(
            f"{said}; the last attempt: {last}",
            is_deadline=True,
            is_overrun=is_overrun,
            http_status=last.http_status,
            http_body=last.http_body,
            error_code=last.error_code,
            request_id=last.request_id,
        )
        error.__cause__ = last
        return error


def _do_nothing(*_: object) -> None:
    pass


def is_overrun(error: BaseException | None) -> bool:
    """Whether this process was stopped, or starved, in the middle of the attempt that the error is about."""
    seen: set[int] = set()  # an exception may be its own cause
    while error is not None and id(error) not in seen:
        if isinstance(error, TimeoutError) and error.is_overrun:
            return True
        seen.add(id(error))
        error = error.__cause__
    return False
