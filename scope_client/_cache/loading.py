"""Loader: what one flight does to bring a version from the platform, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from .._circuit_breaker import NEVER
from .._clock import Clock
from .._config.configuration import Configuration
from .._counters import Counters
from .._http.budget import Budget, is_overrun
from .._interrupts import pass_on
from .._prompt.prompt_read import PromptRead, ReadFrom
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import CacheKey, PromptRef
from ..errors import ScopeError, TimeoutError
from .fitting import Fitting
from .memory import Entry, Memory, Replaced
from .platform_breaker import PlatformBreaker, is_gone
from .policy import JOINER_SECONDS
from .refusals import Refusals

if TYPE_CHECKING:
    from .shared_store import Look

TTL_JITTER_SHARE = 0.03  # of a TTL: a life is at most this much shorter, so that a fleet does not ask in step


class Source(Protocol):
    """Where versions come from when nobody knows them."""

    def fetch(self, ref: PromptRef, budget: Budget) -> PromptVersion:
        """Raises a ScopeError that says why there is none."""


class Load(NamedTuple):
    """What one flight is to bring.

    `max_age` is how old, in seconds, the caller takes a version in place of the cache's own rule. `replaces` is the
    entry that a renewal in the background is to replace, `of_no_use` the one that a reader has found to be too old.
    `look` is what the caller has just seen in the shared store.
    """

    ref: PromptRef
    budget: Budget
    max_age: float | None = None
    replaces: Entry | None = None
    of_no_use: Entry | None = None
    look: Look | None = None


class Began(NamedTuple):
    """The state of the world when a fetch began: what is kept of it counts from then.

    `at` is the time by the cache's clock, and `stamp` the same by the clock on the wall.
    """

    epoch: int
    at: float
    stamp: float
    generation: int


class Loader:
    """Brings versions into the memory of this process."""

    def __init__(
        self,
        config: Configuration,
        clock: Clock,
        *,
        source: Source,
        memory: Memory,
        platform: PlatformBreaker,
        counters: Counters,
        fitting: Fitting | None,
    ) -> None:
        self._ttl = config.cache_ttl
        self._clock = clock
        self._source = source
        self._memory = memory
        self._platform = platform
        self._counters = counters
        self._fitting = fitting
        self._refusals = Refusals(clock, longest_retry_after=config.retry_max_delay)

    def load(self, wanted: Load) -> PromptRead:
        """What another thread has brought in the meantime, or else what the platform has.

        Raises:
            ScopeError: What the source raised.
        """
        entry = self._usable(self._memory.by_key.get(wanted.ref.key), wanted)
        if entry is not None:
            return self._read_of(entry, "memory")
        if wanted.replaces is None and self._refusals.remembered:
            self._refusals.check(self._refusal(wanted.ref), wanted.max_age)
        return self._fetched(wanted)

    def _read_of(self, entry: Entry, source: ReadFrom) -> PromptRead:
        return PromptRead(entry.version, source, self._clock.now() - entry.fetched_at)

    def _refusal(self, ref: PromptRef) -> tuple[int, CacheKey]:
        """With the epoch, so that a clear ends what is remembered."""
        return self._memory.epoch, ref.key

    def jittered(self, life: float) -> float:
        return life * (1 - TTL_JITTER_SHARE * self._clock.chance())

    def _usable(self, entry: Entry | None, wanted: Load) -> Entry | None:
        if entry is wanted.of_no_use or entry is None:
            return None
        if wanted.replaces is not None and entry.stamp <= wanted.replaces.stamp:
            return None
        return entry if entry.is_fresh(self._clock.now(), wanted.max_age) else None

    def _fetched(self, wanted: Load) -> PromptRead:
        """What the platform has."""
        began = self._began()
        try:
            version = self._source.fetch(wanted.ref, wanted.budget)
        except ScopeError as error:
            pass_on(error)
            self._failed(wanted, began, error)
            raise
        self._kept(wanted, began, version)
        return PromptRead(version, "platform", 0.0)

    def _began(self, generation: int = 0) -> Began:
        """Before the question: an answer is as old as its question, and a clear in between makes it void."""
        return Began(self._memory.epoch, self._clock.now(), self._clock.wall(), generation)

    def _failed(self, wanted: Load, began: Began, error: ScopeError) -> bool:
        """Tells the circuit breaker what this failure is evidence of, and evicts what the platform no longer has.

        Returns whether it has evicted it from memory, so that it is to go from a shared store as well.
        """
        # Of nothing, if the attempt got no time to run.
        if is_overrun(error):
            return False
        evidence = error
        if isinstance(error, TimeoutError) and error.is_deadline:
            last = error.__cause__
            evidence = last if isinstance(last, ScopeError) else error
            if isinstance(evidence, TimeoutError):
                # The call ran out of time, not an attempt: it proves only that the platform is not a quick one.
                if (wanted.budget.seconds or 0.0) >= JOINER_SECONDS:
                    self._platform.doubt()
                return False
        if wanted.replaces is None:
            self._refusals.remember((began.epoch, wanted.ref.key), evidence)
        if self._platform.failed(wanted.ref.key, error, is_known=wanted.ref.key in self._memory.by_key):
            return False
        return self._was_refused(wanted, began.epoch, evidence)

    def _was_refused(self, wanted: Load, epoch: int, error: ScopeError) -> bool:
        """Whether it has evicted the version from memory."""
        # A refusal is an answer. A refused renewal waits all the same: its version is in use, and asked for often.
        self._platform.ended(wanted.ref.key, is_refused=wanted.replaces is not None)
        has_gone = epoch == self._memory.epoch and is_gone(error)
        entry = self._memory.by_key.get(wanted.ref.key) if has_gone else None
        if entry is not None:
            self._memory.drop(entry)
            self._counters.cache_event("evicted", wanted.ref, self._clock.now() - entry.fetched_at)
        return has_gone

    def _kept(self, wanted: Load, began: Began, version: PromptVersion) -> Entry | None:
        """The entry that memory has of it now; None if it was cleared meanwhile."""
        # Before the version is kept: who finds it must not find the outage that it ends.
        if self._platform.failing or self._platform.doubtful_until != NEVER:
            self._platform.ended(wanted.ref.key)
        if self._refusals.remembered:
            self._refusals.forget(self._refusal(wanted.ref))
        ref, max_age = wanted.ref, wanted.max_age
        life = self.jittered(self._ttl if max_age is None else min(max_age, self._ttl))
        entry = Entry(
            ref.key,
            version,
            fetched_at=began.at,
            life=life,
            stamp=began.stamp,
            generation=began.generation,
        )
        replaced = self._memory.put(entry, began.epoch)
        if replaced is not None and (replaced.last_id is not None or self._fitting is not None):
            self._was_put(ref, entry, replaced)
        if wanted.replaces is not None:
            self._counters.cache_event("refresh", ref, self._clock.now() - wanted.replaces.fetched_at)
        return None if replaced is None else entry

    def _was_put(self, ref: PromptRef, entry: Entry, replaced: Replaced) -> None:
        """Notes that it may fit callers whom a later version does not, and tells of a change."""
        if self._fitting is not None:
            self._fitting.remember(ref, entry.version)
        if replaced.last_id is not None:
            age = None if replaced.entry is None else self._clock.now() - replaced.entry.fetched_at
            self._counters.cache_event("changed", ref, age, old=replaced.last_id, new=entry.version.id)
