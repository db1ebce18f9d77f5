"""SharedStore: what a fleet shares of a prompt, as JSON text in a CacheStore that may fail, lag or lie."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

from .._clock import Clock
from .._config.configuration import Configuration
from .._fork import held_back, renew_in_children
from .._http.budget import Budget
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._stores.cache_store import CacheStore
from .shared_entry import CLOCK_SKEW_SECONDS, SCHEMA, Found, entry_text, found_in, id_in, lock_text, new_id, parsed
from .store_breaker import StoreBreaker

LOCK_SECONDS = 5.0
LOCKED_OUT_SECONDS = 15.0
MIN_STORE_TTL_SECONDS = 1.0
PROBE_KEY_SECONDS = 1.0
RECENT_LOOK_SECONDS = 0.5
UNSEEN_LOCK_SECONDS = 0.25
REFUSING_SECONDS = 0.1
MAX_REFUSED_LOCKS = 1000
LONGEST_GENERATION_LEAD_SECONDS = 3600.0  # of a clock that is ahead; what is later is nobody's doing but an enemy's


class Look(NamedTuple):
    """What the store had of a ref `at` a time of the clock: the entry as it lay there, and what can be used of it."""

    entry: dict[str, Any] | None
    found: Found | None
    at: float

    @property
    def holder(self) -> str | None:
        """Who fetches the first version, if the store has nothing but a lock."""
        return None if self.entry is None or self.found is not None else id_in(self.entry, "holder")


class Lock(NamedTuple):
    """The right to fetch: of him whose `holder` lies under `key`."""

    key: str
    holder: str


class _Added(Enum):
    """How the store answers an `add`."""

    YES = auto()
    """The key is there now."""
    NO = auto()
    """The key was there already."""
    UNSEEN = auto()
    """It refused, and a look finds nothing there: it has just gone, or cannot be read."""
    FAILS = auto()
    """It fails, or is left alone."""


class SharedStore:
    """What one organisation, environment and API see of a store. Nothing here raises, but for an interrupt.

    A failure of the store is a miss. It is logged once, and the store is then left alone for some seconds.
    `generation` is a number that only grows: the milliseconds since 1970 at which it began, or more. Memory of an
    older generation were cleared.

    A fetch that is kept takes three calls: a look, the lock, and the version. So its lock is not given back:
    - If the store has nothing, the lock lies under the key of the version, which then takes its place.
    - What the store has names the key of the lock under which it is replaced. Once it is, nobody asks for that lock.
    """

    def __init__(self, store: CacheStore, config: Configuration, clock: Clock) -> None:
        with held_back():  # it loads OpenSSL, which would be a tenth of what the package takes to import
            import hashlib
        self._sha256 = hashlib.sha256
        self._clock = clock
        self._store = store
        self._breaker = StoreBreaker(clock)
        whose = (config.base_url, config.api_version, getattr(config.credentials, "org_id", None), config.environment)
        self._prefix = f"scope:{SCHEMA}:{{{self._hash(*whose)[:20]}}}:"
        self._generation_key = f"{self._prefix}generation"
        self._known_generation = 0
        self._refused_since: dict[str, float] = {}
        self._refusing_since: float | None = None
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    @property
    def failures(self) -> int:
        """How often the store failed so far."""
        return self._breaker.failures

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

    def find(self, ref: PromptRef, *, gives_way: bool = False) -> Look | None:
        """What the store has of a ref, fresh or not, or None if it fails; learns the generation on the way.

        Who can do without it gives way: it does not wait for a store that has kept another thread waiting for a while.
        """
        if gives_way and self._breaker.keeps_others_waiting:
            return None
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

    def lock_for(self, ref: PromptRef, look: Look | None) -> Lock:
        """A lock to take: the one under which what was seen is replaced."""
        key = self._key(ref)
        if look is None or look.entry is None or look.holder:
            return Lock(key, new_id())
        return Lock(f"{key}:lock:{id_in(look.entry, 'lock') or 0}", new_id())

    def takes(self, lock: Lock, ref: PromptRef, look: Look | None) -> bool:
        """Whether this process is the one to fetch; not if another one has the lock.

        It is as well if the store does not answer, has refused for far longer than a lock lives, or has something
        there that cannot be read.
        """
        if look is None:
            return True
        key, answer = self._key(ref), _Added.NO if look.holder else self._added(lock)
        if answer is _Added.YES:
            self._refused_since.pop(key, None)
        if answer in (_Added.YES, _Added.FAILS):
            return True
        if len(self._refused_since) >= MAX_REFUSED_LOCKS:
            self._refused_since.clear()
        refused_for = self._clock.now() - self._refused_since.setdefault(key, self._clock.now())
        if refused_for >= LOCKED_OUT_SECONDS:
            self._breaker.failed("add", f"it refused the lock of a prompt for {LOCKED_OUT_SECONDS:g} seconds")
            return True
        return answer is _Added.UNSEEN and refused_for >= UNSEEN_LOCK_SECONDS

    def relieve(self, ref: PromptRef) -> None:
        """Another process had the lock and has done with it what it is for."""
        if self._refused_since:
            self._refused_since.pop(self._key(ref), None)

    def unlock(self, lock: Lock) -> None:
        """For who has fetched nothing to keep. What lies there by now may be another process's."""

        def delete_ours() -> None:
            text = self._values(lock.key).get(lock.key)
            if text is not None and id_in(parsed(text), "holder") == lock.holder:
                self._store.delete(lock.key)

        self._breaker.attempt("delete", delete_ours, None)

    def clear(self) -> None:
        """Makes all entries so far those of an older generation, for everybody who shares the store."""
        nothing: Mapping[str, str] = {}
        seen = self._breaker.attempt("find", lambda: self._values(self._generation_key), nothing)
        with self._lock:
            known = max(self._known_generation, self._generation_in(seen.get(self._generation_key)))
            # The wall clock, so that a store that was emptied and counts anew does not bring old entries back.
            self._known_generation = max(known + 1, int(self._clock.wall() * 1000))
        self._breaker.attempt("set", self._publish_generation, None)

    def _values(self, *keys: str) -> Mapping[str, str]:
        """Raises TypeError if the store, which may be anybody's, breaks its promise."""
        values = self._store.get_many(keys)
        if not isinstance(values, Mapping):
            raise TypeError(f"get_many must return a mapping, got {type(values).__name__}")
        for value in values.values():
            if not isinstance(value, str):
                raise TypeError(f"get_many must return text by key, got {type(value).__name__}")
        return values

    def _added(self, lock: Lock) -> _Added:
        began = self._clock.now()
        is_added = self._adds(lock, LOCK_SECONDS)
        if is_added is not False:
            return _Added.FAILS if is_added is None else _Added.YES
        is_there = self._breaker.attempt("find", lambda: bool(self._values(lock.key)), None)
        if is_there is None:
            return _Added.FAILS
        return _Added.NO if is_there else self._added_at_all(began)

    def _added_at_all(self, began: float) -> _Added:
        """By a key that nobody else knows: a store that swallows its errors refuses it too when it is down."""
        is_added = self._adds(Lock(f"{self._prefix}{new_id()}", new_id()), PROBE_KEY_SECONDS)
        if is_added is not False:
            return _Added.FAILS if is_added is None else _Added.UNSEEN
        # A database that is busy refuses once in a while.
        if self._refusing_since is None:
            self._refusing_since = began
        if self._clock.now() < self._refusing_since + REFUSING_SECONDS:
            return _Added.UNSEEN
        self._breaker.failed("add", "it refuses to add a key that is not there, so it is down, full or read-only")
        return _Added.FAILS

    def _adds(self, lock: Lock, seconds: float) -> bool | None:
        """Whether it was added; None if the store fails."""

        def add() -> bool:
            added = self._store.add(lock.key, lock_text(lock.holder), seconds)
            # An int, for clients that answer 0 or 1; a coroutine or a mock would count as true.
            if not isinstance(added, int):
                raise TypeError(f"add must return True or False, got {type(added).__name__}")
            return bool(added)

        is_added = self._breaker.attempt("add", add, None)
        if is_added:
            self._refusing_since = None
        return is_added

    def _find(self, ref: PromptRef) -> Look:
        key, now = self._key(ref), self._clock.now()
        values = self._values(self._generation_key, key)
        self._learn_generation(values.get(self._generation_key))
        text = values.get(key)
        if text is None:
            return Look(None, None, now)
        entry = parsed(text)
        # A generation that this process has not heard of is a miss, too: the store answers both keys at once.
        return Look(entry, found_in(entry, ref, generation=self._known_generation, now=self._clock.wall()), now)

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
        return f"{self._prefix}{self._hash(ref.name, ref.label, ref.version)[:32]}"

    def _hash(self, *parts: object) -> str:
        """Of the parts as text, with their lengths, so that no two lists of parts look alike."""
        joined = "".join(["-" if part is None else f"{len(str(part))}:{part}" for part in parts])
        return self._sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20 else 0
