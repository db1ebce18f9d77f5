"""Telemetry: callbacks of the whole process that see requests, answers and errors, as frozen values."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Callable, Generic, TypeVar

from ._fork import renew_in_children
from ._frozen import Frozen
from ._log import Log
from ._redaction import REDACTED
from .errors import ScopeError

_log = Log("scope_client.telemetry")
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie", "set-cookie")


class RequestInfo(Frozen):
    """One attempt, as it is about to be sent; `request_id` is the same on every attempt of a call."""

    __slots__ = ("request_id", "method", "url", "headers")
    request_id: str
    method: str
    url: str
    headers: Mapping[str, str]

    def __init__(self, request_id: str, method: str, url: str, headers: Mapping[str, str]) -> None:
        self._freeze(request_id=request_id, method=method, url=url, headers=_shown(headers))


class ResponseInfo(Frozen):
    """One answer, whatever its status; `elapsed_ms` is that of the attempt, to the last byte."""

    __slots__ = ("request_id", "status_code", "headers", "elapsed_ms")
    request_id: str
    status_code: int
    headers: Mapping[str, str]
    elapsed_ms: float

    def __init__(self, request_id: str, status_code: int, headers: Mapping[str, str], elapsed_ms: float) -> None:
        self._freeze(request_id=request_id, status_code=status_code, headers=_shown(headers), elapsed_ms=elapsed_ms)


class ErrorInfo(Frozen):
    """The error that a fetch ends in, after its last attempt; `elapsed_ms` is that of the whole fetch.

    A caller need not have seen it: a last known good version or a fallback may have taken its place.
    """

    __slots__ = ("request_id", "error", "elapsed_ms")
    request_id: str
    error: ScopeError
    elapsed_ms: float

    def __init__(self, request_id: str, error: ScopeError, elapsed_ms: float) -> None:
        self._freeze(request_id=request_id, error=error, elapsed_ms=elapsed_ms)


class CacheInfo(Frozen):
    """What the cache decided about a prompt, under the name that was asked for.

    `outcome` is "refresh" (renewed ahead of its end), "stale" (the last known good version was served), "fallback" (a
    stand-in was served, since nothing is known) or "evicted" (the platform has it no more). `age` is that of the
    version served, replaced or evicted, in seconds; None for a fallback.
    """

    __slots__ = ("prompt", "outcome", "age")
    prompt: str
    outcome: str
    age: float | None

    def __init__(self, prompt: str, outcome: str, age: float | None) -> None:
        self._freeze(prompt=prompt, outcome=outcome, age=age)


_Info = TypeVar("_Info")


class Hook(Generic[_Info]):
    """The callbacks for one kind of event."""

    def __init__(self) -> None:
        self._callbacks: tuple[_Callback[_Info], ...] = ()
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    def add(self, call: Callable[[_Info], object]) -> Callable[[], None]:
        if not callable(call):
            raise TypeError(f"a callback must be callable, got {type(call).__name__}")
        added = _Callback(call)
        with self._lock:
            self._callbacks = (*self._callbacks, added)

        def unregister() -> None:
            with self._lock:
                self._callbacks = tuple(callback for callback in self._callbacks if callback is not added)

        return unregister

    def clear(self) -> None:
        with self._lock:
            self._callbacks = ()

    def emit(self, info: _Info) -> None:
        for callback in self._callbacks:
            callback.call(info)


class _Callback(Generic[_Info]):
    def __init__(self, function: Callable[[_Info], object]) -> None:
        self._function = function
        self._has_failed = False
        self._running = threading.local()

    def call(self, info: _Info) -> None:
        """Nothing where the event comes of what the callback itself does."""
        if getattr(self._running, "is_true", False):
            return
        self._running.is_true = True
        try:
            self._function(info)
        except Exception:  # noqa: BLE001  # whatever a callback of the user's raises
            if not self._has_failed:
                self._has_failed = True
                _log.exception("a telemetry callback raised; the call goes on, and this is said once")
        finally:
            self._running.is_true = False


requests: Hook[RequestInfo] = Hook()
responses: Hook[ResponseInfo] = Hook()
errors: Hook[ErrorInfo] = Hook()
cache: Hook[CacheInfo] = Hook()


class Telemetry:
    """Where callbacks are registered, for every client of the process whose `telemetry_enabled` is True.

    A callback gets one frozen value, in the thread that makes the call, and is not told of what it does itself. What
    it raises is logged once and never reaches the caller. No value holds a body or a secret.
    """

    @staticmethod
    def on_request(callback: Callable[[RequestInfo], object]) -> Callable[[], None]:
        """Calls back before each attempt; returns the function that unregisters."""
        return requests.add(callback)

    @staticmethod
    def on_response(callback: Callable[[ResponseInfo], object]) -> Callable[[], None]:
        """Calls back after each answer, whatever its status; returns the function that unregisters."""
        return responses.add(callback)

    @staticmethod
    def on_error(callback: Callable[[ErrorInfo], object]) -> Callable[[], None]:
        """Calls back once for a fetch that ends in an error; returns the function that unregisters."""
        return errors.add(callback)

    @staticmethod
    def on_cache(callback: Callable[[CacheInfo], object]) -> Callable[[], None]:
        """Calls back where the cache does more than answer with what is fresh; returns the function that unregisters.

        A refresh is told in a thread of the background.
        """
        return cache.add(callback)

    @staticmethod
    def clear_callbacks() -> None:
        """Forgets every callback."""
        for hook in (requests, responses, errors, cache):
            hook.clear()


def _shown(headers: Mapping[str, Any]) -> Mapping[str, str]:
    """A read-only copy of the headers, without what is secret in them."""
    return MappingProxyType(
        {name: REDACTED if name.lower() in _SECRET_HEADERS else _as_text(value) for name, value in headers.items()}
    )


def _as_text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
