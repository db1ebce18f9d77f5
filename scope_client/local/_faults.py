"""Faults on demand: errors that the local platform was told to answer with."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple, Union

from .._wording import shown
from ..errors import ConfigurationError

SIDES = ("api", "auth")
RetryAfter = Union[float, str, None]


class Fault(NamedTuple):
    """One error to answer with; `times` is None if it lasts until `clear`, `retry_after` is the header's text."""

    status: int
    times: int | None
    retry_after: str | None
    code: str
    message: str


class Faults:
    """The faults of each side of the platform, in the order in which they were announced."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = {side: deque() for side in SIDES}
        self._lock = threading.Lock()

    def announce(self, fault: Fault, on: str) -> None:
        """Adds a fault; one that lasts gives way to it."""
        if on not in SIDES:
            raise ConfigurationError(f"on must be one of {', '.join(SIDES)}, got {shown(on)}")
        with self._lock:
            waiting = self._waiting[on]
            if waiting and waiting[-1].times is None:
                waiting.pop()
            waiting.append(fault)

    def next(self, on: str) -> Fault | None:
        """The fault for the present request, which uses up one of its times; None if there is no fault."""
        with self._lock:
            waiting = self._waiting[on]
            if not waiting:
                return None
            fault = waiting.popleft()
            if fault.times is None:
                waiting.appendleft(fault)
            elif fault.times > 1:
                waiting.appendleft(fault._replace(times=fault.times - 1))
            return fault

    def clear(self) -> None:
        with self._lock:
            for waiting in self._waiting.values():
                waiting.clear()


def new_fault(
    status: int,
    *,
    times: int | None,
    retry_after: RetryAfter,
    code: str | None,
    message: str | None,
) -> Fault:
    """A fault that was checked; raises ConfigurationError that names the argument that is wrong."""
    if not _is_whole(status) or not 400 <= status <= 599:
        raise ConfigurationError(f"status must be an HTTP error, 400 to 599, got {shown(status)}")
    if times is not None and (not _is_whole(times) or times < 1):
        raise ConfigurationError(f"times must be a whole number, 1 or more, or None, got {shown(times)}")
    said = message or f"The local platform was told to answer {status}"
    return Fault(status, times, _header(retry_after), code or f"fault_{status}", said)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _header(retry_after: RetryAfter) -> str | None:
    if retry_after is None:
        return None
    if isinstance(retry_after, str) and retry_after.isascii() and retry_after.isprintable():
        return retry_after
    if isinstance(retry_after, (int, float)) and retry_after >= 0:
        return f"{retry_after:g}"
    raise ConfigurationError(f"retry_after must be seconds, 0 or more, or an HTTP date, got {shown(retry_after)}")
