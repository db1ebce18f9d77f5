"""Exchange: a question to the platform with its retries: the attempts, the pauses between them, telemetry of each."""

from __future__ import annotations

import itertools
import json
import logging
import re
import socket  # noqa: F401  # before ssl, whose C code would import it, and turn an interrupt into an ImportError
import ssl  # noqa: F401  # before requests: if this fails, http.client and urllib3 go on without TLS for good
import uuid
from collections.abc import Iterator, Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime

from .. import _telemetry as telemetry
from .. import _watching as watching
from .._attribute_names import METHOD, REQUEST_DURATION, REQUEST_ID, REQUEST_URL, RESEND_COUNT, RETRY_DELAY, STATUS
from .._clock import Clock
from .._config.configuration import Configuration
from .._error_facts import error_facts
from .._fork import renew_in_children
from .._frames import hide_frames, hides_what_it_was_given
from .._interrupts import pass_on
from .._log import Log
from ..errors import ConfigurationError, ConnectionError, ScopeError, TimeoutError
from .answer import Failure, Reply, understood
from .attempt import Answer, Line, Question
from .budget import OVERRUN_SECONDS, Budget
from .failures import may_pass

_log = Log("scope_client.http")
_logger = logging.getLogger("scope_client.http")
MAX_PAUSE_SECONDS = 1e6  # time.sleep takes no number
MAX_PAUSE_DOUBLINGS = 64
LONGEST_DATE_CHARACTERS = 100
LONGEST_WAIT_SECONDS = 1e9  # JSON has no word for more than a float can hold


class Exchange:
    """`timeout` bounds one attempt, a budget all of them; there are at most 1 + max_retries."""

    def __init__(self, config: Configuration, clock: Clock) -> None:
        self.new_request_id = uuid.uuid4
        self._config = config
        self._clock = clock
        self._line = Line(config.session, open_timeout=config.open_timeout)
        renew_in_children(self._line)

    def get(self, url: str, request_id: str, budget: Budget, *, token: str, resends: Iterator[int]) -> Reply:
        """The JSON object at this URL. `resends` gives the number of each attempt; the first is 0.

        Raises:
            ApiError: What the last answer means.
            ConnectionError: There was no answer.
            TimeoutError: The budget ended before the attempts did.
        """
        headers = {"X-Request-ID": request_id, "X-Scope-Environment": self._config.environment}
        try:
            return self._exchange(self._line.question(url, headers, [token], token=token), budget, resends)
        except BaseException as error:
            del token
            hide_frames(error)
            raise error  # as in `hides_what_it_was_given`, which each fetch would go through

    @hides_what_it_was_given
    def post(self, url: str, request_id: str, budget: Budget, *, body: Mapping[str, str]) -> Reply:
        """The JSON object that answers this one; both hold secrets, of which an error shows only the IDs.

        Raises:
            ScopeError: What `get` raises.
        """
        headers = {"X-Request-ID": request_id, "Content-Type": "application/json"}
        secrets = [value for name, value in body.items() if not name.endswith("_id")]
        # The encoded body stays out of the local variables of this frame, which an error may show.
        question = self._line.question(url, headers, secrets, body=json.dumps(body).encode())
        return self._exchange(question, budget, itertools.count())

    def close(self) -> None:
        self._line.close()

    def _exchange(self, question: Question, budget: Budget, resends: Iterator[int]) -> Reply:
        retry, retries = 0, self._config.max_retries
        if budget.retries is not None:
            retries = min(budget.retries, retries)
        while True:
            resend_count = next(resends)
            outcome = self._attempt(question, budget, resend_count)
            if isinstance(outcome, Reply):
                return outcome
            if outcome.error.http_status is None:
                budget.heard_nothing()
            pause = self._pause(outcome.error, retry) if outcome.may_pass and retry < retries else None
            if pause is None:
                raise outcome.error
            # Not slept up to the deadline: the caller learns at once that there is no time for another attempt.
            if not budget.affords(pause):
                raise budget.overdrawn(outcome.error)
            retry += 1
            _log.info(
                "attempt %d failed, the next one is in %.2f seconds: %s",
                retry,
                pause,
                outcome.error,
                facts={**_sent(question, resend_count + 1), RETRY_DELAY: pause, **error_facts(outcome.error)},
            )
            self._clock.sleep(min(pause, MAX_PAUSE_SECONDS))

    def _attempt(self, question: Question, budget: Budget, resend_count: int) -> Reply | Failure:
        """Raises TimeoutError if the budget is spent, before the attempt or in it."""
        timeout, at_most = budget.for_attempt(self._config.timeout)
        late_at = self._clock.now() + timeout + OVERRUN_SECONDS
        if self._config.telemetry_enabled and telemetry.requests.callbacks:
            _tell_of_request(question)
        started = self._clock.now()
        try:
            if watching.watcher is None:
                answer = self._line.send(question, timeout, at_most)
            else:
                method, url = str(question.prepared.method), str(question.prepared.url)
                with watching.attempt(method, url, resend_count, self._line.session) as watched:
                    watched.came = answer = self._line.send(question, timeout, at_most)
        except (ConnectionError, ConfigurationError) as error:
            pass_on(error)
            error.request_id = question.request_id
            if isinstance(error, TimeoutError):
                error.is_overrun = self._clock.now() > late_at
            # A time-out that the deadline cut short says nothing about the platform, and no retry can follow.
            # A connect has no less time than the attempt then.
            is_whole = timeout == at_most and timeout <= self._config.open_timeout
            if isinstance(error, TimeoutError) and (is_whole or not budget.affords(0)):
                raise budget.overdrawn(error) from error
            return Failure(error, may_pass(error))
        elapsed = self._clock.now() - started
        if _logger.isEnabledFor(logging.DEBUG):
            _log_answer(question, answer, resend_count, elapsed)
        if self._config.telemetry_enabled and telemetry.responses.callbacks:
            _tell_of_answer(question, answer, elapsed)
        wait = answer.headers.get("Retry-After", "").strip()
        return understood(question, answer, _seconds(wait, answer.headers, self._clock.wall()) if wait else None)

    def _pause(self, error: ScopeError, retry: int) -> float | None:
        """Seconds until the next attempt: full jitter, unless the answer names a time; None if that is too long."""
        config = self._config
        asked_to_wait = getattr(error, "retry_after", None)
        if asked_to_wait is not None:
            return asked_to_wait if asked_to_wait <= config.retry_max_delay else None
        longest = min(config.retry_max_delay, config.retry_base_delay * 2.0 ** min(retry, MAX_PAUSE_DOUBLINGS))
        return self._clock.chance() * longest


