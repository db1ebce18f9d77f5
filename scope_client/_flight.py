"""One call per key at a time: the waiters share its result, or its error."""

from __future__ import annotations

import copy
import threading
from collections.abc import Hashable
from typing import Callable, Generic, TypeVar

from .errors import ConfigurationError, ScopeError, TimeoutError

_Result = TypeVar("_Result")
_LOOK_UP = 1.0


class Flights(Generic[_Result]):
    """The calls that are under way in one process; those of a parent are not under way in its forked child."""

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._flying: dict[Hashable, _Flight[_Result]] = {}

    def is_flying(self, key: Hashable) -> bool:
        return key in self._flying

    def run(
        self,
        key: Hashable,
        call: Callable[[], _Result],
        left: Callable[[], float | None] = lambda: None,
        *,
        shares_error: bool = True,
    ) -> _Result:
        """The result of `call()`, or of one that another thread has under way for this key.

        `left()` is how many seconds it may wait for another thread, None for any number, or raises; waiting for
        longer is a TimeoutError. A ScopeError reaches all who wait, unless the leader tried less hard than they would
        (`shares_error`). Whatever else ends the leader, an interrupt or a deadline of its own, ends it alone: one of
        the waiters makes the call in its stead. A call that asks for itself is a ConfigurationError.
        """
        me = threading.get_ident()
        flight = self._board(key, me)
        while flight.leader != me:
            _wait_for(flight, left)
            if flight.error is not None:
                raise _of_its_own(flight.error)
            if flight.results:
                return flight.results[0]
            flight = self._board(key, me, flight)
        if flight.is_led:
            raise ConfigurationError(
                "a callback, a log handler or credentials of yours ask for what is being fetched for them just now"
            )
        return self._lead(key, flight, call, shares_error)

    def _board(self, key: Hashable, me: int, abandoned: _Flight[_Result] | None = None) -> _Flight[_Result]:
        """The flight to wait for, or one to lead; all who waited for an abandoned one change to the same."""
        mine: _Flight[_Result] = _Flight(me)  # made without the lock: a finalizer that runs meanwhile may need it
        with self._lock:
            flight = self._flying.get(key)
            if abandoned is not None and abandoned.heir is not None and not abandoned.heir.is_abandoned:
                flight = abandoned.heir
            elif flight is None or flight.has_landed:
                flight = self._flying[key] = mine
            if abandoned is not None:
                abandoned.heir = flight
            return flight

    def _lead(
        self, key: Hashable, flight: _Flight[_Result], call: Callable[[], _Result], shares_error: bool
    ) -> _Result:
        try:
            flight.is_led = True
            result = call()
            flight.results.append(result)
        except ScopeError as error:
            if shares_error and not (isinstance(error, TimeoutError) and error.is_deadline):
                flight.error = error
            raise
        finally:
            flight.is_over = True  # without a call, in which an interrupt could come between
            flight.landed.set()
            with self._lock:
                if self._flying.get(key) is flight:
                    del self._flying[key]
        return result


def _wait_for(flight: _Flight[_Result], left: Callable[[], float | None]) -> None:
    """Looks up now and then: an interrupt may have struck the leader before it could begin, or tell of its end."""
    while True:
        longest = left()
        pause = _LOOK_UP if longest is None else min(longest, _LOOK_UP)
        if flight.landed.wait(pause) or flight.is_over:
            return
        if not flight.is_led and pause == _LOOK_UP:
            flight.is_over = True
            return
        if longest is not None and longest <= _LOOK_UP:
            left()
            raise TimeoutError("another thread's call for the same did not end in time", is_deadline=True)


def _of_its_own(error: ScopeError) -> ScopeError:
    """The same error for one more thread: each that raises it adds its own traceback."""
    twin = copy.copy(error)
    twin.__cause__ = error.__cause__
    return twin


class _Flight(Generic[_Result]):
    __slots__ = ("error", "heir", "is_led", "is_over", "landed", "leader", "results")

    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.is_led = False
        self.is_over = False
        self.heir: _Flight[_Result] | None = None
        self.landed = threading.Event()
        self.results: list[_Result] = []
        self.error: ScopeError | None = None

    @property
    def has_landed(self) -> bool:
        return self.is_over or self.landed.is_set()

    @property
    def is_abandoned(self) -> bool:
        return self.has_landed and not self.results and self.error is None
