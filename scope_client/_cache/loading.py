"""Loader: what one flight does to bring a version, from the fleet's store or from the platform, and how it ends."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from .._background import Background
from .._clock import Clock
from .._config.configuration import Configuration
from .._counters import Counters
from .._http.budget import Budget, is_overrun
from .._interrupts import interrupt_in, pass_on
from .._prompt.prompt_read import PromptRead, ReadFrom
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import CacheKey, PromptRef
from .._remembered import Remembered
from ..errors import ScopeError, TimeoutError
from .fitting import Fitting
from .fleet_locks import LOCK_SECONDS, Rival
from .held_lock import HeldLock
from .last_ids import LastIds
from .memory import Entry, Memory
from .platform_breaker import PlatformBreaker, is_outage
from .policy import FIRST_READER_SECONDS, JOINER_SECONDS
from .refusals import Refusals
from .shared_entry import Found
from .shared_failure import Failure, Told, is_gone, is_shared
from .shared_store import Look, SharedStore

TTL_JITTER_SHARE = 0.03  # of a TTL: a life is at most this much shorter, so that a fleet does not ask in step
LOCK_POLL_SECONDS = 0.05
UNSAID_SECONDS = 0.75  # for a holder who says nothing while it fetches; a renewal waits for a second
LATE_WORD_SECONDS = 0.15
MAX_SPENT_LOCKS = 50


class Source(Protocol):
    """Where versions come from when nobody knows them."""

    def fetch(self, ref: PromptRef, budget: Budget) -> PromptVersion:
        """Raises a ScopeError that says why there is none."""


class Load(NamedTuple):
    """What one flight is to bring.

    `max_age` is how old, in seconds, the caller takes a version in place of the cache's own rule. `replaces` is the
    entry that a renewal in the background is to replace. `look` is what the caller has just seen in the shared store.
    """

    ref: PromptRef
    budget: Budget
    max_age: float | None = None
    replaces: Entry | None = None
    look: Look | None = None


class _Began(NamedTuple):
    """The state of the world when a fetch began: what is kept of it counts from then."""

    epoch: int
    generation: int
    stamp: float


class Loader:
    """Brings versions into the memory of this process, and into the shared store if there is one."""

    def __init__(
        self,
        config: Configuration,
        clock: Clock,
        *,
        source: Source,
        background: Background,
        memory: Memory,
        platform: PlatformBreaker,
        shared: SharedStore | None,
        counters: Counters,
        fitting: Fitting | None,
    ) -> None:
        self._ttl = config.cache_ttl
        self._kept_seconds = max(config.stale_if_error, config.stale_while_revalidate)
        self._clock = clock
        self._source = source
        self._background = background
        self._memory = memory
        self._platform = platform
        self._shared = shared
        self._counters = counters
        self._fitting = fitting
        self._last_ids = LastIds(config.cache_max_size)
        self._refusals = Refusals(clock, longest_retry_after=config.retry_max_delay)

    def load(self, wanted: Load) -> PromptRead:
        """What another thread or process has brought in the meantime, or else what the platform has.

        Raises:
            ScopeError: What the source raised.
            TimeoutError: The budget ended first, or another process has held the lock for too long.
        """
        entry = self._usable(self._memory.by_key.get(wanted.ref.key), wanted)
        if entry is not None:
            return self._read_of(entry, "memory")
        if wanted.replaces is None and self._refusals.remembered:
            self._refusals.check(self._refusal(wanted.ref), wanted.max_age)
        if self._shared is None:
            return self._fetched(wanted, None)
        return self._fetched_for_the_fleet(self._shared, wanted)

    def _read_of(self, entry: Entry, source: ReadFrom) -> PromptRead:
        return PromptRead(entry.version, source, self._clock.now() - entry.fetched_at)

    def look_up(self, shared: SharedStore, ref: PromptRef) -> tuple[Entry | None, Look | None]:
        """What this process knows after a look into the store: the newer stamp wins, what was cleared is dropped."""
        memory = self._memory
        # Before the look: what is cleared while the store answers is not put in.
        epoch = memory.epoch
        entry = memory.by_key.get(ref.key)
        look = shared.find(ref)
        found = None if look is None else look.found
        # After the look: another thread may have brought a newer one while the store answered.
        entry = memory.by_key.get(ref.key)
        if entry is not None and _is_cleared(entry, look, shared):
            memory.drop(entry)
            entry = None
        if found is not None and (entry is None or entry.stamp < found.stamp):
            shared.relieve(ref)  # or a lock that is often taken by others would count as one that is never granted
            entry = self._adopted(ref, found)
            self._put(ref, entry, epoch)
        return entry, look

    def _refusal(self, ref: PromptRef) -> tuple[int, CacheKey]:
        """With the epoch, so that a clear ends what is remembered."""
        return self._memory.epoch, ref.key

    def jittered(self, life: float) -> float:
        return life * (1 - TTL_JITTER_SHARE * self._clock.chance())

    def _usable(self, entry: Entry | None, wanted: Load) -> Entry | None:
        if entry is None or (wanted.replaces is not None and entry.stamp <= wanted.replaces.stamp):
            return None
        return entry if entry.is_fresh(self._clock.now(), wanted.max_age) else None

    def _fetched_for_the_fleet(self, shared: SharedStore, wanted: Load) -> PromptRead:
        """Fetches under the fleet's lock, or brings what the process that holds it has fetched."""
        held = HeldLock(shared, wanted.ref, clock=self._clock, background=self._background)
        try:
            entry = self._wait_for_the_fleet(shared, wanted, held)
            if entry is not None:
                return self._read_of(entry, "store")
            if held.lock is None and wanted.replaces is not None:
                raise TimeoutError("another process has been renewing it for a while", is_deadline=True)
            if held.lock is None and not wanted.budget.affords(LOCK_POLL_SECONDS):
                raise wanted.budget.overdrawn()
            return self._fetched(wanted, held)
        except BaseException as error:
            if not isinstance(error, ScopeError) or interrupt_in(error):
                held.give_back(behind=True)
            raise
        finally:
            held.give_back()

    def _wait_for_the_fleet(self, shared: SharedStore, wanted: Load, held: HeldLock) -> Entry | None:
        """What another process has brought. None if `held` has the lock now, or the lock stays taken.

        Raises:
            ScopeError: What the other process has failed with.
        """
        is_renewal = wanted.replaces is not None
        patience = wanted.budget.at_most(FIRST_READER_SECONDS if is_renewal else LOCK_SECONDS)
        look = wanted.look if shared.is_recent(wanted.look) else None
        before: Look | None = None
        rival: Rival | None = None
        rival_since, gone, asked, spent = 0.0, None, "", 0
        while True:
            if look is None:
                known, look = self.look_up(shared, wanted.ref)
                entry = self._usable(known, wanted)
                if entry is not None:
                    return entry
            if look is not None and look.failure is not None:
                self._raise_what_the_fleet_met(wanted, look.failure, rival)
            if before is not None and look is not None and before.entry != look.entry:
                gone = None
            # Before it is taken: an interrupt may come before the store's answer.
            held.lock = lock = shared.lock_for(wanted.ref, look, after=gone)
            former, rival = rival, shared.take(lock, wanted.ref, look, silent_for=held.first_word)
            if rival is None:
                return None
            held.lock, asked, asked_before = None, lock.key, asked
            left = shared.failure_left_by(rival)
            if left is not None:
                self._raise_what_the_fleet_met(wanted, left, former)
                # Its holder has done with it: there is a lock that comes after, if nobody has made a ring of them.
                if gone != left.holder and spent < MAX_SPENT_LOCKS:
                    gone, spent, before, look = left.holder, spent + 1, look, None
                    continue
            # Who waited for a process that gave up goes on alone: in turn, they would wait for failure after failure.
            has_given_up = former is not None and former.holder != rival.holder and asked == asked_before
            if (has_given_up and not is_renewal) or not patience.affords(LOCK_POLL_SECONDS):
                return None
            now = self._clock.now()
            if rival != former:
                rival_since = now
            is_late = rival.holder is not None and now - rival_since > self._patience_with(rival)
            if is_late and gone != rival.holder:
                gone = rival.holder
            else:
                self._clock.sleep(LOCK_POLL_SECONDS)
            before, look = look, None

    def _patience_with(self, rival: Rival) -> float:
        """Seconds after which the holder of a lock seems to be gone: it has not said that it is still at it."""
        return (UNSAID_SECONDS if rival.silent_for is None else rival.silent_for) + LATE_WORD_SECONDS

    def _raise_what_the_fleet_met(self, wanted: Load, failure: Failure, rival: Rival | None) -> None:
        """What the process that this one waited for has failed with, or a refusal that another has just been told."""
        was_waited_for = rival is not None and rival.holder is not None and rival.holder == failure.holder
        if not was_waited_for and not self._refusals.holds(failure.error, failure.age, wanted.max_age):
            return
        now = self._clock.now()
        error = Remembered(failure.error, now - failure.age, failure.age).again(now)
        if is_outage(error):
            self._platform.began(wanted.ref.key, error, is_known=wanted.ref.key in self._memory.by_key)
        else:
            self._was_refused(wanted, self._memory.epoch, error)
        raise error

    def _fetched(self, wanted: Load, held: HeldLock | None) -> PromptRead:
        """What the platform has. It is kept in the shared store in place of what is `held`."""
        # All three before the question: an answer is as old as its question, and a clear in between makes it void.
        shared = self._shared
        generation = 0 if shared is None else shared.generation
        began = _Began(self._memory.epoch, generation, self._clock.wall())
        try:
            version = self._asked(wanted, held)
        except ScopeError as error:
            pass_on(error)
            has_evicted = self._failed(wanted, began, error)
            if held is not None and held.lock is not None and _is_last_word(wanted, error) and is_shared(error):
                told = Told(error, held.lock, self._clock.wall(), generation, self._refusals.seconds(error))
                held.tell(told, is_evicted=has_evicted)
            elif shared is not None and has_evicted:
                shared.forget(wanted.ref)
            raise
        # Before the version is kept: who finds it must not find the outage that it ends.
        self._platform.ended(wanted.ref.key)
        if self._refusals.remembered:
            self._refusals.forget(self._refusal(wanted.ref))
        if self._keep(wanted, began, version) and held is not None:
            held.lock = None
        if wanted.replaces is not None:
            self._counters.cache_event("refresh", wanted.ref, self._clock.now() - wanted.replaces.fetched_at)
        return PromptRead(version, "platform", 0.0)

    def _asked(self, wanted: Load, held: HeldLock | None) -> PromptVersion:
        if held is None or held.lock is None:
            return self._source.fetch(wanted.ref, wanted.budget)
        with held.announced():
            return self._source.fetch(wanted.ref, held.watched(wanted.budget))

    def _failed(self, wanted: Load, began: _Began, error: ScopeError) -> bool:
        """Tells the circuit breaker what this failure is evidence of, and evicts what the platform no longer has.

        Returns whether it has evicted it from memory, so that it is to go from the shared store as well.
        """
        # Of nothing, if the attempt got no time to run.
        if is_overrun(error):
            return False
        evidence: BaseException = error
        if isinstance(error, TimeoutError) and error.is_deadline:
            evidence = error.__cause__ or error
            if isinstance(evidence, TimeoutError):
                # The call ran out of time, not an attempt: it proves only that the platform is not a quick one.
                if (wanted.budget.seconds or 0.0) >= JOINER_SECONDS:
                    self._platform.doubt()
                return False
        if wanted.replaces is None and isinstance(evidence, ScopeError):
            self._refusals.remember((began.epoch, wanted.ref.key), evidence)
        if isinstance(evidence, ScopeError) and is_outage(evidence):
            self._platform.began(wanted.ref.key, error, is_known=wanted.ref.key in self._memory.by_key)
            return False
        return self._was_refused(wanted, began.epoch, evidence)

    def _was_refused(self, wanted: Load, epoch: int, error: BaseException) -> bool:
        """Whether it has evicted the version from memory."""
        # A refusal is an answer. A refused renewal waits all the same: its version is in use, and asked for often.
        self._platform.ended(wanted.ref.key, is_refused=wanted.replaces is not None)
        has_gone = epoch == self._memory.epoch and is_gone(error)
        entry = self._memory.by_key.get(wanted.ref.key) if has_gone else None
        if entry is not None:
            self._memory.drop(entry)
            self._counters.cache_event("evicted", wanted.ref, self._clock.now() - entry.fetched_at)
        return has_gone

    def _keep(self, wanted: Load, began: _Began, version: PromptVersion) -> bool:
        ref, max_age = wanted.ref, wanted.max_age
        life = self.jittered(self._ttl if max_age is None else min(max_age, self._ttl))
        entry = Entry(
            ref.key,
            version,
            fetched_at=self._clock.now(),
            life=life,
            stamp=began.stamp,
            generation=began.generation,
        )
        if not self._put(ref, entry, began.epoch) or self._shared is None:
            return False
        ttl = life + self._kept_seconds
        return self._shared.keep(ref, version, stamp=began.stamp, life=life, generation=began.generation, ttl=ttl)

    def _put(self, ref: PromptRef, entry: Entry, epoch: int) -> bool:
        """As `Memory.put`; tells if it is another version than the last one, which may have been cleared meanwhile."""
        former = self._memory.by_key.get(ref.key)
        if not self._memory.put(entry, epoch):
            return False
        if self._fitting is not None:
            self._fitting.remember(ref, entry.version)
        old = self._last_ids.replaced(ref.key, entry.version.id)
        if old is not None:
            age = None if former is None else self._clock.now() - former.fetched_at
            self._counters.cache_event("changed", ref, age, old=old, new=entry.version.id)
        return True

    def _adopted(self, ref: PromptRef, found: Found) -> Entry:
        now = self._clock.now()
        entry = Entry(
            ref.key,
            found.version,
            fetched_at=now - found.age,
            life=min(found.life, self._ttl),
            stamp=found.stamp,
            generation=found.generation,
        )
        entry.asked_at = now
        return entry


def _is_last_word(wanted: Load, error: ScopeError) -> bool:
    """Not an outage that an attempt without retries has met: who waits would try harder."""
    return wanted.budget.retries is None or not is_outage(error)


def _is_cleared(entry: Entry, look: Look | None, shared: SharedStore) -> bool:
    """Whether everything, or this prompt, was cleared since."""
    is_void = look is not None and entry.stamp < look.cleared_at
    return is_void or (entry.generation < shared.generation and not shared.is_later(entry.stamp))
