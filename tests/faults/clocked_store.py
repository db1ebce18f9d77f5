"""A watched store that takes time to answer, by a clock, and may refuse every lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.watched_store import WatchedStore

from scope_client import MemoryStore

if TYPE_CHECKING:
    from faults.clock import ManualClock


class ClockedStore(WatchedStore):
    """Takes `takes` seconds for an answer, and refuses every lock while it `refuses_locks`."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(MemoryStore(timer=lambda: clock.time))
        self._clock = clock
        self.takes = 0.0
        self.refuses_locks = False

    def add(self, key: str, value: str, ttl: float) -> bool:
        return not self.refuses_locks and super().add(key, value, ttl)

    @property
    def trips(self) -> list[str]:
        """What it was asked since the last look at this."""
        done, self.calls = [call[0] for call in self.calls], []
        return done

    def holds(self, key: str) -> bool:
        return key in self.behind.get_many([key])

    def empty(self) -> None:
        for key in self.seen:
            self.behind.delete(key)

    def _call(self, method: str, *arguments: object) -> object:
        self._clock.passes(self.takes)
        return super()._call(method, *arguments)
