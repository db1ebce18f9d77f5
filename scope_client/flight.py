"""One call per key at a time: the waiters share its result, or its error."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Callable, Generic, TypeVar

from .errors import ScopeError

_Result = TypeVar("_Result")


class Flights(Generic[_Result]):
    """The calls that are under way in one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flying: dict[Hashable, _Flight[_Result]] = {}

    def run(self, key: Hashable, call: Callable[[], _Result]) -> _Result:
        """The result of `call()`, or of one that another thread has under way for this key.

        A ScopeError reaches all who wait. Whatever else ends the leader (an interrupt, say) ends it alone:
        one of the waiters makes the call in its stead.
        """
        while True:
            with self._lock:
                flight = self._flying.get(key)
                if flight is None:
                    mine = self._flying[key] = _Flight()
                    break
            flight.landed.wait()
            if flight.error is not None:
                raise flight.error
            if flight.results:
                return flight.results[0]
        return self._lead(key, mine, call)

    def _lead(self, key: Hashable, flight: _Flight[_Result], call: Callable[[], _Result]) -> _Result:
        try:
            result = call()
            flight.results.append(result)
        except ScopeError as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                del self._flying[key]
            flight.landed.set()
        return result


class _Flight(Generic[_Result]):
    __slots__ = ("error", "landed", "results")

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.results: list[_Result] = []
        self.error: ScopeError | None = None
