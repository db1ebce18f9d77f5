"""Refusals: what the platform would not give a short while ago, by ref."""

from __future__ import annotations

from collections.abc import Hashable

from .._clock import Clock
from .._remembered import Remembered
from ..errors import InvalidCredentialsError, ScopeError, TokenRefreshError

REFUSAL_SECONDS = 1.0
MAX_REFUSALS = 128
_REFUSED_STATUSES = (401, 403, 404, 410)


class Refusals:
    """A refusal is told again for a second; a 429, for as long as it asks to wait, up to `longest_retry_after`.

    Refused credentials are not in it: for them there is a longer pause, which holds for all prompts. While nothing is
    `remembered`, there is nothing to check or to forget.
    """

    def __init__(self, clock: Clock, *, longest_retry_after: float) -> None:
        self._clock = clock
        self._longest_retry_after = longest_retry_after
        # Without a lock: each step is one operation on a dict, and what is lost is a second's memory.
        self.remembered: dict[Hashable, Remembered] = {}

    def check(self, key: Hashable, max_age: float | None) -> None:
        """Raises what is remembered; not a refusal that is older than `max_age`, the caller's own `cache_ttl`."""
        found = self.remembered.get(key)
        now = self._clock.now()
        if found is None or now >= found.until:
            return
        error = found.again(now)
        if _is_young_enough(error, now - found.at, max_age):
            raise error

    def holds(self, error: ScopeError, age: float, max_age: float | None) -> bool:
        """Whether an error that came `age` seconds ago is told again, by the same rule."""
        return age < self.seconds(error) and _is_young_enough(error, age, max_age)

    def remember(self, key: Hashable, error: ScopeError) -> None:
        seconds = self.seconds(error)
        if seconds > 0:
            for oldest in list(self.remembered)[: 1 - MAX_REFUSALS]:
                self.forget(oldest)
            self.remembered[key] = Remembered(error, self._clock.now(), seconds)

    def forget(self, key: Hashable) -> None:
        self.remembered.pop(key, None)

    def seconds(self, error: ScopeError) -> float:
        """For how long it is told again from the moment at which it came."""
        if error.http_status == 429:
            return min(getattr(error, "retry_after", None) or 0.0, self._longest_retry_after)
        is_about_the_token = isinstance(error, (InvalidCredentialsError, TokenRefreshError))
        is_refusal = error.http_status in _REFUSED_STATUSES or error._breaks_lock
        return REFUSAL_SECONDS if is_refusal and not is_about_the_token else 0.0


def _is_young_enough(error: ScopeError, age: float, max_age: float | None) -> bool:
    return error.http_status == 429 or max_age is None or age < max_age
