"""Where cache entries live: the memory of this process."""

from __future__ import annotations

import heapq
from operator import attrgetter
from typing import TYPE_CHECKING

import cachetools

from .prompt import CacheKey, PromptVersion

if TYPE_CHECKING:
    _Cache = cachetools.Cache["CacheKey", "Entry"]
else:
    _Cache = cachetools.Cache


class Entry:
    """A version, with the times it was fetched, expires and was last read, all in seconds of the cache's clock."""

    __slots__ = ("expires_at", "fetched_at", "key", "read_at", "version")

    def __init__(self, key: CacheKey, version: PromptVersion, fetched_at: float, expires_at: float) -> None:
        self.key = key
        self.version = version
        self.fetched_at = self.read_at = fetched_at
        self.expires_at = expires_at


class MemoryStore(_Cache):
    """At most `maxsize` entries; when full, one of those unread for longest goes. Writers bring their own lock.

    `entries` is the same content as a plain dict: a reader needs no lock for it, and notes the time in `read_at`.
    """

    def __init__(self, maxsize: int) -> None:
        super().__init__(maxsize)
        self.entries: dict[CacheKey, Entry] = {}
        self._leaving: list[tuple[float, CacheKey]] = []

    def __setitem__(self, key: CacheKey, entry: Entry) -> None:
        super().__setitem__(key, entry)
        self.entries[key] = entry

    def __delitem__(self, key: CacheKey) -> None:
        super().__delitem__(key)
        del self.entries[key]

    def clear(self) -> None:
        for key in list(self.entries):
            del self[key]

    def popitem(self) -> tuple[CacheKey, Entry]:
        """Takes out one of the entries unread for longest; a tenth of them are lined up at a time, to make it cheap."""
        while True:
            if not self._leaving:
                idle = heapq.nsmallest(len(self.entries) // 10 + 1, self.entries.values(), key=attrgetter("read_at"))
                self._leaving = [(entry.read_at, entry.key) for entry in reversed(idle)]
            read_at, key = self._leaving.pop()
            entry = self.entries.get(key)
            if entry is not None and entry.read_at == read_at:
                return key, self.pop(key)
