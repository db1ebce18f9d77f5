"""Telemetry: a process's callbacks, which get requests, answers, errors and cache events as frozen values."""

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Callable, Generic, Literal, Optional, TypeVar

from ._fork import renew_in_children
from ._frozen import Frozen
from ._interrupts import pass_on
from ._log import Log
from ._redaction import REDACTED
from .errors import ScopeError

_log = Log("scope_client.telemetry")
Outcome = Literal["refresh", "changed", "stale", "fallback", "evicted", "unfit"]
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie", "set-cookie")


class RequestInfo(Frozen):
    """One attempt, before it is sent."""

    __slots__ = ("request_id", "method", "url", "headers")
    request_id: str
    """The X-Request-ID, which is the same for every attempt of a call."""
    method: str
    """GET, or POST for a token."""
    url: str
    """The whole URL."""
    headers: Mapping[str, str]
    """The headers to be sent, read-only; secrets are redacted."""

    def __init__(self, request_id: str, method: str, url: str, headers: Mapping[str, str]) -> None:
        self._freeze(request_id=request_id, method=method, url=url, headers=_shown(headers))


class ResponseInfo(Frozen):
    """One answer, whatever its status."""

    __slots__ = ("request_id", "status_code", "headers", "elapsed_ms")
    request_id: str
    """The X-Request-ID that was sent."""
    status_code: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """The headers of the answer, read-only; secrets are redacted."""
    elapsed_ms: float
    """Milliseconds that the attempt took, to the last byte of the answer."""

    def __init__(self, request_id: str, status_code: int, headers: Mapping[str, str], elapsed_ms: float) -> None:
        self._freeze(request_id=request_id, status_code=status_code, headers=_shown(headers), elapsed_ms=elapsed_ms)


class ErrorInfo(Frozen):
    """The error in which a fetch ends, after its last attempt.

    The caller may not see it: a last known good version or a fallback may be served instead.
    """

    __slots__ = ("request_id", "error", "elapsed_ms")
    request_id: str
    """The X-Request-ID that was sent."""
    error: ScopeError
    """The error itself."""
    elapsed_ms: float
    """Milliseconds that the whole fetch took, retries included."""

    def __init__(self, request_id: str, error: ScopeError, elapsed_ms: float) -> None:
        self._freeze(request_id=request_id, error=error, elapsed_ms=elapsed_ms)


class CacheInfo(Frozen):
    """What the cache did for a prompt, if it was more than to answer with a fresh version."""

    __slots__ = ("prompt", "outcome", "age", "old", "new")
    prompt: str
    """The name or ID that was asked for."""
    outcome: Outcome
    """"refresh": renewed before its end. "stale": the last known good version was served. "fallback": a stand-in was
    served, because no version is known. "evicted": dropped, because the platform no longer has it. "changed": another
    version has taken the place of the one in memory. "unfit": the last version that fits was served, because the
    present one needs a variable that the call does not give.
    """
    age: Optional[float]
    """Seconds since the version that was served, replaced or dropped was fetched; None if that is not known."""
    old: Optional[str]
    """The ID of the version that was replaced ("changed"), or served in place of the present one ("unfit")."""
    new: Optional[str]
    """The ID of the present version ("changed", "unfit")."""

    def __init__(
        self, prompt: str, outcome: Outcome, age: Optional[float], old: Optional[str] = None, new: Optional[str] = None
    ) -> None:
        self._freeze(prompt=prompt, outcome=outcome, age=age, old=old, new=new)


OnRequestCallback = Callable[[RequestInfo], object]
"""What `Telemetry.on_request` takes: a function of one `RequestInfo`. What it returns is ignored."""
OnResponseCallback = Callable[[ResponseInfo], object]
"""What `Telemetry.on_response` takes: a function of one `ResponseInfo`. What it returns is ignored."""
OnErrorCallback = Callable[[ErrorInfo], object]
"""What `Telemetry.on_error` takes: a function of one `ErrorInfo`. What it returns is ignored."""
OnCacheCallback = Callable[[CacheInfo], object]
"""What `Telemetry.on_cache` takes: a function of one `CacheInfo`. What it returns is ignored."""
_Info = TypeVar("_Info")


class Hook(Generic[_Info]):
    """The callbacks for one kind of event."""

    def __init__(self) -> None:
        self.callbacks: tuple[_Callback[_Info], ...] = ()  # replaced, never changed: `emit` takes no lock
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()  # of those who register: a signal handler may, in the middle of another call

    def __bool__(self) -> bool:
        return bool(self.callbacks)

    def add(self, call: Callable[[_Info], object]) -> Callable[[], None]:
        if not callable(call):
            raise TypeError(f"a callback must be callable, got {type(call).__name__}")
        added = _Callback(call)
        with self._lock:
            self.callbacks = (*self.callbacks, added)

        def unregister() -> None:
            with self._lock:
                self.callbacks = tuple(callback for callback in self.callbacks if callback is not added)

        return unregister

    def clear(self) -> None:
        with self._lock:
            self.callbacks = ()

    def emit(self, info: _Info) -> None:
        for callback in self.callbacks:
            callback.call(info)


class _Callback(Generic[_Info]):
    def __init__(self, function: Callable[[_Info], object]) -> None:
        self._function = function
        self._has_failed = False
        self._running = threading.local()

    def call(self, info: _Info) -> None:
        """Does nothing if the callback itself has caused the event: it would go round for ever."""
        if getattr(self._running, "is_true", False):
            return
        try:
            self._running.is_true = True
            self._function(info)
        except Exception as error:  # noqa: BLE001  # a user's callback may raise anything
            pass_on(error)
            if not self._has_failed:
                self._has_failed = True
                _log.exception("a telemetry callback raised an error; the call goes on; this is logged once")
        finally:
            self._running.is_true = False


requests: Hook[RequestInfo] = Hook()
responses: Hook[ResponseInfo] = Hook()
errors: Hook[ErrorInfo] = Hook()
cache: Hook[CacheInfo] = Hook()


class Telemetry:
    """Where callbacks are registered, for every client of the process with `telemetry_enabled`.

    A callback gets one frozen value, in the thread that makes the call. It does not hear of the calls that it makes
    itself. An error that it raises is logged once and does not reach the caller. No value holds a body or a secret.
    """

    @staticmethod
    def on_request(callback: OnRequestCallback) -> Callable[[], None]:
        """Calls back before each attempt; returns a function that unregisters the callback."""
        return requests.add(callback)

    @staticmethod
    def on_response(callback: OnResponseCallback) -> Callable[[], None]:
        """Calls back after each answer, whatever its status; returns a function that unregisters the callback."""
        return responses.add(callback)

    @staticmethod
    def on_error(callback: OnErrorCallback) -> Callable[[], None]:
        """Calls back once for a fetch that ends in an error; returns a function that unregisters the callback."""
        return errors.add(callback)

    @staticmethod
    def on_cache(callback: OnCacheCallback) -> Callable[[], None]:
        """Calls back if the cache does more than answer with a fresh version.

        A refresh calls back in a background thread.

        Args:
            callback: Takes a CacheInfo.

        Returns:
            A function that unregisters the callback.
        """
        return cache.add(callback)

    @staticmethod
    def clear_callbacks() -> None:
        """Unregisters every callback."""
        for hook in (requests, responses, errors, cache):
            hook.clear()


def _shown(headers: Mapping[str, Any]) -> Mapping[str, str]:
    """A read-only copy of the headers, without the secrets in them."""
    return MappingProxyType(
        {name: REDACTED if name.lower() in _SECRET_HEADERS else _as_text(value) for name, value in headers.items()}
    )


def _as_text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
