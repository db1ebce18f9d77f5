"""ForeignStore: a framework's own cache as a CacheStore."""

import binascii
import contextlib
import math
import pickle  # nosec B403  # its errors alone
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from .._frozen import CopiedAsItself
from .._interrupts import pass_on

LONGEST_TIMEOUT_SECONDS = 10 * 365 * 86_400

# What such caches raise for an entry that somebody else wrote: they unpickle, and some inflate or decode it before.
_ERRORS_OF_GARBAGE = (
    *(pickle.PickleError, zlib.error, binascii.Error, EOFError, ImportError),
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)


class ForeignStore(CopiedAsItself):
    """A CacheStore over a cache that has `get`, `set` and `add` with a time in whole seconds, and `delete`.

    A subclass says where the cache is, how it is asked for several keys, and how it takes a time. An error of the cache
    passes through, and the client takes it for a miss. Two errors do not: an entry that cannot be read is a miss here
    and is replaced, and a value that is too large for the cache is not kept.
    """

    may_hang = False
    """Whether a server that hangs may hold a reader up."""

    def opened(self) -> contextlib.AbstractContextManager[Any]:
        """The cache, for one use."""
        raise NotImplementedError

    def found(self, cache: Any, keys: Sequence[str]) -> Mapping[str, Any]:
        """Asks for several keys at once.

        Args:
            cache: What `opened` gave.
            keys: The keys.

        Returns:
            The values that are there, by their keys.
        """
        raise NotImplementedError

    def timeout(self, cache: Any, seconds: Optional[int]) -> Optional[int]:
        """A time as the cache takes it.

        Args:
            cache: What `opened` gave.
            seconds: The time, or None for ever.

        Returns:
            What to pass to the cache.
        """
        raise NotImplementedError

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        """As a CacheStore has it."""
        with self.opened() as cache:
            try:
                found = self.found(cache, keys)
            except _ERRORS_OF_GARBAGE as error:
                pass_on(error)
                found = _readable(cache, keys)
        return {key: value for key, value in found.items() if isinstance(value, str)}

    def set(self, key: str, value: str, ttl: Optional[float]) -> None:
        """As a CacheStore has it."""
        with self.opened() as cache:
            try:
                is_kept = cache.set(key, value, self._whole(cache, ttl))
            except _ERRORS_OF_GARBAGE as error:
                pass_on(error)
                cache.delete(key)
                is_kept = cache.set(key, value, self._whole(cache, ttl))
            except Exception as error:
                pass_on(error)
                # Each backend has errors of its own. A server that still answers has refused the value, as too large.
                if not _answers(cache, key):
                    raise
                is_kept = False
            # What lies there instead is an older version, or the lock of this one.
            if is_kept is False:
                cache.delete(key)

    def add(self, key: str, value: str, ttl: float) -> bool:
        """As a CacheStore has it."""
        with self.opened() as cache:
            try:
                return bool(cache.add(key, value, self._whole(cache, ttl)))
            except _ERRORS_OF_GARBAGE as error:
                pass_on(error)
                cache.delete(key)
                return bool(cache.add(key, value, self._whole(cache, ttl)))

    def delete(self, key: str) -> None:
        """As a CacheStore has it."""
        with self.opened() as cache:
            cache.delete(key)

    def _whole(self, cache: Any, ttl: Optional[float]) -> Optional[int]:
        """Rounded up: such a cache cuts off the fraction of a second, and 0 means "at once" or "for ever" there."""
        return self.timeout(cache, None if ttl is None else math.ceil(min(ttl, LONGEST_TIMEOUT_SECONDS)))


def _readable(cache: Any, keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key in keys for value in _values(cache, key)}


def _values(cache: Any, key: str) -> list[Any]:
    """The one that is there; what cannot be read is removed, or it would be in the way of an `add`."""
    try:
        return [cache.get(key)]
    except _ERRORS_OF_GARBAGE as error:
        pass_on(error)
        cache.delete(key)
    return []


def _answers(cache: Any, key: str) -> bool:
    try:
        cache.get(key)
    except Exception as error:  # noqa: BLE001  # whatever the backend raises
        pass_on(error)
        return False
    return True
