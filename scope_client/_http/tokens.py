"""The bearer token: fresh, stale (one thread renews it, all go on using it), or dead (all wait for one outcome)."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Mapping
from typing import Any, Callable

from .._background import Background
from .._clock import Clock
from .._flight import Flights
from .._log import Log
from .._redaction import Secret
from ..errors import ApiError, ConnectionError, InvalidCredentialsError, ScopeError, TimeoutError, TokenRefreshError
from .budget import Budget

_log = Log("scope_client.tokens")
_LIFE_UNSAID = 300.0
_LONGEST_LIFE = 86_400.0
_RENEWAL_PAUSE = 5.0


class Token:
    __slots__ = ("dies_at", "renew_at", "text")

    def __init__(self, text: str, renew_at: float, dies_at: float) -> None:
        self.text = text
        self.renew_at = renew_at
        self.dies_at = dies_at


Buy = Callable[[str, Budget, Callable[[Mapping[str, Any]], Token]], Token]


class Tokens:
    """Tokens live here, in memory, and nowhere else.

    `buy(request_id, budget, make)` is one exchange with the token endpoint, whose JSON object `make` turns into a
    Token.
    """

    def __init__(self, buy: Buy, *, buffer: float, clock: Clock, background: Background) -> None:
        self._buy = buy
        self._buffer = buffer
        self._clock = clock
        self._background = background
        self._lock = threading.RLock()
        self._token: Token | None = None
        self._flights: Flights[str] = Flights()

    def after_fork(self) -> None:
        """Keeps the token."""
        self._lock = threading.RLock()
        self._flights.after_fork()

    @property
    def expires_in(self) -> float | None:
        """Seconds until the token dies, None where there is none alive."""
        token = self._token
        left = 0.0 if token is None else token.dies_at - self._clock.now()
        return left if left > 0 else None

    def get(self, request_id: str, budget: Budget) -> str:
        """A token to send; waits for the platform only where none is alive.

        Raises InvalidCredentialsError or TokenRefreshError, the same to all who waited; TimeoutError where the
        budget ends first.
        """
        token = self._token
        now = self._clock.now()
        if token is None or now >= token.dies_at:
            is_thorough = budget.retries is None
            return self._flights.run(
                "token", lambda: self._first(request_id, budget), budget.left, shares_error=is_thorough
            )
        if now >= token.renew_at:
            self._background.submit("token", lambda: self._renew_early(request_id))
        return token.text

    def discard(self, text: str) -> None:
        """Forget this token after a 401, unless another thread has replaced it already."""
        with self._lock:
            if self._token is not None and self._token.text == text:
                self._token = None

    def _first(self, request_id: str, budget: Budget) -> str:
        token = self._token
        if token is None or self._clock.now() >= token.dies_at:
            token = self._renew(request_id, budget)
        return token.text

    def _renew(self, request_id: str, budget: Budget) -> Token:
        asked_at = self._clock.now()
        try:
            token = self._buy(request_id, budget, functools.partial(_read, asked_at=asked_at, buffer=self._buffer))
        except TokenRefreshError:
            raise
        except (ApiError, ConnectionError) as error:
            if isinstance(error, TimeoutError) and error.is_deadline:
                raise
            raise _explained(error) from error
        with self._lock:
            self._token = token
        return token

    def _renew_early(self, request_id: str) -> None:
        token = self._token
        if token is not None and self._clock.now() < token.renew_at:
            return
        try:
            self._renew(request_id, Budget(self._clock.now))
        except ScopeError as error:
            self._try_later(error)

    def _try_later(self, error: Exception) -> None:
        """The next early renewal is in a few seconds, or halfway to the token's end where that is sooner."""
        _log.warning("the token could not be renewed ahead of its end, the present one stays in use: %s", error)
        with self._lock:
            now = self._clock.now()
            if self._token is not None:
                pause = min(_RENEWAL_PAUSE, max(self._token.dies_at - now, 0.0) / 2)
                self._token.renew_at = now + pause


def _read(body: Mapping[str, Any], asked_at: float, buffer: float) -> Token:
    text = body.get("access_token")
    if not isinstance(text, str) or not text or not all("!" <= char <= "~" for char in text):
        raise TokenRefreshError("the token endpoint answered without a usable access_token")
    life = _life(body.get("expires_in"))
    dies_at = asked_at + life
    return Token(Secret(text), dies_at - min(buffer, life / 5), dies_at)


def _life(expires_in: object) -> float:
    """Seconds; 300 where the answer says nothing that can be read (the API's rule), a day at the most."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, (int, float, str)):
        return _LIFE_UNSAID
    try:
        life = float(expires_in)
    except ValueError:
        return _LIFE_UNSAID
    except OverflowError:
        return _LONGEST_LIFE
    return _LIFE_UNSAID if math.isnan(life) else min(max(life, 0.0), _LONGEST_LIFE)


def _explained(error: ApiError | ConnectionError) -> ScopeError:
    """The error that a caller sees."""
    facts: dict[str, Any] = {
        "http_status": error.http_status,
        "http_body": error.http_body,
        "error_code": error.error_code,
        "request_id": error.request_id,
    }
    if error.http_status in (401, 403):
        return InvalidCredentialsError(
            f"the platform refused these credentials, check the organisation, the key and its secret: {error}",
            **facts,
        )
    if isinstance(error, ApiError):
        facts["retry_after"] = error.retry_after
    return TokenRefreshError(f"no token could be had: {error}", **facts)
