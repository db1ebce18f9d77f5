"""LastIds: which version of each prompt was kept last, so that a change is noticed although all was cleared."""

from __future__ import annotations

from .._prompt.ref import CacheKey


class LastIds:
    """The IDs of versions by key, for at most `max_keys` keys; past that, all are forgotten."""

    def __init__(self, max_keys: int) -> None:
        self._max_keys = max_keys
        self._by_key: dict[CacheKey, str | None] = {}

    def replaced(self, key: CacheKey, version_id: str | None) -> str | None:
        """Notes the ID of the version that is kept now; the ID that it replaces, if that is another one."""
        if len(self._by_key) >= self._max_keys and key not in self._by_key:
            self._by_key.clear()
        former = self._by_key.get(key)
        self._by_key[key] = version_id
        return former if former != version_id else None
