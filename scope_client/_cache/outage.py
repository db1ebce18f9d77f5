"""Outage: whether the platform is known to be down, and when it is asked again."""

from __future__ import annotations

import math
import threading

from .._clock import Clock
from .._frozen import Frozen
from .._log import Log
from .._prompt.ref import CacheKey
from ..errors import ApiError, ConnectionError, RateLimitError, ScopeError, ServerError, TimeoutError, TokenRefreshError

_log = Log("scope_client.outage")
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_FIRST_ATTEMPT = 5.0
_REMEMBERED = 60.0
_MOST_TROUBLES = 1000


def is_outage(error: ScopeError) -> bool:
    """Whether the platform could not be asked, or its answer says nothing about the prompt.

    That is no connection, no token, 408, 429, 5xx, a redirect, or a 200 that cannot be read.
    """
    if isinstance(error, (ConnectionError, ServerError, RateLimitError, TokenRefreshError)):
        return True
    if not isinstance(error, ApiError):
        return False
    return error.http_status is None or error.http_status < 400 or error.http_status == 408


class _Trouble(Frozen):
    """So many failures in a row, the last of them `at`; the next attempt is not before `ask_at`."""

    __slots__ = ("failures", "at", "ask_at", "is_outage")
    failures: int
    at: float
    ask_at: float
    is_outage: bool

    def __init__(self, failures: int, at: float, ask_at: float, *, is_outage: bool) -> None:
        self._freeze(failures=failures, at=at, ask_at=ask_at, is_outage=is_outage)


_NO_TROUBLE = _Trouble(0, -math.inf, -math.inf, is_outage=False)


class Turn(Frozen):
    """Leave to ask the platform for `key`, given after so many failures."""

    __slots__ = ("key", "failures")
    key: CacheKey
    failures: int

    def __init__(self, key: CacheKey, failures: int) -> None:
        self._freeze(key=key, failures=failures)


class Outage:
    """Pauses grow from half a second to fifteen, with jitter; a Retry-After of up to `longest_retry_after` counts.

    What fails for one key alone is asked half as often as the platform as a whole, and gives its turn to another that
    was refused one, so that it holds up no other.
    """

    def __init__(self, clock: Clock, *, longest_retry_after: float) -> None:
        self._clock = clock
        self._longest_retry_after = longest_retry_after
        self._platform = _NO_TROUBLE
        self._troubles: dict[CacheKey, _Trouble] = {}
        self._doubtful_until = -math.inf
        self._passed_over: CacheKey | None = None
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    @property
    def is_known(self) -> bool:
        """Whether the last word of the platform was a failure, and not a minute has gone by without a new attempt."""
        return self._goes_on(self._platform)

    @property
    def is_likely(self) -> bool:
        """Whether a reader who has something else to serve had better not wait."""
        return self._clock.now() < self._doubtful_until or self.is_known

    @property
    def attempt_seconds(self) -> float:
        """What an attempt in the background may take: longer each time, so that one that hangs delays few others."""
        return _FIRST_ATTEMPT * 2.0 ** min(self._platform.failures, 10)

    def is_troubled(self, key: CacheKey) -> bool:
        """Whether the platform failed for this key when it was last asked."""
        return self._goes_on(self._troubles.get(key, _NO_TROUBLE))

    def claim(self, key: CacheKey) -> Turn | None:
        """Leave to ask the platform now, for this key or one that goes first; None where it is not to be asked."""
        now = self._clock.now()
        if now < self._troubles.get(key, _NO_TROUBLE).ask_at:
            return None
        failures = self._platform.failures
        if not failures:
            return Turn(key, 0)
        with self._lock:
            is_troubled = key in self._troubles
            if now < self._platform.ask_at:
                if not is_troubled:
                    self._passed_over = key
                return None
            self._platform = _Trouble(failures, self._platform.at, now + self._pause(failures), is_outage=True)
            first = self._passed_over
            if first is not None and (is_troubled or first == key):
                key, self._passed_over = first, None
        return Turn(key, failures)

    def holds(self, turn: Turn) -> bool:
        """Whether no failure has come in since."""
        return self._platform.failures <= turn.failures

    def began(self, key: CacheKey, error: ScopeError) -> None:
        """The platform failed for this key."""
        asked_to_wait = min(_retry_after(error), self._longest_retry_after)
        with self._lock:
            is_new = not (self._platform.failures or self.is_troubled(key))
            self._platform = self._after(self._platform, 1.0, asked_to_wait, is_outage=True)
            self._trouble(key, asked_to_wait, is_outage=True)
        if is_new:
            _log.warning("the platform is down, prompts that are known go on being served: %s", _evidence(error))

    def doubt(self) -> None:
        """The platform did not answer a caller in haste, which proves nothing."""
        self._doubtful_until = self._clock.now() + _FIRST_ATTEMPT + 1.0

    def ended(self, key: CacheKey, *, is_refused: bool = False) -> None:
        """The platform answered; `is_refused` where it refuses a renewal, which is not to be tried at once again."""
        self._doubtful_until = -math.inf
        if not (self._platform.failures or self._troubles or is_refused):
            return
        with self._lock:
            was_down, self._platform = self._platform.failures > 0, _NO_TROUBLE
            if is_refused:
                self._trouble(key, 0.0, is_outage=False)
            else:
                self._troubles.pop(key, None)
        if was_down:
            _log.info("the platform answers again")

    def _goes_on(self, trouble: _Trouble) -> bool:
        return trouble.is_outage and self._clock.now() < trouble.ask_at + _REMEMBERED

    def _trouble(self, key: CacheKey, asked_to_wait: float, *, is_outage: bool) -> None:
        if len(self._troubles) >= _MOST_TROUBLES and key not in self._troubles:
            self._troubles.clear()
        before = self._troubles.get(key, _NO_TROUBLE)
        self._troubles[key] = self._after(before, 2.0, asked_to_wait, is_outage=is_outage)

    def _after(self, trouble: _Trouble, factor: float, asked_to_wait: float, *, is_outage: bool) -> _Trouble:
        """One failure more; many at the same time count as one."""
        now = self._clock.now()
        is_another = now >= trouble.at + _longest(trouble.failures) / 2
        failures = max(1, trouble.failures + is_another)
        ask_at = now + max(factor * self._pause(failures), asked_to_wait)
        return _Trouble(failures, now, max(ask_at, trouble.ask_at), is_outage=is_outage)

    def _pause(self, failures: int) -> float:
        return _longest(failures) * (1 + self._clock.chance()) / 2


def _longest(failures: int) -> float:
    """The pause after so many failures, before it is jittered down to half of it at the most."""
    return min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE)


def _evidence(error: ScopeError) -> BaseException:
    """What the last attempt ended in, where a call ran out of time."""
    is_deadline = isinstance(error, TimeoutError) and error.is_deadline
    return (error.__cause__ if is_deadline else None) or error


def _retry_after(error: ScopeError) -> float:
    return getattr(_evidence(error), "retry_after", None) or 0.0
