"""SharedStore: what a fleet shares of a prompt, as JSON text in a CacheStore that may fail, lag or lie."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from .._clock import Clock
from .._config.configuration import Configuration
from .._fork import held_back, renew_in_children
from .._http.budget import Budget
from .._prompt.locked_reads import LockedReads
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._stores.cache_store import CacheStore
from .cleared import CLEARED_KEY_SECONDS, Cleared
from .fleet_locks import FleetLocks, Lock, Rival, after_holder, first_lock, rival_in
from .lock_heartbeat import LockHeartbeat
from .shared_entry import (
    CLOCK_SKEW_SECONDS,
    SCHEMA,
    Found,
    entry_text,
    found_in,
    parsed,
    values_of,
    versions_in,
    versions_text,
)
from .shared_failure import Failure, Told, failure_in, failure_text
from .store_breaker import StoreBreaker

MIN_STORE_TTL_SECONDS = 1.0
RECENT_LOOK_SECONDS = 0.5
FITTING_SECONDS = CLEARED_KEY_SECONDS
LONGEST_GENERATION_LEAD_SECONDS = 3600.0  # of a clock that is ahead; what is later is nobody's doing but an enemy's


class Look(NamedTuple):
    """What the store had of a ref `at` a time of the clock: the entry as it lay there, and what can be used of it.

    That is a version, or what the last fetch has failed with. What was fetched before `cleared_at`, in seconds since
    1970, is void: somebody has cleared this prompt.
    """

    entry: dict[str, Any] | None
    found: Found | None
    at: float
    failure: Failure | None = None
    cleared_at: float = 0.0


class SharedStore:
    """What one organisation, environment and API see of a store. Nothing here raises, but for an interrupt.

    A failure of the store is a miss. It is logged once, and the store is then left alone for some seconds.
    `generation` is a number that only grows: the milliseconds since 1970 at which it began, or more. Memory of an
    older generation were cleared.

    A fetch that is kept takes three calls: a look, the lock, and the version. So its lock is not given back.
    """

    def __init__(self, store: CacheStore, config: Configuration, clock: Clock, lock: LockedReads | None = None) -> None:
        with held_back():  # it loads OpenSSL, which would be a tenth of what the package takes to import
            import hashlib
        self._sha256 = hashlib.sha256
        self._clock = clock
        self._store = store
        self._extra_values = config.extra_values
        self._locked_reads = lock
        self._breaker = StoreBreaker(clock)
        whose = (config.base_url, config.api_version, getattr(config.credentials, "org_id", None), config.environment)
        self._prefix = f"scope:{SCHEMA}:{{{self._hash(*whose)[:20]}}}:"
        self._generation_key = f"{self._prefix}generation"
        self._known_generation = 0
        self._cleared = Cleared(store, clock, self._cleared_key, self._generation_in)
        self._locks = FleetLocks(store, self._breaker, clock, self._prefix)
        self.lock_heartbeat = LockHeartbeat(clock, self._locks.announce)
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    @property
    def failures(self) -> int:
        """How often the store failed so far."""
        return self._breaker.failures

    @property
    def is_slow(self) -> bool:
        """Whether its last answer took so long, or the next one takes so long, that who can wait elsewhere should."""
        return self._breaker.is_slow

    @property
    def may_hang(self) -> bool:
        """Whether the store is known to wait for its server for longer than a reader should."""
        return getattr(self._store, "may_hang", False) is True

    def within(self, budget: Budget) -> contextlib.AbstractContextManager[None]:
        """For a store that may hang: what this thread asks of it meanwhile ends with the call."""
        return self._breaker.within(budget)

    @property
    def generation(self) -> int:
        return self._known_generation

    def is_later(self, stamp: float) -> bool:
        """Whether what was asked for at this wall time is later than the last `clear`, by any clock of the fleet."""
        return self._known_generation < (stamp - CLOCK_SKEW_SECONDS) * 1000 and stamp <= self._clock.wall()

    def find(self, ref: PromptRef) -> Look | None:
        """What the store has of a ref, fresh or not, or None if it fails; learns the generation on the way."""
        return self._breaker.attempt("find", lambda: self._find(ref), None)

    def is_recent(self, look: Look | None) -> bool:
        return look is not None and self._clock.now() <= look.at + RECENT_LOOK_SECONDS

    def keep(
        self, ref: PromptRef, version: PromptVersion, *, stamp: float, life: float, generation: int, ttl: float
    ) -> bool:
        """`ttl` is how long the store keeps it, `life` how long it is fresh, both in seconds. Whether it was kept."""
        text = entry_text(version, stamp=stamp, life=life, generation=generation)
        kept_for = max(ttl, MIN_STORE_TTL_SECONDS)

        def put() -> bool:
            self._store.set(self._key(ref), text, kept_for)
            return True

        return self._breaker.attempt("set", put, False)

    def forget(self, ref: PromptRef) -> None:
        self._breaker.attempt("delete", lambda: self._store.delete(self._key(ref)), None)

    def keep_fitting(self, ref: PromptRef, versions: Sequence[tuple[PromptVersion, float]]) -> bool:
        """Keeps the last versions of a ref, each with its wall time, whatever is cleared. Whether they were kept."""

        def put() -> bool:
            self._store.set(self._fitting_key(ref), versions_text(versions), FITTING_SECONDS)
            return True

        return self._breaker.attempt("set", put, False)

    def find_fitting(self, ref: PromptRef) -> list[tuple[PromptVersion, float]]:
        """What `keep_fitting` has kept; what cannot be used of it is left out."""
        key, nothing = self._fitting_key(ref), cast("Mapping[str, str]", {})
        text = self._breaker.attempt("find", lambda: values_of(self._store, key), nothing).get(key)
        return [] if text is None else versions_in(parsed(text), ref, self._extra_values)

    def lock_for(self, ref: PromptRef, look: Look | None, *, after: str | None = None) -> Lock:
        """A lock to take: the one under which what was seen is replaced, or the one that comes after a holder."""
        key = self._key(ref)
        if after is not None:
            return after_holder(key, after)
        return first_lock(key, None if look is None else look.entry)

    def take(self, lock: Lock, ref: PromptRef, look: Look | None, *, silent_for: float | None = None) -> Rival | None:
        """As in FleetLocks. None, too, if the look itself has failed."""
        if look is None:
            return None
        key = self._key(ref)
        # The first lock lies under the version's own key: whoever was seen there has it.
        seen = rival_in(look.entry) if look.entry is not None and lock.key == key else None
        return self._locks.take(lock, key, silent_for=silent_for, seen=seen)

    def failure_left_by(self, rival: Rival) -> Failure | None:
        """What a holder has left in place of a lock."""
        if rival.left is None:
            return None
        return failure_in(rival.left, generation=self._known_generation, now=self._clock.wall())

    def relieve(self, ref: PromptRef) -> None:
        """Another process had the lock and has done with it what it is for."""
        if self._locks.are_refused:
            self._locks.relieve(self._key(ref))

    def unlock(self, lock: Lock) -> None:
        """For who has fetched nothing to keep."""
        self._locks.unlock(lock)

    def tell(self, ref: PromptRef, told: Told, *, is_evicted: bool) -> None:
        """In place of `unlock` and of `forget`: leaves the error of a fetch, unless a version is there that stays."""
        key, text = self._key(ref), failure_text(told)
        kept_for = max(told.seconds, MIN_STORE_TTL_SECONDS)
        if is_evicted:
            # In one step: who found nothing there would take the lock, and ask once more.
            self._breaker.attempt("set", lambda: self._store.set(key, text, kept_for), None)
        else:
            self._locks.leave(told.lock, key, text, kept_for)

    def clear(self) -> None:
        """Makes all entries so far those of an older generation, for everybody who shares the store."""
        nothing: Mapping[str, str] = {}
        seen = self._breaker.attempt("find", lambda: values_of(self._store, self._generation_key), nothing)
        with self._lock:
            known = max(self._known_generation, self._generation_in(seen.get(self._generation_key)))
            # The wall clock, so that a store that was emptied and counts anew does not bring old entries back.
            self._known_generation = max(known + 1, int(self._clock.wall() * 1000))
        self._breaker.attempt("set", self._publish_generation, None)

    def clear_prompt(self, name: str, refs: Iterable[PromptRef]) -> None:
        """Makes what was fetched of one prompt so far void for everybody who shares the store."""
        self._breaker.attempt("set", partial(self._cleared.clear, name), None)
        for ref in refs:
            self.forget(ref)

    def _find(self, ref: PromptRef) -> Look:
        key, cleared_key, now = self._key(ref), self._cleared_key(ref.name), self._clock.now()
        values = values_of(self._store, self._generation_key, key, cleared_key)
        self._learn_generation(values.get(self._generation_key))
        text = values.get(key)
        cleared_at = self._cleared.since(ref.name, values.get(cleared_key))
        if text is None:
            return Look(None, None, now, cleared_at=cleared_at)
        entry = parsed(text)
        # A generation that this process has not heard of is a miss, too: the store answers both keys at once.
        generation, wall = self._known_generation, self._clock.wall()
        found = found_in(entry, ref, generation=generation, now=wall, extra_values=self._extra_values)
        if found is not None and (found.stamp < cleared_at or not self._may_answer(ref, found.version)):
            found = None
        failure = failure_in(entry, generation=generation, now=wall) if found is None else None
        if failure is not None and wall - failure.age < cleared_at:
            failure = None
        return Look(entry, found, now, failure, cleared_at)

    def _learn_generation(self, text: object) -> None:
        """A store that knows less than this process, since it was emptied say, is told."""
        seen = self._generation_in(text)
        if seen == self._known_generation:
            return
        with self._lock:
            knows_more = self._known_generation > seen
            self._known_generation = max(self._known_generation, seen)
        # Outside of the lock: no lock is held over the network.
        if knows_more:
            self._publish_generation()

    def _generation_in(self, text: object) -> int:
        """0 for what is not one, or is from a far future: it would make void what is fetched until then."""
        seen = _number(text)
        latest = (self._clock.wall() + LONGEST_GENERATION_LEAD_SECONDS) * 1000
        return seen if seen <= max(latest, self._known_generation) else 0

    def _publish_generation(self) -> None:
        self._store.set(self._generation_key, str(self._known_generation), None)

    def _key(self, ref: PromptRef) -> str:
        locked = () if self._locked_reads is None else self._locked_reads.identity(ref)
        return f"{self._prefix}{self._hash(ref.name, ref.label, ref.version, *locked)[:32]}"

    def _may_answer(self, ref: PromptRef, version: PromptVersion) -> bool:
        return self._locked_reads is None or self._locked_reads.is_met_by(ref, version)

    def _cleared_key(self, name: str) -> str:
        return f"{self._prefix}{self._hash(name)[:32]}:cleared"

    def _fitting_key(self, ref: PromptRef) -> str:
        return f"{self._key(ref)}:fitting"

    def _hash(self, *parts: object) -> str:
        """Of the parts as text, with their lengths, so that no two lists of parts look alike."""
        joined = "".join(["-" if part is None else f"{len(str(part))}:{part}" for part in parts])
        return self._sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20 else 0
