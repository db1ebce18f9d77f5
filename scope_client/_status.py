"""Status: how a client is doing, as a frozen value for health pages."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ._clock import Clock
from ._frozen import Frozen
from .errors import ScopeError

COUNTED = ("fetches", "errors", "refreshes", "stale", "fallbacks", "evictions")


class PromptStatus(Frozen):
    """One cached version: what was asked for, which version it is, and its `age` in seconds.

    `state` is "fresh", "stale" (expired, kept as the last known good) or "gone" (too old even for that).
    """

    __slots__ = ("name", "label", "version", "version_id", "version_number", "age", "state")
    name: str
    label: str | None
    version: str | None
    version_id: str | None
    version_number: int | None
    age: float
    state: str

    def __init__(
        self,
        *,
        name: str,
        label: str | None,
        version: str | None,
        version_id: str | None,
        version_number: int | None,
        age: float,
        state: str,
    ) -> None:
        self._freeze(
            name=name,
            label=label,
            version=version,
            version_id=version_id,
            version_number=version_number,
            age=age,
            state=state,
        )

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __reduce__(self) -> Any:
        return _restored, (type(self), self.to_dict())


class Status(Frozen):
    """How a client is doing, at one moment; times are in seconds.

    `is_down` tells that the platform did not answer when it was last asked. `is_serving_stale` tells that a prompt was
    served past its end within the last minute, and not renewed since. `last_error` and `last_error_age` are of the last
    fetch that failed, seen by a reader or not. `token_expires_in` is None where there is no token. `counters` count,
    since the client was made, fetches, errors, refreshes, reads of stale versions, fallbacks, evictions, and failures
    of the shared cache.
    """

    __slots__ = (
        *("is_down", "is_serving_stale", "prompts", "last_error", "last_error_age", "token_expires_in"),
        "counters",
    )
    is_down: bool
    is_serving_stale: bool
    prompts: tuple[PromptStatus, ...]
    last_error: str | None
    last_error_age: float | None
    token_expires_in: float | None
    counters: Mapping[str, int]

    def __init__(
        self,
        *,
        is_down: bool,
        is_serving_stale: bool,
        prompts: tuple[PromptStatus, ...],
        last_error: str | None,
        last_error_age: float | None,
        token_expires_in: float | None,
        counters: Mapping[str, int],
    ) -> None:
        self._freeze(
            is_down=is_down,
            is_serving_stale=is_serving_stale,
            prompts=prompts,
            last_error=last_error,
            last_error_age=last_error_age,
            token_expires_in=token_expires_in,
            counters=MappingProxyType(dict(counters)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Fit for JSON; nothing in it is secret."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        return {**shown, "prompts": [each.to_dict() for each in self.prompts], "counters": dict(self.counters)}

    def __hash__(self) -> int:
        return hash((self.is_down, self.prompts, self.last_error))

    def __reduce__(self) -> Any:
        shown = {name: getattr(self, name) for name in self.__slots__}
        return _restored, (type(self), {**shown, "counters": dict(self.counters)})


def _restored(kind: Any, fields: dict[str, Any]) -> Any:
    return kind(**fields)


class Tally:
    """What a client counts, and its last error."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts = dict.fromkeys(COUNTED, 0)
        self.last_error: str | None = None
        self._last_error_at = 0.0
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def note(self, error: ScopeError) -> None:
        self.last_error, self._last_error_at = f"{type(error).__name__}: {error}", self._clock.now()
        self.count("errors")

    @property
    def counts(self) -> dict[str, int]:
        return dict(self._counts)

    @property
    def last_error_age(self) -> float | None:
        return None if self.last_error is None else self._clock.now() - self._last_error_at
