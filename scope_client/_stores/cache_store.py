"""CacheStore: what a cache has to offer to stand behind the memory of several processes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, Protocol, runtime_checkable

from .._fork import held_back


@runtime_checkable
class CacheStore(Protocol):
    """A key-value store that processes or machines share: text under short ASCII keys; times are in seconds.

    A method may raise any exception: that counts as a miss, and the store is left alone for a while. Several threads
    call the methods at once. A method should give up after a fraction of a second if the server hangs. If it cannot,
    give the store an attribute `may_hang = True`: a call with a `deadline` then waits for half of its time at the most.
    """

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The values of those keys that the store has."""

    def set(self, key: str, value: str, ttl: Optional[float]) -> None:
        """Keeps a value.

        Args:
            key: Its key.
            value: The text to keep.
            ttl: For how many seconds, or None for as long as the store can.
        """

    def add(self, key: str, value: str, ttl: float) -> bool:
        """Keeps a value if its key is not there yet. If many processes call at once, one of them gets True.

        Args:
            key: Its key.
            value: The text to keep.
            ttl: For how many seconds.

        Returns:
            Whether the value was kept.
        """

    def delete(self, key: str) -> None:
        """Removes a value, if it is there."""


STORE_METHODS = ("get_many", "set", "add", "delete")


def has_methods(value: object, names: Iterable[str]) -> bool:
    """Whether this is an object that can be asked for all these, and not a class."""
    return not isinstance(value, type) and all(callable(getattr(value, name, None)) for name in names)


def asynchronous_method(value: object) -> Optional[str]:
    """The first method of a store, or of the client of a cache server, that is a coroutine function."""
    with held_back():
        from inspect import iscoroutinefunction

    names = (*STORE_METHODS, "get", "execute_command")
    return next((name for name in names if iscoroutinefunction(getattr(value, name, None))), None)
