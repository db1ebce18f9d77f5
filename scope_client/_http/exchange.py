"""One JSON exchange with the platform: its attempts, the pauses between them, and telemetry of each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from .. import _telemetry as telemetry
from .._clock import Clock
from .._config.configuration import Configuration
from .._log import Log
from .._redaction import Redaction
from ..errors import ApiError, ConfigurationError, ConnectionError, ScopeError, TimeoutError
from .answer import Asked, is_passing
from .attempt import Answer, Wire
from .budget import Budget
from .failures import may_pass

if TYPE_CHECKING:
    from requests import PreparedRequest

_log = Log("scope_client.http")
_LONGEST_SLEEP = 1e6
_Made = TypeVar("_Made")


class _Request:
    __slots__ = ("asked", "budget", "prepared", "url")

    def __init__(self, url: str, prepared: PreparedRequest, asked: Asked, budget: Budget) -> None:
        self.url = url
        self.prepared = prepared
        self.asked = asked
        self.budget = budget


class _Failure:
    __slots__ = ("error", "is_passing", "retry_after")

    def __init__(self, error: ScopeError, is_passing: bool, retry_after: float | None = None) -> None:
        self.error = error
        self.is_passing = is_passing
        self.retry_after = retry_after


class Transport:
    """`timeout` bounds one attempt, a budget all of an exchange, which is at most 1 + max_retries attempts."""

    def __init__(self, config: Configuration, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._wire = Wire(config.session, open_timeout=config.open_timeout)

    @staticmethod
    def new_request_id() -> str:
        """A random UUID (RFC 9562, 5.4), by hand: the module for them takes longer to import than this to fetch."""
        digits = os.urandom(16).hex()
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def get(
        self, url: str, request_id: str, budget: Budget, *, token: str, make: Callable[[dict[str, Any]], _Made]
    ) -> _Made:
        """What `make` makes of the JSON object at this URL; raises what `_exchange` raises."""
        headers = {"X-Request-ID": request_id, "X-Scope-Environment": self._config.environment}
        prepared = self._wire.prepare(url, headers, token=token)
        made: _Made = self._exchange(_Request(url, prepared, Asked(request_id, Redaction([token]), make), budget))
        return made

    def post(
        self,
        url: str,
        request_id: str,
        budget: Budget,
        *,
        body: Mapping[str, str],
        make: Callable[[dict[str, Any]], _Made],
    ) -> _Made:
        """What `make` makes of the answer, a secret; an error shows of the values sent none but the IDs.

        Raises what `_exchange` raises.
        """
        headers = {"X-Request-ID": request_id, "Content-Type": "application/json"}
        prepared = self._wire.prepare(url, headers, body=json.dumps(body).encode())
        redaction = Redaction(value for name, value in body.items() if not name.endswith("_id"))
        asked = Asked(request_id, redaction, make, with_secrets=True)
        made: _Made = self._exchange(_Request(url, prepared, asked, budget))
        return made

    def _exchange(self, request: _Request) -> Any:
        """Raises the error of the last attempt: an ApiError for an answer, a ConnectionError for none.

        Where the budget ends before the attempts do, that is a TimeoutError.
        """
        retry = 0
        while True:
            outcome = self._attempt(request)
            if not isinstance(outcome, _Failure):
                return outcome
            pause = self._pause(outcome, retry, request.budget)
            if pause is None:
                raise outcome.error
            if not request.budget.affords(pause):
                raise request.budget.overdrawn(outcome.error)
            retry += 1
            _log.info("attempt %d failed, the next one is in %.2f seconds: %s", retry, pause, outcome.error)
            self._clock.sleep(min(pause, _LONGEST_SLEEP))

    def close(self) -> None:
        self._wire.close()

    def after_fork(self) -> None:
        self._wire.after_fork()

    def _attempt(self, request: _Request) -> Any | _Failure:
        """Raises TimeoutError where the budget is spent."""
        timeout, is_last = request.budget.for_attempt(self._config.timeout)
        try:
            answer = self._send(request, timeout)
        except (ConnectionError, ConfigurationError) as error:
            error.request_id = request.asked.request_id
            is_whole = is_last and timeout <= self._config.open_timeout  # a connect has no less time than the attempt
            if isinstance(error, TimeoutError) and (is_whole or not request.budget.affords(0)):
                raise request.budget.overdrawn(error) from error
            return _Failure(error, may_pass(error))
        outcome = request.asked.read(answer, self._clock.wall())
        if isinstance(outcome, ApiError):
            return _Failure(outcome, is_passing(answer), outcome.retry_after)
        return outcome

    def _send(self, request: _Request, timeout: float) -> Answer:
        prepared, request_id = request.prepared, request.asked.request_id
        is_watched = self._config.telemetry_enabled
        if is_watched and telemetry.requests:
            telemetry.requests.emit(
                telemetry.RequestInfo(request_id, str(prepared.method), request.url, prepared.headers)
            )
        started = self._clock.now()
        answer = self._wire.send(prepared, request.asked.redaction, timeout)
        elapsed_ms = (self._clock.now() - started) * 1000
        _log.debug("%s %s answered %d in %.1f ms", prepared.method, request.url, answer.status, elapsed_ms)
        if is_watched and telemetry.responses:
            headers = request.asked.redaction.headers(answer.headers)
            telemetry.responses.emit(telemetry.ResponseInfo(request_id, answer.status, headers, elapsed_ms))
        return answer

    def _pause(self, failure: _Failure, retry: int, budget: Budget) -> float | None:
        """Seconds until the next attempt, None where there is none: full jitter, unless the answer names a time."""
        config = self._config
        retries = config.max_retries if budget.retries is None else min(budget.retries, config.max_retries)
        if not failure.is_passing or retry >= retries:
            return None
        if failure.retry_after is not None:
            return failure.retry_after if failure.retry_after <= config.retry_max_delay else None
        longest = min(config.retry_max_delay, config.retry_base_delay * 2.0 ** min(retry, 64))
        return self._clock.chance() * longest
