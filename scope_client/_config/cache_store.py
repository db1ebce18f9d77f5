"""CacheStore: what a cache has to offer to stand behind the memory of several processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class CacheStore(Protocol):
    """A key-value store that processes or machines share: texts by short ASCII keys.

    Times are in seconds. A method may raise whatever it likes: that counts as a miss, and the store is left alone for
    a while. It is called from several threads, and should give up after a fraction of a second where it hangs.
    """

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The values of those keys that are there."""

    def set(self, key: str, value: str, ttl: float | None) -> None:
        """Keeps the value for `ttl` seconds, or, with None, for as long as it can."""

    def add(self, key: str, value: str, ttl: float) -> bool:
        """`set`, where nothing is there; whether it did. Of many who call at once one gets True."""

    def delete(self, key: str) -> None:
        """Removes the value, if there is one."""
