"""FleetLoader: what one flight does to bring a version where a fleet shares a store, so that one process fetches."""

from __future__ import annotations

from .._background import Background
from .._clock import Clock
from .._config.configuration import Configuration
from .._counters import Counters
from .._interrupts import interrupt_in, pass_on
from .._prompt.prompt_read import PromptRead
from .._prompt.ref import PromptRef
from .._remembered import Remembered
from ..errors import ScopeError, TimeoutError
from .fitting import Fitting
from .fleet_locks import LOCK_SECONDS, Rival
from .held_lock import HeldLock
from .loading import Load, Loader, Source
from .memory import Entry, Memory
from .platform_breaker import PlatformBreaker, is_outage
from .policy import FIRST_READER_SECONDS
from .shared_entry import Found
from .shared_failure import Failure, Told, is_shared
from .shared_store import Look, SharedStore

LOCK_POLL_SECONDS = 0.05
UNSAID_SECONDS = 0.75  # for a holder who says nothing while it fetches; a renewal waits for a second
LATE_WORD_SECONDS = 0.15
MAX_SPENT_LOCKS = 50


class FleetLoader(Loader):
    """Brings versions into the memory of this process, and into the store that a fleet shares."""

    def __init__(
        self,
        config: Configuration,
        clock: Clock,
        *,
        source: Source,
        background: Background,
        memory: Memory,
        platform: PlatformBreaker,
        shared: SharedStore,
        counters: Counters,
        fitting: Fitting | None,
    ) -> None:
        super().__init__(
            config, clock, source=source, memory=memory, platform=platform, counters=counters, fitting=fitting
        )
        self._background = background
        self.shared = shared
        self._kept_seconds = max(config.stale_if_error, config.stale_while_revalidate)

    def look_up(self, ref: PromptRef) -> tuple[Entry | None, Look | None]:
        """What this process knows after a look into the store: the newer stamp wins, what was cleared is dropped."""
        memory, shared = self._memory, self.shared
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
            replaced = memory.put(entry, epoch)
            if replaced is not None:
                self._was_put(ref, entry, replaced)
        return entry, look

    def _fetched(self, wanted: Load) -> PromptRead:
        """Fetches under the fleet's lock, or brings what the process that holds it has fetched.

        Raises TimeoutError, too, if another process has held the lock for too long.
        """
        held = HeldLock(self.shared, wanted.ref, clock=self._clock, background=self._background)
        try:
            entry = self._wait_for_the_fleet(wanted, held)
            if entry is not None:
                return self._read_of(entry, "store")
            if held.lock is None and wanted.replaces is not None:
                raise TimeoutError("another process has been renewing it for a while", is_deadline=True)
            if held.lock is None and not wanted.budget.affords(LOCK_POLL_SECONDS):
                raise wanted.budget.overdrawn()
            return self._fetched_under(held, wanted)
        except BaseException as error:
            if not isinstance(error, ScopeError) or interrupt_in(error):
                held.give_back(behind=True)
            raise
        finally:
            held.give_back()

    def _wait_for_the_fleet(self, wanted: Load, held: HeldLock) -> Entry | None:
        """What another process has brought. None if `held` has the lock now, or the lock stays taken.

        Raises:
            ScopeError: What the other process has failed with.
        """
        shared, is_renewal = self.shared, wanted.replaces is not None
        patience = wanted.budget.at_most(FIRST_READER_SECONDS if is_renewal else LOCK_SECONDS)
        look = wanted.look if shared.is_recent(wanted.look) else None
        before: Look | None = None
        rival: Rival | None = None
        rival_since, gone, asked, spent = 0.0, None, "", 0
        while True:
            if look is None:
                known, look = self.look_up(wanted.ref)
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
        if not self._platform.failed(wanted.ref.key, error, is_known=wanted.ref.key in self._memory.by_key):
            self._was_refused(wanted, self._memory.epoch, error)
        raise error

    def _fetched_under(self, held: HeldLock, wanted: Load) -> PromptRead:
        """What the platform has. It is kept in the shared store in place of what is `held`."""
        began = self._began(self.shared.generation)
        try:
            with held.announced():
                version = self._source.fetch(wanted.ref, held.watched(wanted.budget))
        except ScopeError as error:
            pass_on(error)
            has_evicted = self._failed(wanted, began, error)
            if held.lock is not None and _is_last_word(wanted, error) and is_shared(error):
                told = Told(error, held.lock, self._clock.wall(), began.generation, self._refusals.seconds(error))
                held.tell(told, is_evicted=has_evicted)
            elif has_evicted:
                self.shared.forget(wanted.ref)
            raise
        entry = self._kept(wanted, began, version)
        if entry is not None and self._is_stored(wanted.ref, entry):
            held.lock = None
        return PromptRead(version, "platform", 0.0)

    def _is_stored(self, ref: PromptRef, entry: Entry) -> bool:
        """Puts it into the shared store; whether it lies there now."""
        return self.shared.keep(
            ref,
            entry.version,
            stamp=entry.stamp,
            life=entry.life,
            generation=entry.generation,
            ttl=entry.life + self._kept_seconds,
        )

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
