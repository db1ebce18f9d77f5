"""Memory: the entries of this process, and which of them goes when it is full."""

from __future__ import annotations

import contextlib
import heapq
import threading
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple, Protocol

from .._circuit_breaker import NEVER
from .._fork import renew_in_children
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import CacheKey


class Entry:
    """A version and its times, in seconds of the cache's clock.

    It is served without further thought until `due_at`. `asked_at` is when a shared store was last asked about it,
    `stale_at` when it was last served past its end, `read_at` when it was last read at all. `stamp` is the wall time
    at which its fetch began, `generation` that of the fleet then. `is_refused` if the platform refuses to renew it.
    """

    __slots__ = (
        *("asked_at", "due_at", "expires_at", "fetched_at", "generation", "is_refused"),
        *("key", "life", "read_at", "stale_at", "stamp", "version"),
    )

    def __init__(
        self, key: CacheKey, version: PromptVersion, *, fetched_at: float, life: float, stamp: float, generation: int
    ) -> None:
        self.key = key
        self.version = version
        self.fetched_at = self.read_at = self.asked_at = self.due_at = fetched_at
        self.life = life
        self.expires_at = fetched_at + life
        self.stale_at = NEVER
        self.is_refused = False
        self.stamp = stamp
        self.generation = generation

    def is_fresh(self, now: float, max_age: float | None) -> bool:
        """`max_age` is how old, in seconds, a caller takes it; None for the life it was given."""
        return now < (self.expires_at if max_age is None else self.fetched_at + max_age)


class Replaced(NamedTuple):
    """What an entry has come in the place of.

    `last_id` is the ID of the version that was kept last, if it is another one, although it was cleared meanwhile.
    """

    entry: Entry | None
    last_id: str | None


class Entries(Protocol):
    """Entries by key, for readers without a lock."""

    def get(self, key: CacheKey) -> Entry | None:
        """None if there is none."""


class Others:
    """The entries that are not of production, once more: so a reader without a lock finds them without making a key.

    `latest` are those of the label "latest", by name; `by_id` those of a version's ID: by the ID, and then by name.
    """

    __slots__ = ("by_id", "latest")

    def __init__(self) -> None:
        self.latest: dict[str, Entry] = {}
        self.by_id: dict[str, dict[str, Entry]] = {}

    def put(self, entry: Entry) -> None:
        if type(entry.key) is tuple:
            name, _, version = entry.key
            (self.latest if version is None else self.by_id.setdefault(version, {}))[name] = entry

    def drop(self, key: CacheKey) -> None:
        if type(key) is tuple:
            name, _, version = key
            if version is None:
                self.latest.pop(name, None)
            else:
                of_version = self.by_id.get(version, {})
                of_version.pop(name, None)
                if not of_version:
                    self.by_id.pop(version, None)

    def clear(self) -> None:
        self.latest.clear()
        self.by_id.clear()


class Memory:
    """At most `max_entries` of them; when it is full, one of those unread for longest goes.

    `by_key` is a plain dict: a reader needs no lock for it, and notes the time in `read_at`. `others` comes last and
    goes first, so that an interrupt in the middle makes reads slower, and none wrong. `epoch` counts the calls of
    `clear`, so that what was asked for before one is not put in after it.
    """

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._last_ids: dict[CacheKey, str | None] = {}
        self._leaving: list[tuple[float, Entry]] = []
        self.by_key: dict[CacheKey, Entry] = {}
        self.others = Others()
        self.epoch = 0
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()  # one that may be taken again: a signal handler may clear while we put

    def put(self, entry: Entry, epoch: int) -> Replaced | None:
        """What it has replaced; None if it was not put, because everything was cleared since `epoch`."""
        with self._lock:
            if epoch != self.epoch:
                return None
            former = self.by_key.get(entry.key)
            if former is None:
                while len(self.by_key) >= self._max_entries:
                    self._drop_idle()
            self.others.drop(entry.key)
            # By one assignment, for readers without the lock: the old entry or the new one, never none.
            self.by_key[entry.key] = entry
            self.others.put(entry)
            return Replaced(former, self._last_other_id(entry.key, entry.version.id))

    def drop(self, entry: Entry) -> None:
        """Removes this entry, and not one that has taken its place."""
        with self._lock:
            if self.by_key.get(entry.key) is entry:
                self._take_out(entry.key)

    def clear(self) -> None:
        with self._lock:
            self.epoch += 1
            self._leaving.clear()
            self.others.clear()
            self.by_key.clear()

    def forget(self, keys: Iterable[CacheKey]) -> None:
        """Drops these entries; what was asked for before, for any key, is not put in."""
        with self._lock:
            self.epoch += 1
            for key in keys:
                self._take_out(key)

    def grow_older(self, seconds: float, now: float) -> None:
        """All entries by so many seconds, which no clock of theirs has counted.

        None of them ends before now: a wall clock that was set costs a renewal, and never a last known good version.
        """
        for entry in list(self.by_key.values()):
            entry.fetched_at -= seconds
            entry.asked_at -= seconds
            entry.expires_at = max(entry.expires_at - seconds, min(entry.expires_at, now))
            entry.due_at = NEVER

    def _last_other_id(self, key: CacheKey, version_id: str | None) -> str | None:
        # All of them go rather than one: what is lost is that a change is told, and no order has to be kept.
        if len(self._last_ids) >= self._max_entries and key not in self._last_ids:
            self._last_ids.clear()
        last, self._last_ids[key] = self._last_ids.get(key), version_id
        return last if last != version_id else None

    def _take_out(self, key: CacheKey) -> None:
        self.others.drop(key)
        self.by_key.pop(key, None)

    def _drop_idle(self) -> None:
        """Takes out one of the entries unread for longest; a tenth of them are lined up at a time, to make it cheap."""
        leaving = self._leaving
        if not leaving:
            entries = list(self.by_key.values())
            idle = heapq.nsmallest(len(entries) // 10 + 1, entries, key=attrgetter("read_at"))
            leaving.extend((entry.read_at, entry) for entry in reversed(idle))
        with contextlib.suppress(IndexError):  # a signal handler has cleared everything in the middle of this
            read_at, entry = leaving.pop()
            if entry.read_at == read_at:  # else it was read since it was lined up
                self.drop(entry)
