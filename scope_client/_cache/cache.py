"""PromptCache: carries out, for each read, the step that the table in `policy` names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Callable

from .. import _watching as watching
from .._background import Background
from .._circuit_breaker import NEVER
from .._clock import Clock
from .._config.configuration import Configuration
from .._counters import Counters
from .._flight import Flights
from .._fork import renew_in_children
from .._http.budget import OVERRUN_SECONDS, Budget
from .._interrupts import pass_on
from .._prompt.prompt_read import PromptRead, ReadFrom
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import LABELS, CacheKey, PromptRef
from ..errors import ScopeError
from . import policy
from .loading import Load, Loader
from .memory import Entry, Memory, Others
from .platform_breaker import PlatformBreaker, Turn, is_outage
from .policy import Facts, Known, Renewal, Rules, Step
from .sleep_watch import LOOK_AT_WALL_CLOCK_SECONDS, MIN_SLEEP_SECONDS, SleepWatch

if TYPE_CHECKING:
    from .fleet_loading import FleetLoader
    from .shared_store import Look

_FlightKey = tuple[int, CacheKey]
HASTE_SECONDS = 2.0  # for a connect and an answer, twice, a strict client of a store that hangs takes as long
_LOOK = object()  # the key of a look into a slow store


class _Renewal:
    """The job of renewing a version. It waits in the queue, or runs, and should have ended by `late_at`."""

    __slots__ = ("_late_from_now", "_run", "is_queued", "late_at")

    def __init__(self, run: Callable[[], object], late_from_now: Callable[[], float]) -> None:
        self._run = run
        self._late_from_now = late_from_now
        self.is_queued = True
        self.late_at = late_from_now()

    def __call__(self) -> None:
        self.is_queued = False
        self.late_at = self._late_from_now()
        self._run()


class PromptCache:
    """Versions by ref, from memory, or else from where `loader` finds them: the `fleet`'s if there is one."""

    def __init__(
        self,
        config: Configuration,
        clock: Clock,
        *,
        memory: Memory,
        loader: Loader,
        fleet: FleetLoader | None,
        background: Background,
        platform: PlatformBreaker,
        counters: Counters,
    ) -> None:
        share = policy.RENEWAL_SHARE if fleet is None else policy.FLEET_RENEWAL_SHARE
        self._rules = Rules(config.cache_ttl, config.stale_if_error, config.stale_while_revalidate, share)
        self._timeout = config.timeout
        self._local_ttl = config.cache_local_ttl
        self._clock = clock
        self._background = background
        self._platform = platform
        self._fleet = fleet
        self._shared = None if fleet is None else fleet.shared
        self._counters = counters
        self._memory = memory
        self._loader = loader
        self._sleep_watch = SleepWatch(clock)
        self._flights: Flights[PromptRead] = Flights()
        renew_in_children(self)

    @property
    def entries(self) -> Mapping[CacheKey, Entry]:
        """What is kept, fresh or not, for readers without a lock; always the same object."""
        return self._memory.by_key

    @property
    def others(self) -> Others:
        """Those of them that are not of production; always the same object."""
        return self._memory.others

    def after_fork(self) -> None:
        """Keeps what is cached, each entry due and jittered anew, so that children do not renew it in step."""
        for entry in self._memory.by_key.values():
            # Off the fast path: the child has to learn whether a renewal that its parent began is still to be made.
            entry.due_at = entry.fetched_at
            # In a fleet the end of a life is the fleet's, and the lock sees to it that one process renews.
            if self._shared is None:
                entry.expires_at = entry.fetched_at + self._loader.jittered(entry.life)

    def get(
        self, ref: PromptRef, budget: Budget, *, max_age: float | None = None, has_stand_in: bool = False
    ) -> PromptRead | None:
        """The version to serve; None if the caller's stand-in is to be served instead.

        Args:
            ref: What is asked for.
            budget: What the call may spend.
            max_age: How old, in seconds, the caller takes a version in place of the cache's own rule.
            has_stand_in: Whether the caller has something else to serve.

        Raises:
            ScopeError: What the source raises, if nothing is known of the ref.
        """
        shared = self._shared
        if shared is None or not (shared.may_hang or _is_in_haste(budget)):
            return self._got(ref, budget, max_age, has_stand_in)
        with shared.within(budget):
            return self._got(ref, budget, max_age, has_stand_in)

    def _got(self, ref: PromptRef, budget: Budget, max_age: float | None, has_stand_in: bool) -> PromptRead | None:
        self._notice_sleep()
        entry, look = self._known(ref)
        now = self._clock.now()
        known = None if entry is None else _known_of(entry, max_age)
        flight = self._flight(ref)
        step = policy.decide(self._facts(ref, known, now, max_age, has_stand_in), self._rules)
        if entry is None or step is Step.FETCH or step is Step.STAND_IN:
            if step is Step.STAND_IN:
                self.renew(ref)
                return None
            # The budget's own clock, not a flight's: each reader who joins goes when its own time is over.
            wanted = Load(ref, budget, max_age, of_no_use=entry, look=look)
            return self._flights.run(flight, partial(self._loader.load, wanted), budget.left)
        if step is Step.TRY_FIRST:
            self._take_over(ref)
            newer = self._tried(Load(ref, budget, max_age, of_no_use=entry, look=look), flight)
            return newer or self._served_stale(ref, entry, max_age)
        if step is Step.SERVE_STALE:
            return self._served_stale(ref, entry, max_age)
        version = self._served(ref, entry, now, max_age, is_due=step is Step.SERVE_AND_RENEW)
        kept_in: ReadFrom = "store" if look and look.found and look.found.version is version else "memory"
        return PromptRead(version, kept_in if entry.is_fresh(now, max_age) else "stale", now - entry.fetched_at)

    @property
    def epoch(self) -> int:
        """How often this process has forgotten all entries: what was asked before the last time is of no use."""
        return self._memory.epoch

    def peek(self, ref: PromptRef, max_age: float | None = None) -> PromptRead | None:
        """What `get` would answer from memory alone, renewed ahead in the same way; None if that is not enough."""
        self._notice_sleep()
        entry = self._memory.by_key.get(ref.key)
        now = self._clock.now()
        if entry is None or (self._shared is not None and now >= entry.asked_at + self._local_ttl):
            return None
        step = policy.decide(_facts(now, _known_of(entry, max_age), max_age), self._rules)
        if step not in (Step.SERVE, Step.SERVE_AND_RENEW):
            return None
        version = self._served(ref, entry, now, max_age, is_due=step is Step.SERVE_AND_RENEW)
        return PromptRead(version, "memory" if entry.is_fresh(now, max_age) else "stale", now - entry.fetched_at)

    def keep_warm(self, ref: PromptRef) -> None:
        """Fetches in the background what memory does not have, or is to renew."""
        entry = self._memory.by_key.get(ref.key)
        if entry is None or self._clock.now() >= policy.renew_at(_known_of(entry, None), self._rules):
            self.renew(ref)

    def renew(self, ref: PromptRef) -> None:
        """Fetches in the background, unless the platform is not to be asked now."""
        if self._flight(ref) in self._background.by_key:
            return
        turn = self._platform.claim(ref.key)
        if turn is not None:
            # The turn may be another prompt's, one that was refused before this one.
            ref, entry = PromptRef.of_key(turn.key), self._memory.by_key.get(turn.key)
            job = _Renewal(watching.behind(partial(self._renew_now, ref, entry, turn)), self._late_at)
            self._background.submit(self._flight(ref), job, needed_at=0.0 if entry is None else entry.expires_at)

    def clear(self) -> None:
        """Forgets every entry; a fetch that is under way now does not bring its own back."""
        self._memory.clear()
        if self._shared is not None:
            self._shared.clear()

    def clear_prompt(self, ref: PromptRef, *, is_whole: bool) -> None:
        """Forgets what is known of this ref, or of all that its prompt is asked for by if `is_whole`."""
        refs = {ref}
        if is_whole:
            refs.update(each for each in map(PromptRef.of_key, list(self._memory.by_key)) if each.name == ref.name)
            refs.update(PromptRef(ref.name, label) for label in LABELS)
        self._memory.forget([each.key for each in refs])
        if self._shared is not None:
            self._shared.clear_prompt(ref.name, refs)

    def _flight(self, ref: PromptRef) -> _FlightKey:
        return self._memory.epoch, ref.key

    def _known(self, ref: PromptRef) -> tuple[Entry | None, Look | None]:
        """What memory has; what the fleet has if it is time to ask its store."""
        fleet, entry = self._fleet, self._memory.by_key.get(ref.key)
        if fleet is None:
            return entry, None
        if entry is not None:
            now = self._clock.now()
            # Once more at its end, or a process would call the platform down while a neighbour has the new version.
            has_expired_since = entry.asked_at < entry.expires_at <= now
            if now < entry.asked_at + self._local_ttl and not has_expired_since:
                return entry, None
            if fleet.shared.is_slow:
                if self._renewal_of(ref) is not None:  # which looks into the store, too
                    return entry, None
                if entry.is_fresh(now, None):
                    self._look_behind(fleet, ref, entry, now)
                    return entry, None
            # Before the look and not after it: readers who come meanwhile go on with what is known.
            entry.asked_at = now
        return fleet.look_up(ref)

    def _look_behind(self, fleet: FleetLoader, ref: PromptRef, entry: Entry, now: float) -> None:
        """One look at a time: a store that hangs is to hold no more than one thread."""
        if _LOOK not in self._background.by_key:
            entry.asked_at = now
            self._background.submit(_LOOK, partial(fleet.look_up, ref))

    def _facts(
        self, ref: PromptRef, known: Known | None, now: float, max_age: float | None, has_stand_in: bool
    ) -> Facts:
        """What is fresh is served, and what nobody knows is fetched, whatever the rest may be: it is not looked up."""
        if now < known.fresh_until if known else not has_stand_in:
            return _facts(now, known, max_age)
        job = self._renewal_of(ref)
        renewal = Renewal.NONE
        # One that is queued though a thread is free has got no time to run: this process was stopped, say.
        if job is not None and (not job.is_queued or self._background.is_full):
            renewal = Renewal.UNDER_WAY if now < job.late_at else Renewal.LATE
        return Facts(now, known, max_age, renewal, *self._platform.outlook(ref.key), has_stand_in)

    def _notice_sleep(self) -> None:
        if abs(self._clock.wall() - self._clock.now() - self._sleep_watch.ahead) >= MIN_SLEEP_SECONDS:
            slept = self._sleep_watch.seconds_slept()
            if slept:
                self._memory.grow_older(slept, self._clock.now())

    def _renewal_of(self, ref: PromptRef) -> _Renewal | None:
        job = self._background.by_key.get(self._flight(ref))
        return job if isinstance(job, _Renewal) else None

    def _take_over(self, ref: PromptRef) -> None:
        """One reader waits for a renewal that is late; those who come meanwhile do not."""
        job = self._renewal_of(ref)
        if job is not None:
            job.late_at = self._late_at()

    def _late_at(self) -> float:
        """When a renewal that runs from now on should have ended."""
        return self._clock.now() + min(self._timeout, self._platform.attempt_seconds) + OVERRUN_SECONDS

    def _served(
        self, ref: PromptRef, entry: Entry, now: float, max_age: float | None, *, is_due: bool
    ) -> PromptVersion:
        if is_due:
            self.renew(ref)
        # A caller's own age says nothing about the next caller's, who comes by the fast path.
        if max_age is None:
            due_at = policy.look_again_at(_known_of(entry, None), now, self._rules)
            if self._shared is not None:
                due_at = min(due_at, entry.asked_at + self._local_ttl)
            entry.due_at = min(due_at, now + LOOK_AT_WALL_CLOCK_SECONDS)
        entry.read_at = now
        return entry.version

    def _tried(self, wanted: Load, flight: _FlightKey) -> PromptRead | None:
        """The platform's answer if it comes soon; raises what it refuses with, None for an outage."""
        # Between the look and the boarding the flight may end: then this reader leads one with a joiner's patience.
        seconds = policy.JOINER_SECONDS if flight in self._flights.by_key else policy.FIRST_READER_SECONDS
        patience = wanted.budget.at_most(seconds, retries=0)
        load = partial(self._loader.load, wanted._replace(budget=patience))
        try:
            return self._flights.run(flight, load, patience.left)
        except ScopeError as error:
            pass_on(error)
            if not is_outage(error):
                raise
        return None

    def _served_stale(self, ref: PromptRef, entry: Entry, max_age: float | None) -> PromptRead:
        """The last known good version, unless another thread has brought a fresh one meanwhile."""
        now = self._clock.now()
        newest = self._memory.by_key.get(ref.key, entry)
        age = now - newest.fetched_at
        if newest is not entry and newest.is_fresh(now, max_age):
            return PromptRead(newest.version, "memory", age)
        # Before the renewal: who comes in between must find that a stale read was just served, and not wait.
        newest.stale_at = newest.read_at = now
        self.renew(ref)
        self._counters.cache_event("stale", ref, age)
        return PromptRead(newest.version, "stale", age)

    def _renew_now(self, ref: PromptRef, entry: Entry | None, turn: Turn) -> None:
        """One attempt without a retry: the pause of an outage takes its place."""
        # It may have waited in the queue behind an attempt that found the platform down.
        if not self._platform.holds(turn):
            return
        budget = Budget(self._clock.now, attempt=self._platform.attempt_seconds, retries=0)
        wanted = Load(ref, budget, replaces=entry)
        try:
            # Its error is not shared: those who wait for it would have tried harder.
            self._flights.run(self._flight(ref), partial(self._loader.load, wanted), shares_error=False)
        except ScopeError as error:
            if entry is not None and not is_outage(error):
                # The next reader past its end waits for an attempt of its own, and sees the error.
                entry.is_refused, entry.stale_at = True, NEVER
        except Exception:  # a bug in a hook, say: not every read is to meet it anew
            self._platform.put_off(ref.key)
            if entry is not None:
                entry.is_refused, entry.stale_at = True, NEVER
            raise


def _is_in_haste(budget: Budget) -> bool:
    return budget.seconds is not None and budget.seconds < HASTE_SECONDS


def _known_of(entry: Entry, max_age: float | None) -> Known:
    fresh_until = entry.expires_at if max_age is None else entry.fetched_at + max_age
    return Known(entry.fetched_at, fresh_until, entry.stale_at, entry.is_refused)


def _facts(now: float, known: Known | None, max_age: float | None = None) -> Facts:
    """Those of a read to which nothing else matters."""
    return Facts(
        now, known, max_age, Renewal.NONE, failed_at=NEVER, is_likely_down=False, is_failing=False, has_stand_in=False
    )
