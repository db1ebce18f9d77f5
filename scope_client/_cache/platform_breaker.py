"""PlatformBreaker: whether the platform is known to be down, when it is asked again, and for which prompt."""

from __future__ import annotations

import threading
from typing import NamedTuple

from .._circuit_breaker import NEVER, CircuitBreaker, Pauses
from .._clock import Clock
from .._error_facts import error_facts
from .._fork import renew_in_children
from .._frozen import Frozen
from .._log import Log
from .._prompt.ref import CacheKey
from ..errors import (
    ApiError,
    ConnectionError,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    ScopeError,
    ServerError,
    TimeoutError,
    TokenRefreshError,
)

_log = Log("scope_client.outage")
PLATFORM_PAUSES = Pauses(first=0.5, longest=15.0)
PROMPT_PAUSES = Pauses(first=1.0, longest=30.0)
FIRST_ATTEMPT_SECONDS = 5.0
MAX_ATTEMPT_DOUBLINGS = 10
DOUBT_SECONDS = FIRST_ATTEMPT_SECONDS + 1.0
OUTAGE_REMEMBERED_SECONDS = 60.0
MAX_FAILING_PROMPTS = 1000


def is_outage(error: ScopeError) -> bool:
    """Whether the platform could not be asked, or its answer says nothing about the prompt.

    That is no connection, no token, 408, 429, 5xx, a redirect, or a 200 that cannot be read. It is as well if the
    platform does not give the version that a lock names.
    """
    if error._breaks_lock:
        return True
    if isinstance(error, (ConnectionError, ServerError, RateLimitError, TokenRefreshError)):
        return True
    if not isinstance(error, ApiError):
        return False
    return error.http_status is None or error.http_status < 400 or error.http_status == 408


def is_gone(error: BaseException) -> bool:
    """Whether the platform has no such version, so that nobody is to go on with one."""
    return isinstance(error, (NotFoundError, NoProductionVersionError))


class Turn(Frozen):
    """Leave to ask the platform for `key`, given after so many failures."""

    __slots__ = ("key", "failures")
    key: CacheKey
    failures: int

    def __init__(self, key: CacheKey, failures: int) -> None:
        self._freeze(key=key, failures=failures)


class Outlook(NamedTuple):
    """Facts of the table of reads, which `Facts` explains."""

    failed_at: float
    is_likely_down: bool
    is_failing: bool


class _FailingPrompt(CircuitBreaker):
    """`is_outage` if the platform failed for it; otherwise the platform answered, and refused to renew it.

    It asked for no other question before `waits_until`.
    """

    __slots__ = ("is_outage", "waits_until")
    is_outage: bool
    waits_until: float


