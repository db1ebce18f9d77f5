"""PromptCache: what is fresh is read without a lock; what is not is renewed once for all, or goes on being served."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Callable

from .._background import Background
from .._clock import Clock
from .._config.configuration import Configuration
from .._flight import Flights
from .._http.budget import Budget
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import CacheKey, PromptRef
from ..errors import NoProductionVersionError, NotFoundError, ScopeError, TimeoutError
from .entries import Entry, Memory
from .outage import Outage, Turn, is_outage

if TYPE_CHECKING:
    from .fleet import Found, SharedCache

Fetch = Callable[[PromptRef, Budget], PromptVersion]
Tell = Callable[[str, PromptRef, float], None]

_JITTER = 0.03
_AHEAD = 0.17  # of a jittered life: never before the last fifth of the TTL
_AHEAD_IN_A_FLEET = 0.1  # one renewal serves all, so that it need not be as early
_FIRST_READER_WAITS = 1.0
_OTHERS_WAIT = 0.25
_LOOK_AGAIN = 0.25
_POLL = 0.05


class PromptCache:
    """Versions by ref. `fetch(ref, budget)` asks the platform, `tell(outcome, ref, age)` hears of what it decides.

    Renewals go to `background`; `outage` knows when the platform may be asked. Behind the memory there may be a
    cache that is shared with other processes.
    """

    def __init__(
        self,
        config: Configuration,
        clock: Clock,
        fetch: Fetch,
        tell: Tell,
        *,
        background: Background,
        outage: Outage,
        shared: SharedCache | None,
    ) -> None:
        self._ttl = config.cache_ttl
        self._stale_if_error = config.stale_if_error
        self._local_ttl = config.cache_local_ttl
        self._clock = clock
        self._fetch = fetch
        self._tell = tell
        self._background = background
        self._outage = outage
        self._shared = shared
        self._memory = Memory(config.cache_max_size)
        self._lock = threading.RLock()  # a signal handler may clear in the middle of keeping
        self._cleared = 0
        self._flights: Flights[PromptVersion] = Flights()

    @property
    def entries(self) -> Mapping[CacheKey, Entry]:
        """What is kept, fresh or not, for readers without a lock; always the same object."""
        return self._memory.entries

    def after_fork(self) -> None:
        """Keeps what is cached, with another jitter, so that children do not renew it in step."""
        self._lock = threading.RLock()
        self._flights.after_fork()
        for entry in self._memory.entries.values():
            entry.due_at = entry.fetched_at
            if self._shared is None:
                entry.expires_at = entry.fetched_at + self._jittered(entry.life)

    def get(
        self, ref: PromptRef, budget: Budget, *, max_age: float | None = None, has_stand_in: bool = False
    ) -> PromptVersion | None:
        """A fresh version, or the last known good one; raises what `fetch` raises where there is neither.

        `max_age` is how old, in seconds, the caller takes a version in place of the cache's own rule. None comes
        back, without a question to the platform, where it is likely to be down and the caller has a stand-in.
        """
        entry = self._known(ref)
        now = self._clock.now()
        if entry is not None and now < entry.fresh_until(max_age):
            return self._fresh(ref, entry, max_age, now)
        if entry is not None and now < entry.fresh_until(max_age) + self._stale_if_error:
            return self._last_known_good(ref, entry, budget, max_age)
        if has_stand_in and (self._outage.is_likely or self._outage.is_troubled(ref.key)):
            self._renew(ref, None)
            return None
        return self._flights.run(self._flight(ref), lambda: self._load(ref, budget, max_age), budget.left)

    def peek(self, ref: PromptRef) -> PromptVersion | None:
        """What `get` would answer from memory alone, renewed ahead in the same way; None where that is not enough."""
        entry = self._memory.entries.get(ref.key)
        now = self._clock.now()
        if entry is None or now >= entry.fresh_until(None):
            return None
        is_to_ask = self._shared is not None and now >= entry.asked_at + self._local_ttl
        return None if is_to_ask else self._fresh(ref, entry, None, now)

    def renew(self, ref: PromptRef) -> None:
        """Fetches in the background, unless the platform is not to be asked now."""
        self._renew(ref, self._memory.entries.get(ref.key))

    def clear(self) -> None:
        """Forgets every entry; a fetch that is under way now does not bring its own back."""
        with self._lock:
            self._cleared += 1
            self._memory.clear()
        if self._shared is not None:
            self._shared.clear()

    def _flight(self, ref: PromptRef) -> tuple[int, CacheKey]:
        return self._cleared, ref.key

    def _fresh(self, ref: PromptRef, entry: Entry, max_age: float | None, now: float) -> PromptVersion:
        ahead = _AHEAD if self._shared is None else _AHEAD_IN_A_FLEET
        until = entry.fresh_until(max_age)
        renew_at = until - ahead * (until - entry.fetched_at)
        if now >= renew_at:
            self._renew(ref, entry)
        if max_age is None:
            due_at = renew_at if now < renew_at else min(until, now + _LOOK_AGAIN)
            entry.due_at = due_at if self._shared is None else min(due_at, entry.asked_at + self._local_ttl)
        entry.read_at = now
        return entry.version

    def _last_known_good(self, ref: PromptRef, entry: Entry, budget: Budget, max_age: float | None) -> PromptVersion:
        """Waits for one attempt, and only where nobody knows yet whether the platform answers."""
        now = self._clock.now()
        key = ref.key
        is_in_use = now < entry.stale_at + (self._ttl if max_age is None else min(max_age, self._ttl))
        is_awaited = entry.is_refused or max_age is not None
        is_renewed = self._background.is_running(self._flight(ref)) and not is_awaited
        if not (is_in_use or is_renewed or self._outage.is_likely):
            is_first = not self._flights.is_flying(self._flight(ref))
            patience = budget.at_most(_FIRST_READER_WAITS if is_first else _OTHERS_WAIT, retries=0)
            try:
                return self._flights.run(self._flight(ref), lambda: self._load(ref, patience, max_age), patience.left)
            except ScopeError as error:
                if not is_outage(error):
                    raise
        newer = self._memory.entries.get(key)
        if newer is not None and self._clock.now() < newer.fresh_until(max_age):
            return newer.version
        entry.stale_at = entry.read_at = now = self._clock.now()
        self._renew(ref, entry)
        self._tell("stale", ref, now - entry.fetched_at)
        return entry.version

    def _renew(self, ref: PromptRef, entry: Entry | None) -> None:
        if self._background.has(self._flight(ref)):
            return
        turn = self._outage.claim(ref.key)
        if turn is not None:
            if turn.key != ref.key:
                ref, entry = PromptRef.of_key(turn.key), self._memory.entries.get(turn.key)
            self._background.submit(self._flight(ref), lambda: self._renew_now(ref, entry, turn))

    def _renew_now(self, ref: PromptRef, entry: Entry | None, turn: Turn) -> None:
        """One attempt without a retry: the pause of an outage takes its place."""
        if not self._outage.holds(turn):
            return
        budget = Budget(self._clock.now, attempt=self._outage.attempt_seconds, retries=0)
        try:
            self._flights.run(
                self._flight(ref), lambda: self._load(ref, budget, None, renews=entry), shares_error=False
            )
        except ScopeError as error:
            if entry is not None and not is_outage(error):
                entry.is_refused, entry.stale_at = True, -math.inf  # the next reader past its end sees the error

    def _load(
        self, ref: PromptRef, budget: Budget, max_age: float | None, renews: Entry | None = None
    ) -> PromptVersion:
        """What another has fetched in the meantime, or else a fetch; `renews` is what a renewal is to replace."""
        cleared = self._cleared
        known = self._usable(self._memory.entries.get(ref.key), max_age, renews)
        if known is not None:
            return known.version
        if self._shared is None:
            return self._fetched(ref, budget, max_age, renews, cleared)
        is_ours, known = self._wait_for_the_fleet(self._shared, ref, budget, max_age, renews)
        ours_until = self._clock.now() + self._shared.lock_seconds
        try:
            if known is not None:
                return known.version
            if renews is not None and not is_ours:
                raise TimeoutError("another process has been renewing it for a while", is_deadline=True)
            if not (is_ours or budget.affords(_POLL)):
                raise budget.overdrawn()
            return self._fetched(ref, budget, max_age, renews, cleared)
        finally:
            if is_ours and self._clock.now() < ours_until:
                self._shared.unlock(ref)

    def _usable(self, entry: Entry | None, max_age: float | None, renews: Entry | None) -> Entry | None:
        if entry is None or (renews is not None and entry.stamp <= renews.stamp):
            return None
        return entry if self._clock.now() < entry.fresh_until(max_age) else None

    def _wait_for_the_fleet(
        self, shared: SharedCache, ref: PromptRef, budget: Budget, max_age: float | None, renews: Entry | None
    ) -> tuple[bool, Entry | None]:
        """Whether this process holds the lock, and what another has brought; neither where the lock stays taken."""
        patience = budget.at_most(shared.lock_seconds if renews is None else _FIRST_READER_WAITS)
        while True:
            is_ours = shared.lock(ref)
            known = self._usable(self._look_up(shared, ref), max_age, renews)
            if is_ours or known is not None or not patience.affords(_POLL):
                return is_ours, known
            self._clock.sleep(_POLL)

    def _fetched(
        self, ref: PromptRef, budget: Budget, max_age: float | None, renews: Entry | None, cleared: int
    ) -> PromptVersion:
        generation = 0 if self._shared is None else self._shared.generation
        stamp = self._clock.wall()
        try:
            version = self._fetch(ref, budget)
        except ScopeError as error:
            self._failed(ref, error, budget, cleared, is_renewal=renews is not None)
            raise
        self._outage.ended(ref.key)
        self._keep(ref, version, max_age, cleared, generation, stamp)
        if renews is not None:
            self._tell("refresh", ref, self._clock.now() - renews.fetched_at)
        return version

    def _failed(self, ref: PromptRef, error: ScopeError, budget: Budget, cleared: int, *, is_renewal: bool) -> None:
        evidence: BaseException = error
        if isinstance(error, TimeoutError) and error.is_deadline:
            evidence = error.__cause__ or error
            if isinstance(evidence, TimeoutError):  # which proves nothing but that the platform is no quick one
                if (budget.seconds or 0.0) >= _OTHERS_WAIT:
                    self._outage.doubt()
                return
        if isinstance(evidence, ScopeError) and is_outage(evidence):
            self._outage.began(ref.key, error)
            return
        self._outage.ended(ref.key, is_refused=is_renewal)
        if cleared == self._cleared and isinstance(evidence, (NotFoundError, NoProductionVersionError)):
            self._evict(ref)

    def _evict(self, ref: PromptRef) -> None:
        entry = self._memory.entries.get(ref.key)
        if entry is not None:
            with self._lock:
                self._memory.drop(entry)
        if self._shared is not None:
            self._shared.forget(ref)
        if entry is not None:
            self._tell("evicted", ref, self._clock.now() - entry.fetched_at)

    def _keep(
        self,
        ref: PromptRef,
        version: PromptVersion,
        max_age: float | None,
        cleared: int,
        generation: int,
        stamp: float,
    ) -> None:
        life = self._jittered(self._ttl if max_age is None else min(max_age, self._ttl))
        entry = Entry(ref.key, version, fetched_at=self._clock.now(), life=life, stamp=stamp, generation=generation)
        if self._put(entry, cleared) and self._shared is not None:
            ttl = life + self._stale_if_error
            self._shared.keep(ref, version, stamp=stamp, life=life, generation=generation, ttl=ttl)

    def _put(self, entry: Entry, cleared: int) -> bool:
        with self._lock:
            if cleared != self._cleared:
                return False
            self._memory.put(entry)
        return True

    def _jittered(self, life: float) -> float:
        return life * (1 - _JITTER * self._clock.chance())

    def _known(self, ref: PromptRef) -> Entry | None:
        """What memory has; where it is time to ask the shared cache about it, what that has."""
        entry: Entry | None = self._memory.entries.get(ref.key)
        shared = self._shared
        if shared is None:
            return entry
        if entry is not None:
            now = self._clock.now()
            if now < entry.asked_at + self._local_ttl and not entry.asked_at < entry.expires_at <= now:
                return entry
            entry.asked_at = now
        return self._look_up(shared, ref)

    def _look_up(self, shared: SharedCache, ref: PromptRef) -> Entry | None:
        cleared = self._cleared
        found = shared.find(ref)
        entry = self._memory.entries.get(ref.key)
        if entry is not None and entry.generation < shared.generation and not shared.is_later(entry.stamp):
            with self._lock:
                self._memory.drop(entry)
            entry = None
        if found is not None and (entry is None or entry.stamp < found.stamp):
            shared.relieve(ref)
            entry = self._adopted(ref, found)
            self._put(entry, cleared)
        return entry

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
