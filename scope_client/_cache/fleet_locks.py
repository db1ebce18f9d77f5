"""FleetLocks: which process of a fleet fetches, and who takes its place if nothing comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Callable, NamedTuple

from .._clock import Clock
from .._stores.cache_store import CacheStore
from .shared_entry import id_in, lock_text, new_id, parsed, seconds_in, values_of
from .store_breaker import StoreBreaker

LOCK_SECONDS = 5.0
LOCKED_OUT_SECONDS = 15.0
PROBE_KEY_SECONDS = 1.0
UNSEEN_LOCK_SECONDS = 0.25
REFUSING_SECONDS = 0.1
MAX_REFUSED_LOCKS = 1000


class Lock(NamedTuple):
    """The right to fetch: of him whose `holder` lies under `key`."""

    key: str
    holder: str


class Rival(NamedTuple):
    """Who has a lock: None if that cannot be read. `silent_for` is in how many seconds the holder says something anew.

    `left` is what a holder whose fetch has failed has left in the lock's place.
    """

    holder: str | None
    silent_for: float | None
    left: dict[str, Any] | None = None


class _Refused(NamedTuple):
    """Since when a lock is refused, and who has it."""

    since: float
    holder: str | None


class _Added(Enum):
    """How the store answers an `add`."""

    YES = auto()
    """The key is there now."""
    UNSEEN = auto()
    """It refused, and a look finds nothing there: it has just gone, or cannot be read."""
    FAILS = auto()
    """It fails, or is left alone."""


class FleetLocks:
    """The locks of one client. Each lies in the store for five seconds, and five more if its holder says that it lives.

    - If the store has nothing, the lock lies under the key of the version, which then takes its place.
    - What the store has names the key of the lock under which it is replaced. Once it is, nobody asks for that lock.
    - Whoever holds one may have died: then a lock whose key ends in that holder's name comes after it.
    """

    def __init__(self, store: CacheStore, breaker: StoreBreaker, clock: Clock, prefix: str) -> None:
        self._store = store
        self._breaker = breaker
        self._clock = clock
        self._prefix = prefix
        self._refused: dict[str, _Refused] = {}
        self._refusing_since: float | None = None

    def take(self, lock: Lock, key: str, *, silent_for: float | None, seen: Rival | None = None) -> Rival | None:
        """None if this process is the one to fetch, and otherwise who has the lock.

        It is as well if the store does not answer, has refused for far longer than a lock lives, or has something
        there that cannot be read. `seen` is who was just seen to have it, which saves the question.
        """
        answer = seen or self._added(lock, silent_for)
        if answer is _Added.YES:
            self._refused.pop(key, None)
        if answer in (_Added.YES, _Added.FAILS):
            return None
        rival = answer if isinstance(answer, Rival) else Rival(None, None)
        return None if self._is_refused_for_long(key, rival, is_seen=answer is not _Added.UNSEEN) else rival

    def _is_refused_for_long(self, key: str, rival: Rival, *, is_seen: bool) -> bool:
        if len(self._refused) >= MAX_REFUSED_LOCKS:
            self._refused.clear()
        now = self._clock.now()
        refused = self._refused.get(key)
        if refused is None or refused.holder != rival.holder:  # the one before has had its turn, and let go of it
            refused = self._refused[key] = _Refused(now, rival.holder)
        refused_for = now - refused.since
        if refused_for >= LOCKED_OUT_SECONDS:
            self._breaker.failed("add", f"it refused the lock of a prompt for {LOCKED_OUT_SECONDS:g} seconds")
            return True
        return not is_seen and refused_for >= UNSEEN_LOCK_SECONDS

    @property
    def are_refused(self) -> bool:
        """Whether any of them was, when this process last wanted it."""
        return bool(self._refused)

    def relieve(self, key: str) -> None:
        """Another process had the lock and has done with it what it is for."""
        self._refused.pop(key, None)

    def unlock(self, lock: Lock) -> None:
        """For who has fetched nothing to keep. What lies there by now may be another process's."""
        self._if_ours("delete", lock, lambda _: self._store.delete(lock.key))

    def leave(self, lock: Lock, key: str, text: str, seconds: float) -> None:
        """The same, with a text for those who wait: under `key`, or in the lock's place if a version lies there."""

        def leave(under_key: str | None) -> None:
            has_version = under_key is not None and "version" in parsed(under_key)
            self._store.set(lock.key if has_version else key, text, seconds)

        self._if_ours("set", lock, leave, key)

    def announce(self, lock: Lock, silent_for: float) -> None:
        """In the lock, for those who wait: its holder is still at it, and says so again in so many seconds."""
        text = lock_text(lock.holder, silent_for)
        self._if_ours("set", lock, lambda _: self._store.set(lock.key, text, LOCK_SECONDS))

    def _if_ours(self, what: str, lock: Lock, then: Callable[[str | None], object], key: str | None = None) -> None:
        """`then` is given what lies under `key`."""

        def look_and_do() -> None:
            found = values_of(self._store, lock.key, *([] if key in (None, lock.key) else [str(key)]))
            text = found.get(lock.key)
            if text is not None and id_in(parsed(text), "holder") == lock.holder:
                then(None if key is None else found.get(key))

        self._breaker.attempt(what, look_and_do, None)

    def _added(self, lock: Lock, silent_for: float | None) -> _Added | Rival:
        began = self._clock.now()
        is_added = self._adds(lock, silent_for, LOCK_SECONDS)
        if is_added is not False:
            return _Added.FAILS if is_added is None else _Added.YES
        nothing: Mapping[str, str] | None = None
        found = self._breaker.attempt("find", lambda: values_of(self._store, lock.key), nothing)
        if found is None:
            return _Added.FAILS
        return rival_in(parsed(found[lock.key])) if found.get(lock.key) else self._added_at_all(began)

    def _added_at_all(self, began: float) -> _Added:
        """By a key that nobody else knows: a store that swallows its errors refuses it too when it is down."""
        is_added = self._adds(Lock(f"{self._prefix}{new_id()}", new_id()), None, PROBE_KEY_SECONDS)
        if is_added is not False:
            return _Added.FAILS if is_added is None else _Added.UNSEEN
        # A database that is busy refuses once in a while.
        if self._refusing_since is None:
            self._refusing_since = began
        if self._clock.now() < self._refusing_since + REFUSING_SECONDS:
            return _Added.UNSEEN
        self._breaker.failed("add", "it refuses to add a key that is not there, so it is down, full or read-only")
        return _Added.FAILS

    def _adds(self, lock: Lock, silent_for: float | None, seconds: float) -> bool | None:
        """Whether it was added; None if the store fails."""

        def add() -> bool:
            added = self._store.add(lock.key, lock_text(lock.holder, silent_for), seconds)
            # An int, for clients that answer 0 or 1; a coroutine or a mock would count as true.
            if not isinstance(added, int):
                raise TypeError(f"add must return True or False, got {type(added).__name__}")
            return bool(added)

        is_added = self._breaker.attempt("add", add, None)
        if is_added:
            self._refusing_since = None
        return is_added


def rival_in(entry: dict[str, Any]) -> Rival:
    return Rival(id_in(entry, "holder"), seconds_in(entry, "silent_for"), entry if "failure" in entry else None)


def first_lock(key: str, entry: dict[str, Any] | None) -> Lock:
    """The lock under which what lies under the version's key is replaced."""
    if entry is None or id_in(entry, "holder"):
        return Lock(key, new_id())
    return after_holder(key, id_in(entry, "lock") or "0")


def after_holder(key: str, holder: str) -> Lock:
    """The lock to take in the place of a holder who seems to be gone; `key` is that of the version."""
    return Lock(f"{key}:lock:{holder}", new_id())