def _tell_of_request(question: Question) -> None:
    method, url = str(question.prepared.method), str(question.prepared.url)
    telemetry.requests.emit(telemetry.RequestInfo(question.request_id, method, url, question.prepared.headers))


def _tell_of_answer(question: Question, answer: Answer, elapsed: float) -> None:
    headers = question.redaction.headers(answer.headers)
    telemetry.responses.emit(telemetry.ResponseInfo(question.request_id, answer.status, headers, elapsed * 1000))


def _log_answer(question: Question, answer: Answer, resend_count: int, elapsed: float) -> None:
    facts = {**_sent(question, resend_count), STATUS: answer.status, REQUEST_DURATION: elapsed}
    method, url = question.prepared.method, question.prepared.url
    _log.debug("%s %s answered %d in %.1f ms", method, url, answer.status, elapsed * 1000, facts=facts)


def _sent(question: Question, resend_count: int) -> dict[str, object]:
    """What a log record says of a request."""
    prepared = question.prepared
    return {
        METHOD: prepared.method,
        REQUEST_URL: prepared.url,
        RESEND_COUNT: resend_count,
        REQUEST_ID: question.request_id,
    }


def _seconds(text: str, headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds to wait by the text of a Retry-After header (RFC 9110, 10.2.3), None if it cannot be read.

    A date is held against the platform's own Date, so that a clock that is wrong here does not matter.
    """
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return min(float(text), LONGEST_WAIT_SECONDS)
    until = _timestamp(text)
    if until is None:
        return None
    now = _timestamp(headers.get("Date", ""))
    return max(0.0, until - (wall if now is None else now))


def _timestamp(text: str) -> float | None:
    if len(text) > LONGEST_DATE_CHARACTERS:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