class PlatformBreaker:
    """One circuit breaker for the platform, and one for each prompt that fails.

    What fails for one prompt alone is asked half as often as the platform as a whole. It gives its turn to another
    prompt that was refused one, so that it holds up no other. A Retry-After counts up to `longest_retry_after`, and
    for a prompt that is known up to thirty seconds if that is more. While no prompt is `failing`, and `doubtful_until`
    is NEVER, there is nothing for an answer to end.
    """

    def __init__(self, clock: Clock, *, longest_retry_after: float) -> None:
        self._clock = clock
        self._longest_retry_after = longest_retry_after
        self._breaker = CircuitBreaker(clock, PLATFORM_PAUSES)
        # Read without the lock: a prompt is put in or taken out whole, never changed half.
        self.failing: dict[CacheKey, _FailingPrompt] = {}
        self.doubtful_until = NEVER
        self._passed_over: CacheKey | None = None
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    @property
    def is_known(self) -> bool:
        """Whether the last word of the platform was a failure, not older than a minute without a new attempt."""
        return self._clock.now() < self._breaker.ask_at + OUTAGE_REMEMBERED_SECONDS

    @property
    def is_likely(self) -> bool:
        """Whether a reader who has something else to serve had better not wait."""
        return self._clock.now() < self.doubtful_until or self.is_known

    @property
    def attempt_seconds(self) -> float:
        """What an attempt in the background may take: longer each time, so that one that hangs delays few others."""
        return FIRST_ATTEMPT_SECONDS * 2.0 ** min(self._breaker.failures, MAX_ATTEMPT_DOUBLINGS)

    def is_failing(self, key: CacheKey) -> bool:
        """Whether the platform failed for this prompt when it was last asked."""
        prompt = self.failing.get(key)
        if prompt is None or not prompt.is_outage:
            return False
        return self._clock.now() < prompt.ask_at + OUTAGE_REMEMBERED_SECONDS

    def outlook(self, key: CacheKey) -> Outlook:
        """What speaks against a wait for the platform, for a reader of this prompt."""
        failed_at, prompt = self._breaker.failed_at, self.failing.get(key)
        if prompt is None:
            return Outlook(failed_at, self.is_likely, is_failing=False)
        is_asked_to_wait = self._clock.now() < prompt.waits_until
        return Outlook(
            max(failed_at, prompt.failed_at), self.is_likely or is_asked_to_wait, is_failing=self.is_failing(key)
        )

    def claim(self, key: CacheKey) -> Turn | None:
        """Leave to ask the platform now, for this prompt or one that goes first; None if it is not to be asked."""
        prompt = self.failing.get(key)
        # Its own pause first, so that a prompt which fails alone cannot take the turn of the whole platform.
        if prompt is not None and self._clock.now() < prompt.ask_at:
            return None
        failures = self._breaker.failures
        if not failures:
            return Turn(key, 0)
        with self._lock:
            if not self._breaker.claim():
                if prompt is None:
                    self._passed_over = key
                return None
            first = self._passed_over
            if first is not None and (prompt is not None or first == key):
                key, self._passed_over = first, None
        return Turn(key, failures)

    def holds(self, turn: Turn) -> bool:
        """Whether no failure has come in since."""
        return self._breaker.failures <= turn.failures

    def failed(self, key: CacheKey, error: ScopeError, *, is_known: bool) -> bool:
        """Whether the platform failed for this prompt; `is_known` if there is a version of it to go on with."""
        evidence = _evidence(error)
        if not is_outage(evidence):
            return False
        if error._breaks_lock:
            self._answered(key, is_outage=True)
            return True
        asked_to_wait = getattr(evidence, "retry_after", None) or 0.0
        longest = max(self._longest_retry_after, PROMPT_PAUSES.longest if is_known else 0.0)
        with self._lock:
            # Before either breaker hears of it. A prompt that fails on and on while the others work is not new.
            is_new = not (self._breaker.failures or self.is_failing(key))
            # The prompt first: an interrupt in between must not leave a platform that fails, and no prompt.
            self._prompt_failed(key, min(asked_to_wait, longest), is_outage=True)
            self._breaker.failed(min(asked_to_wait, self._longest_retry_after))
        if is_new:
            _log.warning(
                "the platform is down, prompts that are known go on being served: %s",
                evidence,
                facts=error_facts(evidence),
            )
        return True

    def doubt(self) -> None:
        """The platform did not answer a caller in haste, which proves nothing."""
        self.doubtful_until = self._clock.now() + DOUBT_SECONDS

    def ended(self, key: CacheKey, *, is_refused: bool = False) -> None:
        """The platform answered; `is_refused` if it refuses a renewal, which is not to be tried at once again."""
        self._answered(key, is_outage=False if is_refused else None)

    def _answered(self, key: CacheKey, *, is_outage: bool | None) -> None:
        """What the platform said is of no use for this prompt, as if it was down for it or not; None if it is."""
        self.doubtful_until = NEVER
        with self._lock:
            was_down = self._breaker.worked()
            if is_outage is None:
                self.failing.pop(key, None)
            else:
                self._prompt_failed(key, 0.0, is_outage=is_outage)
        if was_down:
            _log.info("the platform answers again")

    def put_off(self, key: CacheKey) -> None:
        """The renewal of this prompt failed by itself, which says nothing about the platform."""
        with self._lock:
            self._prompt_failed(key, 0.0, is_outage=False)

    def _prompt_failed(self, key: CacheKey, asked_to_wait: float, *, is_outage: bool) -> None:
        prompt = self.failing.get(key) or _FailingPrompt(self._clock, PROMPT_PAUSES)
        prompt.is_outage = is_outage
        prompt.waits_until = self._clock.now() + asked_to_wait
        prompt.failed(asked_to_wait)
        # All others go rather than one: what is lost is a pause or two, and no order has to be kept.
        if len(self.failing) >= MAX_FAILING_PROMPTS and key not in self.failing:
            self.failing = {key: prompt}
        self.failing[key] = prompt


def _evidence(error: ScopeError) -> ScopeError:
    """What the last attempt ended in, if the whole call ran out of time."""
    last = error.__cause__ if isinstance(error, TimeoutError) and error.is_deadline else None
    return last if isinstance(last, ScopeError) else error
