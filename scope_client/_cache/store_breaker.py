"""StoreBreaker: whether a shared store may be asked; what it raises, or is slow at, counts as a miss."""

from __future__ import annotations

import threading
from functools import partial
from typing import Callable, TypeVar

from .._attribute_names import STORE_OPERATION
from .._circuit_breaker import CircuitBreaker, Pauses
from .._clock import Clock
from .._fork import renew_in_children
from .._frames import hides_what_it_was_given
from .._interrupts import pass_on
from .._log import Log
from .._stores.failure import reason
from .store_deadline import GRACE_SECONDS, NoAnswerError, StoreDeadline

STORE_PAUSES = Pauses(first=5.0, longest=5.0)
SLOW_ANSWER_SECONDS = 0.5  # twice in a row; once may be this machine, busy with something else
HANGING_ANSWER_SECONDS = 2.0
NOTICED_SECONDS = 0.05
HELD_UP_SECONDS = 0.1  # past the end of a wait: a thread that waits for its turn is seldom as late

_log = Log("scope_client.store")
_Result = TypeVar("_Result")


class _Call:
    __slots__ = ("started",)

    def __init__(self, started: float) -> None:
        self.started = started


class StoreBreaker:
    """The circuit breaker of a store: what it raises, or is slow at, counts as a miss."""

    def __init__(self, clock: Clock, deadline: StoreDeadline | None = None) -> None:
        self._clock = clock
        self._breaker = CircuitBreaker(clock, STORE_PAUSES)
        self._failing: set[str] = set()  # the operations: one that works says nothing about the others
        self._was_slow = False
        self._last_took = 0.0
        self._deadline = deadline or StoreDeadline()
        self.within = self._deadline.within
        self.failures = 0
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._under_way: dict[_Call, bool] = {}  # those too that nobody waits for any longer

    @property
    def is_slow(self) -> bool:
        """Whether the last answer took longer than a reader should notice, or one that is under way does."""
        calls = list(self._under_way)  # in one step, as is what others put in and take out
        oldest = min((call.started for call in calls), default=None)
        is_waited_for = oldest is not None and self._clock.now() > oldest + NOTICED_SECONDS
        return is_waited_for or self._last_took > NOTICED_SECONDS

    @hides_what_it_was_given
    def attempt(self, what: str, operation: Callable[[], _Result], otherwise: _Result) -> _Result:
        """The result of `operation`; `otherwise` if it fails, or if the store is left alone just now."""
        if self._is_given_up(what):
            return otherwise
        seconds = self._deadline.seconds()
        if seconds == 0 or not self._may_ask():
            return otherwise
        started = self._clock.now()
        call = _Call(started)
        try:
            if seconds is None:
                result = self._watched(call, operation)
            else:
                result = self._deadline.done_within(seconds, partial(self._watched, call, operation))
        except NoAnswerError as error:
            self._heard_nothing(what, call, seconds, str(error))
            return otherwise
        except Exception as error:  # noqa: BLE001  # a store may be anybody's
            pass_on(error)
            self.failed(what, reason(error))
            return otherwise
        finally:
            self._last_took = took = self._clock.now() - started
        is_slow = took > SLOW_ANSWER_SECONDS and not _was_held_up(took, seconds)
        was_slow, self._was_slow = self._was_slow, is_slow
        if is_slow and (was_slow or took > HANGING_ANSWER_SECONDS):
            self.failed(what, f"an answer took {took:.1f} seconds")
        # That an `add` is refused proves nothing: a store that swallows its errors says so when it is down.
        elif self._breaker.failures and result is not False:
            self._worked(what)
        return result

    def _watched(self, call: _Call, operation: Callable[[], _Result]) -> _Result:
        try:
            self._under_way[call] = True
            return operation()
        finally:
            self._under_way.pop(call, None)

    def _heard_nothing(self, what: str, call: _Call, seconds: float | None, why: str) -> None:
        now = self._clock.now()
        if _was_held_up(now - call.started, seconds):
            call.started = now  # from here on it may hang
            return
        was_slow, self._was_slow = self._was_slow, True
        # Of a call with less time than that one answer says nothing.
        if was_slow or seconds is None or seconds > SLOW_ANSWER_SECONDS:
            self._under_way.pop(call, None)  # it counts once
            self.failed(what, why)

    def _is_given_up(self, what: str) -> bool:
        """Whether an answer has been under way for so long that nobody else is to try."""
        limit = self._clock.now() - HANGING_ANSWER_SECONDS
        hanging = [call for call in list(self._under_way) if call.started < limit]  # in one step, as in `is_slow`
        if not hanging:
            return False
        self._clock.sleep(GRACE_SECONDS)  # where this process was stopped, an answer may have come meanwhile
        # Each call counts once, or a later try would not be made either.
        if not [call for call in hanging if call.started < limit and self._under_way.pop(call, False)]:
            return False
        self.failed(what, f"an answer takes more than {HANGING_ANSWER_SECONDS:g} seconds")
        return True

    def _may_ask(self) -> bool:
        if not self._breaker.failures:
            return True
        with self._lock:
            return self._breaker.claim()

    def failed(self, what: str, why: str) -> None:
        with self._lock:
            self.failures += 1
            was_failing = bool(self._failing)
            # First the set, then the breaker, and whether it is open is asked of the breaker alone: an interrupt, or a
            # fork, between the two leaves nothing behind that the next answer would not put right.
            self._failing.add(what)
            self._breaker.failed()
        if not was_failing:
            facts = {STORE_OPERATION: what}
            _log.warning("the shared cache fails, each process goes on with its own: %s", why, facts=facts)

    def _worked(self, what: str) -> None:
        with self._lock:
            self._failing.discard(what)
            if self._failing:
                self._breaker.may_be_asked()
            # Of several answers that were under way, one is the first to find that all work again.
            is_over = not self._failing and self._breaker.worked()
        if is_over:
            _log.info("the shared cache works again")


def _was_held_up(took: float, seconds: float | None) -> bool:
    """Whether this process was stopped, or starved, while it waited for so many seconds at the most."""
    return seconds is not None and took > seconds + GRACE_SECONDS + HELD_UP_SECONDS
