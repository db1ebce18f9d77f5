"""The cache entries in the memory of this process."""

from __future__ import annotations

import contextlib
import math
from operator import attrgetter

from .._fork import held_back
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import CacheKey

_NEVER = -math.inf


class Entry:
    """A version and its times, in seconds of the cache's clock.

    It is read without further thought until `due_at`. `asked_at` is when a shared store was last asked about it,
    `stale_at` when it was last served in spite of its age; `stamp` is the wall time at which its fetch began.
    `is_refused` where the platform refuses to renew it.
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
        self.fetched_at = self.read_at = self.asked_at = fetched_at
        self.life = life
        self.expires_at = fetched_at + life
        self.due_at = fetched_at
        self.stale_at = _NEVER
        self.is_refused = False
        self.stamp = stamp
        self.generation = generation

    def fresh_until(self, max_age: float | None) -> float:
        """`max_age` is how old a caller takes it; None for the life it was given."""
        return self.expires_at if max_age is None else self.fetched_at + max_age


class Memory:
    """At most `maxsize` entries; when full, one of those unread for longest goes. Writers bring their own lock.

    `entries` is a plain dict: a reader needs no lock for it, and notes the time in `read_at`.
    """

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._leaving: list[tuple[float, Entry]] = []
        self.entries: dict[CacheKey, Entry] = {}

    def put(self, entry: Entry) -> None:
        if entry.key not in self.entries:
            while len(self.entries) >= self._maxsize:
                self._drop_idle()
        self.entries[entry.key] = entry

    def drop(self, entry: Entry) -> None:
        """Removes this entry, and not one that has taken its place."""
        if self.entries.get(entry.key) is entry:
            self.entries.pop(entry.key, None)

    def clear(self) -> None:
        self._leaving.clear()
        self.entries.clear()

    def _drop_idle(self) -> None:
        """Takes out one of the entries unread for longest; a tenth of them are lined up at a time, to make it cheap.

        A signal handler may clear everything in the middle of it.
        """
        leaving = self._leaving
        if not leaving:
            with held_back():
                import heapq

            entries = list(self.entries.values())
            idle = heapq.nsmallest(len(entries) // 10 + 1, entries, key=attrgetter("read_at"))
            leaving.extend((entry.read_at, entry) for entry in reversed(idle))
        with contextlib.suppress(IndexError):
            read_at, entry = leaving.pop()
            if entry.read_at == read_at:
                self.drop(entry)
