"""HeldLock: the fleet's lock of one fetch, from the moment it is asked for until something lies in its place."""

from __future__ import annotations

import contextlib

from .._background import Background
from .._clock import Clock
from .._http.budget import Budget
from .._prompt.ref import PromptRef
from .fleet_locks import Lock
from .lock_heartbeat import FIRST_WORD_SECONDS
from .shared_failure import Told
from .shared_store import SharedStore


class HeldLock:
    """`lock` is None before it is asked for, and from when it is given back or something lies in its place."""

    def __init__(self, shared: SharedStore, ref: PromptRef, *, clock: Clock, background: Background) -> None:
        self._shared = shared
        self._ref = ref
        self._clock = clock
        self._background = background
        self.lock: Lock | None = None

    @property
    def first_word(self) -> float | None:
        """In how many seconds its holder says that it is still at it; None if not: the store might hold it up."""
        return None if self._shared.may_hang else FIRST_WORD_SECONDS

    def announced(self) -> contextlib.AbstractContextManager[None]:
        """A fetch of which those who wait hear if it takes long."""
        if self.lock is None or self.first_word is None:
            return contextlib.nullcontext()
        return self._shared.lock_heartbeat.during(self.lock)

    def watched(self, budget: Budget) -> Budget:
        """The budget of a fetch that gives its lock back if the platform says nothing.

        Who waits for it would do better to ask alone than to wait for all of its attempts. It may be this process that
        cannot reach the platform; but one connection that is cut at once is made good within a moment.
        """
        began, silences = self._clock.now(), 0

        def heard_nothing() -> None:
            nonlocal silences
            silences += 1
            if silences > 1 or self._clock.now() - began >= FIRST_WORD_SECONDS:
                self.give_back()

        return budget.watched(heard_nothing)

    def tell(self, told: Told, *, is_evicted: bool) -> None:
        """Leaves an error for those who wait, in place of the lock."""
        self.lock = None

        def tell() -> None:
            self._shared.tell(self._ref, told, is_evicted=is_evicted)

        if self._shared.may_hang:
            self._background.submit(("unlock", self._ref.key), tell)
        else:
            tell()

    def give_back(self, *, behind: bool = False) -> None:
        """`behind` is for a caller whose time is over: the store itself may be what it has waited for."""
        lock = self.lock
        if lock is None:
            return
        self._shared.lock_heartbeat.end(lock)
        if behind or self._shared.may_hang:
            self._background.submit(("unlock", self._ref.key), lambda: self._shared.unlock(lock))
        else:
            self._shared.unlock(lock)
        self.lock = None  # last: an interrupt in between leaves it to be given back behind
