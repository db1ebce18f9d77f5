"""In force: the pins under which the code that runs now reads, and what the fast path of their client looks into."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any, Generic, Protocol, TypeVar

from .._cache.memory import Entries, Entry, Others
from .._fork import renew_in_children
from .._prompt.ref import CacheKey


class Pinned(Protocol):
    """The state of some pins."""

    entries: dict[CacheKey, Entry]


_State = TypeVar("_State", bound=Pinned)


class Reader(Protocol):
    """The client whose fast path asks `_entries`, and `_others` unless that is None."""

    _entries: Entries
    _others: Others | None


class Holder(Protocol):
    """What has the pinning of a client."""

    pinning: Pinning[Any] | None


class _Use(Generic[_State]):
    """One block that pins are entered for. A copy of the context, such as a task's, shares it, and its end too."""

    __slots__ = ("has_ended", "outer", "pinning", "pins")

    def __init__(self, pinning: Pinning[_State], pins: _State, outer: _Use[Any] | None) -> None:
        self.pinning = pinning
        self.pins = pins
        self.outer = outer
        self.has_ended = False


_innermost: ContextVar[_Use[Any] | None] = ContextVar("scope_client_pins", default=None)


class _Lock:
    """For all clients of a process: it is held for the setting of an attribute."""

    def __init__(self) -> None:
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self.held = threading.RLock()


_lock = _Lock()


class Pinning(Generic[_State]):
    """The pins of one client. While some are in force in any thread, the client's fast path asks it for entries."""

    def __init__(self, plain: Entries, others: Others | None) -> None:
        self._plain = plain
        self._others = others
        self._uses: list[_Use[_State]] = []

    @classmethod
    def of(cls, reading: Holder, reader: Reader) -> Pinning[_State]:
        """That of a client, which has one from its first pins on."""
        with _lock.held:
            if reading.pinning is None:
                reading.pinning = cls(reader._entries, reader._others)
            return reading.pinning

    def get(self, key: CacheKey) -> Entry | None:
        """The pinned version, if pins are in force here; what the cache has otherwise."""
        use = _innermost.get()
        while use is not None:
            if use.pinning is self and not use.has_ended:
                entries: Entries = use.pins.entries
                return entries.get(key)
            use = use.outer
        return self._plain.get(key)

    def here(self) -> tuple[_State, ...]:
        """Those in force in this thread or task, the innermost first."""
        found: list[_State] = []
        use = _innermost.get()
        while use is not None:
            if use.pinning is self and not use.has_ended:
                found.append(use.pins)
            use = use.outer
        return tuple(dict.fromkeys(found))

    def begin(self, pins: _State, reader: Reader) -> None:
        """Has them in force here, for as many blocks as call this."""
        use = _Use(self, pins, _innermost.get())
        with _lock.held:
            self._uses.append(use)
            reader._others = None
            reader._entries = self
        _innermost.set(use)

    def end(self, pins: _State, reader: Reader) -> None:
        """Ends a block: the innermost one of this context, or one that began in another context.

        Without the `reset` of a context variable, which raises in another context than that of its `set`.
        """
        with _lock.held:
            use = _last(self._of_this_context(), pins) or _last(self._uses, pins)
            if use is None:
                return
            use.has_ended = True
            self._uses.remove(use)
            if not self._uses:
                reader._entries = self._plain
                reader._others = self._others
        _innermost.set(_still_in_force(_innermost.get()))

    def _of_this_context(self) -> list[_Use[_State]]:
        """From the outermost on."""
        found: list[_Use[_State]] = []
        use = _innermost.get()
        while use is not None:
            if use.pinning is self and not use.has_ended:
                found.append(use)
            use = use.outer
        return found[::-1]


def _last(uses: list[_Use[_State]], pins: _State) -> _Use[_State] | None:
    return next((use for use in reversed(uses) if use.pins is pins), None)


def _still_in_force(use: _Use[Any] | None) -> _Use[Any] | None:
    while use is not None and use.has_ended:
        use = use.outer
    return use
