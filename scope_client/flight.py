"""One call per key at a time: the waiters share its result, or its error."""

from __future__ import annotations

import copy
import threading
from collections.abc import Hashable
from typing import Callable, Generic, TypeVar

from .errors import ConfigurationError, ScopeError

_Result = TypeVar("_Result")


class Flights(Generic[_Result]):
    """The calls that are under way in one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flying: dict[Hashable, _Flight[_Result]] = {}

    def run(self, key: Hashable, call: Callable[[], _Result]) -> _Result:
        """The result of `call()`, or of one that another thread has under way for this key.

        A ScopeError reaches all who wait. Whatever else ends the leader (an interrupt, say) ends it alone:
        one of the waiters makes the call in its stead. A call that asks for itself is a ConfigurationError.
        """
        me = threading.get_ident()
        flight = self._board(key, me)
        while flight.leader != me:
            flight.landed.wait()
            if flight.error is not None:
                raise _of_its_own(flight.error)
            if flight.results:
                return flight.results[0]
            flight = self._board(key, me, flight)
        if flight.is_led:
            raise ConfigurationError(
                "a callback, a log handler or credentials of yours ask for what is being fetched for them just now"
            )
        return self._lead(key, flight, call)

    def _board(self, key: Hashable, me: int, abandoned: _Flight[_Result] | None = None) -> _Flight[_Result]:
        """The flight to wait for, or one to lead; all who waited for an abandoned one change to the same."""
        with self._lock:
            flight = (abandoned and abandoned.heir) or self._flying.get(key)
            if flight is None or flight.is_abandoned:
                flight = self._flying[key] = _Flight(me)
            if abandoned is not None:
                abandoned.heir = flight
            return flight

    def _lead(self, key: Hashable, flight: _Flight[_Result], call: Callable[[], _Result]) -> _Result:
        try:
            flight.is_led = True
            result = call()
            flight.results.append(result)
        except ScopeError as error:
            flight.error = error
            raise
        finally:
            flight.landed.set()
            with self._lock:
                if self._flying.get(key) is flight:
                    del self._flying[key]
        return result


def _of_its_own(error: ScopeError) -> ScopeError:
    """The same error for one more thread: each that raises it adds its own traceback."""
    twin = copy.copy(error)
    twin.__cause__ = error.__cause__
    return twin


class _Flight(Generic[_Result]):
    __slots__ = ("error", "heir", "is_led", "landed", "leader", "results")

    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.is_led = False
        self.heir: _Flight[_Result] | None = None
        self.landed = threading.Event()
        self.results: list[_Result] = []
        self.error: ScopeError | None = None

    @property
    def is_abandoned(self) -> bool:
        return self.landed.is_set() and not self.results and self.error is None
