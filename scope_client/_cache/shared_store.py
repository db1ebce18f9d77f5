"""SharedStore: what a fleet shares of a prompt, as JSON text in a CacheStore that may fail, lag or lie."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, TypeVar

from .._circuit_breaker import CircuitBreaker, Pauses
from .._clock import Clock
from .._config.configuration import Configuration
from .._fork import held_back, renew_in_children
from .._interrupts import pass_on
from .._log import Log
from .._prompt.jsonvalue import parse
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._redaction import Redaction
from .._stores.cache_store import CacheStore
from ..errors import ApiError

SCHEMA = 1
LOCK_SECONDS = 5.0
LOCKED_OUT_SECONDS = 15.0
STORE_PAUSES = Pauses(first=5.0, longest=5.0)
SLOW_ANSWER_SECONDS = 0.5  # twice in a row; once may be this machine, busy with something else
HANGING_ANSWER_SECONDS = 2.0
CLOCK_SKEW_SECONDS = 1.0  # what the clocks of a fleet may differ by
MIN_STORE_TTL_SECONDS = 1.0
MAX_REFUSED_LOCKS = 1000

_log = Log("scope_client.store")
_Result = TypeVar("_Result")


class Found(NamedTuple):
    """A version fetched at `stamp`, in seconds since 1970, which is `age` seconds ago; fresh for `life` seconds."""

    version: PromptVersion
    stamp: float
    age: float
    life: float
    generation: int


class SharedStore:
    """What one organisation, environment and API see of a store. Nothing here raises, but for an interrupt.

    A failure of the store is a miss. It is logged once, and the store is then left alone for some seconds.
    `generation` is a number that only grows: the milliseconds since 1970 at which it began, or more. Memory of an
    older generation were cleared.
    """

    def __init__(self, store: CacheStore, config: Configuration, clock: Clock) -> None:
        with held_back():  # it loads OpenSSL, which would be a tenth of what the package takes to import
            import hashlib
        self._sha256 = hashlib.sha256
        self._clock = clock
        self._store = store
        self._guard = _Guard(clock)
        whose = (config.base_url, config.api_version, getattr(config.credentials, "org_id", None), config.environment)
        self._prefix = f"scope:{SCHEMA}:{{{self._hash(*whose)[:20]}}}:"
        self._generation_key = f"{self._prefix}generation"
        self._known_generation = 0
        self._refused_since: dict[str, float] = {}
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    @property
    def failures(self) -> int:
        """How often the store failed so far."""
        return self._guard.failures

    @property
    def generation(self) -> int:
        return self._known_generation

    def is_later(self, stamp: float) -> bool:
        """Whether what was asked for at this wall time is later than the last `clear`, by any clock of the fleet."""
        return self._known_generation < (stamp - CLOCK_SKEW_SECONDS) * 1000 and stamp <= self._clock.wall()

    def find(self, ref: PromptRef) -> Found | None:
        """What the store has of a ref, fresh or not; learns the generation on the way."""
        return self._guard.attempt("find", lambda: self._find(ref), None)

    def keep(
        self, ref: PromptRef, version: PromptVersion, *, stamp: float, life: float, generation: int, ttl: float
    ) -> None:
        """`ttl` is how long the store keeps it, `life` how long it is fresh, both in seconds."""
        entry = {
            "schema": SCHEMA,
            "generation": generation,
            "fetched_at": stamp,
            "life": life,
            "version": version.to_dict(),
        }
        text = json.dumps(entry)
        kept_for = max(ttl, MIN_STORE_TTL_SECONDS)
        self._guard.attempt("set", lambda: self._store.set(self._key(ref), text, kept_for), None)

    def forget(self, ref: PromptRef) -> None:
        self._guard.attempt("delete", lambda: self._store.delete(self._key(ref)), None)

    def lock(self, ref: PromptRef) -> bool:
        """Whether this process is the one to fetch.

        True as well if the store does not answer, or has refused for far longer than a lock lives.
        """
        key = f"{self._key(ref)}:lock"
        if self._guard.attempt("add", lambda: self._added(key), True):
            self._refused_since.pop(key, None)
            return True
        # A store may refuse for ever: one that swallows its errors says "not added" when it is down.
        if len(self._refused_since) >= MAX_REFUSED_LOCKS:
            self._refused_since.clear()
        since = self._refused_since.setdefault(key, self._clock.now())
        if self._clock.now() < since + LOCKED_OUT_SECONDS:
            return False
        self._guard.failed("add", f"it refused the lock of a prompt for {LOCKED_OUT_SECONDS:g} seconds")
        return True

    def relieve(self, ref: PromptRef) -> None:
        """Another process had the lock and has done with it what it is for."""
        if self._refused_since:
            self._refused_since.pop(f"{self._key(ref)}:lock", None)

    def unlock(self, ref: PromptRef) -> None:
        self._guard.attempt("delete", lambda: self._store.delete(f"{self._key(ref)}:lock"), None)

    def clear(self) -> None:
        """Makes all entries so far those of an older generation, for everybody who shares the store."""
        nothing: Mapping[str, str] = {}
        seen = self._guard.attempt("find", lambda: self._values(self._generation_key), nothing)
        with self._lock:
            known = max(self._known_generation, _number(seen.get(self._generation_key)))
            # The wall clock, so that a store that was emptied and counts anew does not bring old entries back.
            self._known_generation = max(known + 1, int(self._clock.wall() * 1000))
        self._guard.attempt("set", self._publish_generation, None)

    def _values(self, *keys: str) -> Mapping[str, str]:
        """Raises TypeError if the store, which may be anybody's, breaks its promise."""
        values = self._store.get_many(keys)
        if not isinstance(values, Mapping):
            raise TypeError(f"get_many must return a mapping, got {type(values).__name__}")
        for value in values.values():
            if not isinstance(value, str):
                raise TypeError(f"get_many must return text by key, got {type(value).__name__}")
        return values

    def _added(self, key: str) -> bool:
        added = self._store.add(key, "1", LOCK_SECONDS)
        # An int, for clients that answer 0 or 1; a coroutine or a mock would count as true.
        if not isinstance(added, int):
            raise TypeError(f"add must return True or False, got {type(added).__name__}")
        return bool(added)

    def _find(self, ref: PromptRef) -> Found | None:
        key = self._key(ref)
        values = self._values(self._generation_key, key)
        self._learn_generation(values.get(self._generation_key))
        text = values.get(key)
        return None if text is None else self._read(text, ref)

    def _learn_generation(self, text: object) -> None:
        """A store that knows less than this process, since it was emptied say, is told."""
        seen = _number(text)
        if seen == self._known_generation:
            return
        with self._lock:
            knows_more = self._known_generation > seen
            self._known_generation = max(self._known_generation, seen)
        # Outside of the lock: no lock is held over the network.
        if knows_more:
            self._publish_generation()

    def _publish_generation(self) -> None:
        self._store.set(self._generation_key, str(self._known_generation), None)

    def _read(self, text: str, ref: PromptRef) -> Found | None:
        """None for whatever cannot be used: another schema, an older generation, a time to come, garbage."""
        try:
            entry = parse(text)
            if not isinstance(entry, dict) or entry.get("schema") != SCHEMA:
                return None
            stamp, life, age = self._times(entry)
            # A generation that this process has not heard of is a miss, too: the store answers both keys at once.
            generation = self._known_generation
            if entry.get("generation") != generation or age < -CLOCK_SKEW_SECONDS:
                return None
            return Found(PromptVersion(entry["version"], ref), stamp, max(age, 0.0), life, generation)
        except (ApiError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
            return None

    def _times(self, entry: dict[str, Any]) -> tuple[float, float, float]:
        stamp, life = float(entry["fetched_at"]), float(entry["life"])
        if not (math.isfinite(stamp) and math.isfinite(life) and life >= 0):
            raise ValueError
        return stamp, life, self._clock.wall() - stamp

    def _key(self, ref: PromptRef) -> str:
        return f"{self._prefix}{self._hash(ref.name, ref.label, ref.version)[:32]}"

    def _hash(self, *parts: object) -> str:
        """Of the parts as text, with their lengths, so that no two lists of parts look alike."""
        joined = "".join(["-" if part is None else f"{len(str(part))}:{part}" for part in parts])
        return self._sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


class _Guard:
    """The circuit breaker of a store: what it raises, or is slow at, counts as a miss."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._breaker = CircuitBreaker(clock, STORE_PAUSES)
        self._failing: set[str] = set()  # the operations: one that works says nothing about the others
        self._was_slow = False
        self.failures = 0
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def attempt(self, what: str, operation: Callable[[], _Result], otherwise: _Result) -> _Result:
        """The result of `operation`; `otherwise` if it fails, or if the store is left alone just now."""
        if not self._may_ask():
            return otherwise
        started = self._clock.now()
        try:
            result = operation()
        except Exception as error:  # noqa: BLE001  # a store may be anybody's
            pass_on(error)
            self.failed(what, f"{type(error).__name__}: {error}")
            return otherwise
        took = self._clock.now() - started
        was_slow, self._was_slow = self._was_slow, took > SLOW_ANSWER_SECONDS
        if took > HANGING_ANSWER_SECONDS or (was_slow and took > SLOW_ANSWER_SECONDS):
            self.failed(what, f"an answer took {took:.1f} seconds")
        elif self._breaker.failures:
            self._worked(what)
        return result

    def _may_ask(self) -> bool:
        if not self._breaker.failures:
            return True
        with self._lock:
            return self._breaker.claim()

    def failed(self, what: str, why: str) -> None:
        with self._lock:
            self.failures += 1
            was_failing = bool(self._failing)
            # First the set, then the breaker, and whether it is open is asked of the breaker alone: an interrupt, or a
            # fork, between the two leaves nothing behind that the next answer would not put right.
            self._failing.add(what)
            self._breaker.failed()
        if not was_failing:
            _log.warning("the shared cache fails, each process goes on with its own: %s", Redaction(()).text(why))

    def _worked(self, what: str) -> None:
        with self._lock:
            self._failing.discard(what)
            if self._failing:
                self._breaker.may_be_asked()
            # Of several answers that were under way, one is the first to find that all work again.
            is_over = not self._failing and self._breaker.worked()
        if is_over:
            _log.info("the shared cache works again")


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20 else 0
