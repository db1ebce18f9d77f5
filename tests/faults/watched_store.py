"""A store that remembers what it was asked, and fails if it is told to."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from scope_client import CacheStore

ENTRY = r"scope:1:\{[0-9a-f]{20}\}:[0-9a-f]{32}"


class WatchedStore:
    """Passes everything on to the store `behind`, except for the methods that are `broken`."""

    def __init__(self, behind: CacheStore) -> None:
        self.behind = behind
        self.calls: list[tuple] = []
        self.broken: set[str] = set()
        self.seen: dict[str, str] = {}
        """What was written last, by its key."""
        self.readers: list[str] = []
        """The threads that wanted to read, by their names."""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.readers.append(threading.current_thread().name)
        return self._call("get_many", keys)

    def set(self, key: str, value: str, ttl: float | None) -> None:
        self.seen[key] = value
        self._call("set", key, value, ttl)

    def add(self, key: str, value: str, ttl: float) -> bool:
        self.seen[key] = value
        return self._call("add", key, value, ttl)

    def delete(self, key: str) -> None:
        self._call("delete", key)

    @property
    def entry(self) -> str:
        """The key of the first prompt that was written."""
        return next(key for key in self.seen if re.fullmatch(ENTRY, key))

    @property
    def asked_for(self) -> set[str]:
        """All keys that somebody wanted to read."""
        return {key for method, *arguments in self.calls if method == "get_many" for key in arguments[0]}

    def _call(self, method: str, *arguments: object) -> Any:
        self.calls.append((method, *arguments))
        if method in self.broken:
            raise OSError("broken redis://someone:hunter2@host")
        return getattr(self.behind, method)(*arguments)
