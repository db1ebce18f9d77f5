"""SharedCache: versions as JSON text in a CacheStore, which may fail, be slow, or hold garbage."""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, TypeVar

from .._clock import Clock
from .._config.cache_store import CacheStore
from .._config.configuration import Configuration
from .._log import Log
from .._prompt.jsonvalue import parse
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._redaction import Redaction
from ..errors import ApiError

SCHEMA = 1
_log = Log("scope_client.store")
_REST = 5.0
_LOCKED_OUT = 15.0
_MOST_REFUSALS = 1000
_SLOW = 0.5  # twice in a row; once may be this machine, busy with something else
_HANGING = 2.0
_APART = 1.0  # what the clocks of a fleet may differ by
_Result = TypeVar("_Result")


class Found(NamedTuple):
    """A version fetched at `stamp`, in seconds since 1970, which is `age` seconds ago; fresh for `life` seconds."""

    version: PromptVersion
    stamp: float
    age: float
    life: float
    generation: int


class SharedCache:
    """What one organisation, environment and API see of a store. Nothing here raises.

    A failure of the store is a miss; it is logged once, and the store is then left alone for some seconds.
    `generation` is a number that only grows, the milliseconds since 1970 at which it began or more; entries of an
    older one were cleared.
    """

    lock_seconds = 5.0

    def __init__(self, store: CacheStore, config: Configuration, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        whose = (config.base_url, config.api_version, getattr(config.credentials, "org_id", None), config.environment)
        self._prefix = f"scope:{SCHEMA}:{_hash(*whose)[:20]}:"
        self._generation_key = f"{self._prefix}generation"
        self._rests_until = -math.inf
        self._failing: set[str] = set()
        self._was_slow = False
        self._known_generation = 0
        self._refused_since: dict[str, float] = {}
        self.failures = 0
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    @property
    def generation(self) -> int:
        return self._known_generation

    def is_later(self, stamp: float) -> bool:
        """Whether what was asked for at this wall time is later than the last `clear`, by any clock of the fleet."""
        return self._known_generation < (stamp - _APART) * 1000 and stamp <= self._clock.wall()

    def find(self, ref: PromptRef) -> Found | None:
        """What the store has of a ref, fresh or not; learns the generation on the way."""
        return self._attempt("find", lambda: self._find(ref), None)

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
        self._attempt("set", lambda: self._store.set(self._key(ref), text, max(ttl, 1.0)), None)

    def forget(self, ref: PromptRef) -> None:
        self._attempt("delete", lambda: self._store.delete(self._key(ref)), None)

    def lock(self, ref: PromptRef) -> bool:
        """Whether this process is the one to fetch; True as well where the store does not answer, or has refused
        for far longer than a lock lives."""
        key = f"{self._key(ref)}:lock"
        if self._attempt("add", lambda: self._added(key), True):
            self._refused_since.pop(key, None)
            return True
        if len(self._refused_since) >= _MOST_REFUSALS:
            self._refused_since.clear()
        since = self._refused_since.setdefault(key, self._clock.now())
        if self._clock.now() < since + _LOCKED_OUT:
            return False
        self._rest("add", f"the lock of a prompt was never to be had in {_LOCKED_OUT:g} seconds")
        return True

    def relieve(self, ref: PromptRef) -> None:
        """Another process had the lock and has done with it what it is for."""
        if self._refused_since:
            self._refused_since.pop(f"{self._key(ref)}:lock", None)

    def unlock(self, ref: PromptRef) -> None:
        self._attempt("delete", lambda: self._store.delete(f"{self._key(ref)}:lock"), None)

    def clear(self) -> None:
        """Makes all entries so far those of an older generation, for everybody who shares the store."""
        nothing: Mapping[str, str] = {}
        seen = self._attempt("find", lambda: self._values(self._generation_key), nothing)
        with self._lock:
            known = max(self._known_generation, _number(seen.get(self._generation_key)))
            self._known_generation = max(known + 1, int(self._clock.wall() * 1000))
        self._attempt("set", self._publish_generation, None)

    def _values(self, *keys: str) -> Mapping[str, str]:
        """Raises TypeError where the store, which may be anybody's, breaks its promise."""
        values = self._store.get_many(keys)
        if not isinstance(values, Mapping):
            raise TypeError(f"get_many must return a mapping, got {type(values).__name__}")
        for value in values.values():
            if not isinstance(value, str):
                raise TypeError(f"get_many must return texts by key, got {type(value).__name__}")
        return values

    def _added(self, key: str) -> bool:
        added = self._store.add(key, "1", self.lock_seconds)
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
        if knows_more:
            self._publish_generation()

    def _publish_generation(self) -> None:
        self._store.set(self._generation_key, str(self._known_generation), None)

    def _read(self, text: object, ref: PromptRef) -> Found | None:
        try:
            entry = parse(text) if isinstance(text, str) else None
            if not isinstance(entry, dict) or entry.get("schema") != SCHEMA:
                return None
            stamp, life, age = self._times(entry)
            generation = self._known_generation
            if entry.get("generation") != generation or age < -_APART:
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
        return f"{self._prefix}{_hash(ref.name, ref.label, ref.version)[:32]}"

    def _attempt(self, what: str, operation: Callable[[], _Result], otherwise: _Result) -> _Result:
        started = self._clock.now()
        if started < self._rests_until or (self._failing and not self._is_first_to_try(started)):
            return otherwise
        try:
            result = operation()
        except Exception as error:  # noqa: BLE001  # a store may be anybody's
            self._rest(what, f"{type(error).__name__}: {error}")
            return otherwise
        took = self._clock.now() - started
        was_slow, self._was_slow = self._was_slow, took > _SLOW
        if took > _HANGING or (was_slow and took > _SLOW):
            self._rest(what, f"an answer took {took:.1f} seconds")
        elif self._failing:
            self._recover(what)
        return result

    def _is_first_to_try(self, now: float) -> bool:
        """One thread tries a store that failed; the others go on without it until that one is done."""
        with self._lock:
            is_first = now >= self._rests_until
            if is_first:
                self._rests_until = now + _REST
        return is_first

    def _recover(self, what: str) -> None:
        with self._lock:
            self._rests_until = -math.inf
            self._failing.discard(what)
            is_over = not self._failing
        if is_over:
            _log.info("the shared cache works again")

    def _rest(self, what: str, why: str) -> None:
        with self._lock:
            self.failures += 1
            self._rests_until = self._clock.now() + _REST
            was_failing = bool(self._failing)
            self._failing.add(what)
        if not was_failing:
            _log.warning("the shared cache fails, each process goes on with its own: %s", Redaction(()).text(why))


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20 else 0


def _hash(*parts: object) -> str:
    """Of the parts as text, with their lengths, so that no two lists of parts look alike."""
    joined = "".join(["-" if part is None else f"{len(str(part))}:{part}" for part in parts])
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()
