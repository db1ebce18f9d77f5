"""Single flight: one call per key at a time, whose waiters share its result or its error."""

from __future__ import annotations

import copy
import threading
from collections.abc import Hashable
from enum import Enum, auto
from typing import Callable, Generic, TypeVar

from ._fork import renew_in_children
from ._interrupts import pass_on
from .errors import ConfigurationError, ScopeError, TimeoutError

_Result = TypeVar("_Result")
LOOK_UP_SECONDS = 1.0


class State(Enum):
    """The life of a flight: BOARDING, LED, and one of the three ends."""

    BOARDING = auto()
    """A thread is to lead it, and has not begun the call yet."""
    LED = auto()
    """Its leader is at the call."""
    LANDED = auto()
    """The call gave a result, which all share."""
    FAILED = auto()
    """The call raised an error, which all share."""
    ABANDONED = auto()
    """Its leader ended alone; one of the waiters makes the call in its stead."""


_ENDS = (State.LANDED, State.FAILED, State.ABANDONED)


class Flights(Generic[_Result]):
    """The calls that are under way in one process, `by_key`; a forked child has none of its parent's."""

    def __init__(self) -> None:
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self.by_key: dict[Hashable, _Flight[_Result]] = {}

    def run(
        self,
        key: Hashable,
        call: Callable[[], _Result],
        left: Callable[[], float | None] = lambda: None,
        *,
        shares_error: bool = True,
    ) -> _Result:
        """The result of `call()`, or of the call that another thread has under way for this key.

        Args:
            key: What the call is for.
            call: Made in this thread if no other thread is at it.
            left: How many seconds this thread may still wait for another one, None for any number. It may raise.
            shares_error: Whether a ScopeError of this call reaches those who wait. False for a leader that tries
                less hard than they would.

        Raises:
            ScopeError: The error of the call, for all who wait. Whatever else ends the leader (an interrupt, its own
                deadline) ends it alone, and one of the waiters makes the call in its stead.
            TimeoutError: The other thread's call did not end in the time that is left.
            ConfigurationError: The call asks, through a callback say, for what it is itself fetching.
        """
        # Cases: (1) nobody is at it, this thread leads; (2) another thread leads, this one waits; (3) it ended alone,
        # and one of those who waited leads in its stead; (4) this very thread leads it: the call asks for itself.
        me = threading.get_ident()
        flight = self._board(key, me)
        while flight.leader != me:
            _wait_for(flight, left)
            if flight.error is not None:
                raise own_copy(flight.error)
            if flight.results:
                return flight.results[0]
            flight = self._board(key, me, flight)
        if flight.state is State.LED:
            raise ConfigurationError(
                "a callback, a log handler or credentials of yours ask for the very prompt that is being fetched"
            )
        return self._lead(key, flight, call, shares_error)

    def _board(self, key: Hashable, me: int, abandoned: _Flight[_Result] | None = None) -> _Flight[_Result]:
        """The flight to wait for, or a new one to lead; all who waited for an abandoned one change to the same."""
        # Made before the lock is taken: a garbage collection that runs in between may run a finalizer that reads.
        mine: _Flight[_Result] = _Flight(me)
        with self._lock:
            flight = self.by_key.get(key)
            # Without an heir each waiter of a failed leader would find no flight and make a call of its own.
            heir = None if abandoned is None else abandoned.heir
            if heir is not None and heir.state is not State.ABANDONED:
                flight = heir
            elif flight is None or flight.state in _ENDS:
                flight = self.by_key[key] = mine
            if abandoned is not None:
                abandoned.heir = flight
            return flight

    def _lead(
        self, key: Hashable, flight: _Flight[_Result], call: Callable[[], _Result], shares_error: bool
    ) -> _Result:
        end = State.ABANDONED
        try:
            flight.state = State.LED
            result = call()
            flight.results.append(result)
            end = State.LANDED
        except ScopeError as error:
            pass_on(error)
            if shares_error and not (isinstance(error, TimeoutError) and error.is_deadline):
                flight.error = error
                end = State.FAILED
            raise
        finally:
            # First, and by an assignment: an interrupt (Ctrl-C) can strike in a call, and would leave the waiters be.
            flight.state = end
            flight.has_ended.set()
            with self._lock:
                # A waiter that gave this flight up may have put its own in its place.
                if self.by_key.get(key) is flight:
                    del self.by_key[key]
        return result


def _wait_for(flight: _Flight[_Result], left: Callable[[], float | None]) -> None:
    """Waits for the end, and looks up once a second: an interrupt may have kept the leader from telling of it."""
    while True:
        longest = left()
        pause = LOOK_UP_SECONDS if longest is None else min(longest, LOOK_UP_SECONDS)
        if flight.has_ended.wait(pause) or flight.state in _ENDS:
            return
        if flight.state is State.BOARDING and pause == LOOK_UP_SECONDS:
            flight.state = State.ABANDONED
            return
        if longest is not None and longest <= LOOK_UP_SECONDS:
            left()
            raise TimeoutError("another thread's call for the same prompt did not end in time", is_deadline=True)


def own_copy(error: ScopeError) -> ScopeError:
    """The same error for one more thread: each thread that raises it adds its own traceback."""
    twin = copy.copy(error)
    twin.__cause__ = error.__cause__
    return twin


class _Flight(Generic[_Result]):
    __slots__ = ("error", "has_ended", "heir", "leader", "results", "state")

    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.state = State.BOARDING
        self.heir: _Flight[_Result] | None = None
        self.has_ended = threading.Event()
        self.results: list[_Result] = []
        self.error: ScopeError | None = None
