"""The bearer token: fresh, stale (one thread renews it, all go on using it), or dead (all wait for one outcome)."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

from .. import _watching as watching
from .._attribute_names import TOKEN_EXPIRES_IN
from .._background import Background
from .._circuit_breaker import NEVER, Pauses
from .._clock import Clock
from .._config.configuration import Configuration
from .._config.credentials import Credentials
from .._error_facts import error_facts
from .._flight import Flights
from .._fork import renew_in_children
from .._frames import hides_what_it_was_given
from .._interrupts import pass_on
from .._log import Log
from .._redaction import Secret
from .._remembered import Remembered
from ..errors import ApiError, ConnectionError, InvalidCredentialsError, ScopeError, TimeoutError, TokenRefreshError
from .budget import Budget, is_overrun

if TYPE_CHECKING:
    from .answer import Reply
    from .retries import Exchange

_log = Log("scope_client.tokens")
UNSAID_LIFE_SECONDS = 300.0  # the API's rule
MAX_LIFE_SECONDS = 86_400.0
LONGEST_TOKEN_CHARACTERS = 65_536  # no server takes a header of half of that
_PASSING = (408, 429)  # statuses that may be others soon, as those from 500 on
RENEWAL_PAUSE_SECONDS = 5.0
CREDENTIALS_PAUSES = Pauses(first=1.0, longest=60.0)
ODD_ANSWER_SECONDS = 1.0  # as for the refusal of a prompt
MAX_BUFFER_SHARE = 0.2  # of a token's life: one that lives for a minute is not renewed from its first second on


class Token:
    """`renew_at` and `dies_at` are seconds of the client's clock."""

    __slots__ = ("dies_at", "renew_at", "text")

    def __init__(self, text: str, renew_at: float, dies_at: float) -> None:
        self.text = text
        self.renew_at = renew_at
        self.dies_at = dies_at


class Tokens:
    """Tokens live here, in memory, and nowhere else. The exchange to buy one through comes with each call."""

    def __init__(self, config: Configuration, credentials: Credentials, clock: Clock, background: Background) -> None:
        self._auth_api_url = config.auth_api_url
        self._buffer = config.token_refresh_buffer
        self._credentials = credentials
        self._clock = clock
        self._background = background
        self._token: Token | None = None
        self._longest_retry_after = config.retry_max_delay
        self.refused: Remembered | None = None
        """Why the last try to buy a token failed, if it is not to be made again at once."""
        self._refusals = 0
        self.replaced_in_vain = 0
        """How many new tokens in a row the platform did not take either."""
        self._replaces_from = NEVER
        self._flights: Flights[str] = Flights()
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        """Keeps the token."""
        self._lock = threading.RLock()

    @property
    def expires_in(self) -> float | None:
        """Seconds until the token dies, None if there is none alive."""
        token = self._token
        left = 0.0 if token is None else token.dies_at - self._clock.now()
        return left if left > 0 else None

    @property
    def are_credentials_refused(self) -> bool:
        """Whether they were when they were last tried, so that reads fail; or the platform takes no token of theirs."""
        refused = self.refused
        is_refused = refused is not None and isinstance(refused.error, InvalidCredentialsError)
        return (is_refused and self.expires_in is None) or self.replaced_in_vain > 0

    def get(self, exchange: Exchange, request_id: str, budget: Budget) -> str:
        """A token to send; waits for the platform only if none is alive.

        Credentials that were refused are tried again after a pause, which is longer each time. So is an endpoint that
        asks to wait.

        Raises:
            InvalidCredentialsError: The platform refused the credentials; the same error for all who waited.
            TokenRefreshError: No token could be had; the same error for all who waited.
            TimeoutError: The budget ended first.
        """
        # Without the lock: a token that another thread replaces meanwhile is still good for this one request.
        token = self._token
        now = self._clock.now()
        if token is None or now >= token.dies_at:
            # A renewal in the background makes one attempt; those who wait with it would have made four.
            is_thorough = budget.retries is None
            return self._flights.run(
                "token", lambda: self._first(exchange, request_id, budget), budget.left, shares_error=is_thorough
            )
        if now >= token.renew_at and not self._is_refused:
            renewal = watching.behind(lambda: self._renew_early(exchange, request_id))
            self._background.submit("token", renewal)
        return token.text

    def check(self) -> None:
        """Raises the error of the last try if no token is alive, and none is asked for now: the pause is not over."""
        if self.expires_in is None:
            self._check_refusal()

    @property
    def _is_refused(self) -> bool:
        return self.refused is not None and self._clock.now() < self.refused.until

    def _check_refusal(self) -> None:
        refused, now = self.refused, self._clock.now()
        if refused is not None and now < refused.until:
            error = refused.again(now)
            what = "tries them" if isinstance(error, InvalidCredentialsError) else "asks"
            error.message += f"; this client {what} again in {math.ceil(refused.until - now)} s"
            error.args = (error.message,)
            raise error

    def discards(self, text: str) -> bool:
        """After a 401: forgets this token, unless another thread has replaced it already.

        False if it is kept, because the platform did not take the one that came after it a short while ago either:
        otherwise each read would buy one.
        """
        with self._lock:
            if self._token is None or self._token.text != text:
                return True
            if self._clock.now() < self._replaces_from:
                return False
            self._token = None
            return True

    def was_replaced_in_vain(self) -> None:
        """The platform refused a new token, too."""
        with self._lock:
            now = self._clock.now()
            if now >= self._replaces_from:  # else another thread has met it at the same time
                self.replaced_in_vain += 1
                self._replaces_from = now + CREDENTIALS_PAUSES.after(self.replaced_in_vain)

    def was_accepted(self, *, is_new: bool) -> None:
        """The platform took a token; `is_new` if it had refused the one before it."""
        self.replaced_in_vain = 0
        if is_new:
            self._replaces_from = NEVER

    def _first(self, exchange: Exchange, request_id: str, budget: Budget) -> str:
        # Once more, now that this thread leads: the one before it may have bought a token since.
        token = self._token
        if token is None or self._clock.now() >= token.dies_at:
            token = self._renew(exchange, request_id, budget)
        return token.text

    def _renew(self, exchange: Exchange, request_id: str, budget: Budget) -> Token:
        self._check_refusal()
        with watching.token():
            return self._bought(exchange, request_id, budget)

    def _bought(self, exchange: Exchange, request_id: str, budget: Budget) -> Token:
        path, body = self._request()
        asked_at = self._clock.now()
        try:
            reply = exchange.post(f"{self._auth_api_url}{path}", request_id, budget, body=body)
            token = _read(reply, asked_at, self._buffer)
            del reply  # it holds what came in place of a token
            if isinstance(token, ApiError):
                raise token
        except TokenRefreshError as error:
            self._was_refused(error)
            raise
        except (ApiError, ConnectionError) as error:
            pass_on(error)
            # The caller's time is over: that is not the token endpoint's failure.
            if isinstance(error, TimeoutError) and error.is_deadline:
                raise
            explained = _explained(error)
            self._was_refused(explained)
            raise explained from error
        with self._lock:
            self._token = token
            self.refused, self._refusals = None, 0
        return token

    def _was_refused(self, error: ScopeError) -> None:
        with self._lock:
            if self._is_refused:  # by another thread at the same time
                return
            if isinstance(error, InvalidCredentialsError):
                self._refusals += 1
                seconds = CREDENTIALS_PAUSES.after(self._refusals)
            elif error.http_status is None or error.http_status in _PASSING or error.http_status >= 500:
                # A 429 may ask to wait; what the others ask for is the business of the attempts, and of the outage.
                asked_to_wait = getattr(error, "retry_after", None) if error.http_status == 429 else None
                seconds = min(asked_to_wait or 0.0, self._longest_retry_after)
            else:
                seconds = ODD_ANSWER_SECONDS
            if seconds > 0:
                self.refused = Remembered(error, self._clock.now(), seconds)

    def _renew_early(self, exchange: Exchange, request_id: str) -> None:
        token = self._token
        if token is not None and self._clock.now() < token.renew_at:
            return
        try:
            self._renew(exchange, request_id, Budget(self._clock.now))
        except Exception as error:
            self._try_later(error)
            if not isinstance(error, ScopeError):  # a bug in a hook, say, whose frames the background logs
                raise

    def _try_later(self, error: Exception) -> None:
        """The next early renewal is in a few seconds, or halfway to the token's end if that is sooner."""
        if is_overrun(error):
            return
        _log.warning(
            "the token could not be renewed ahead of its end, the present one stays in use: %s",
            error,
            facts={**error_facts(error), TOKEN_EXPIRES_IN: self.expires_in},
        )
        with self._lock:
            now = self._clock.now()
            if self._token is not None:
                pause = min(RENEWAL_PAUSE_SECONDS, max(self._token.dies_at - now, 0.0) / 2)
                self._token.renew_at = now + pause

    @hides_what_it_was_given
    def _request(self) -> tuple[str, dict[str, str]]:
        """Where to post, and what; the credentials may be of the user's own making."""
        kind = type(self._credentials).__name__
        try:
            path, body = self._credentials.token_path, dict(self._credentials.token_body())
        except Exception as error:
            pass_on(error)
            raise TokenRefreshError(f"{kind} gave no token request: {type(error).__name__}") from error
        flaw = _flaw(path, body)
        if flaw is not None:
            raise TokenRefreshError(f"{kind} must give {flaw}")
        # Credentials of the user's own give plain text, which an error would show as a local variable of its frames.
        return path, {name: text if name.endswith("_id") else Secret(text) for name, text in body.items()}


def _flaw(path: Any, body: dict[Any, Any]) -> str | None:
    if not all(isinstance(text, str) for text in (path, *body, *body.values())):
        return "token_path as text, and token_body() as text by name"
    return None if path.startswith("/") else "a token_path that starts with a slash"


def _fits_in_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


@hides_what_it_was_given
def _read(reply: Reply, asked_at: float, buffer: float) -> Token | ApiError:
    """The error is returned, to be raised where no local variable holds what came in place of a token."""
    text = reply.body.get("access_token")
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TOKEN_CHARACTERS or not _fits_in_a_header(text):
        return reply.unfit(TokenRefreshError("the token endpoint answered without a usable access_token"))
    life = _life(reply.body.get("expires_in"))
    # From when it was asked for: the answer may have been on its way for long.
    dies_at = asked_at + life
    return Token(Secret(text), dies_at - min(buffer, life * MAX_BUFFER_SHARE), dies_at)


def _life(expires_in: object) -> float:
    """Seconds; the API's rule if the answer says nothing that can be read, and a day at the most."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, (int, float, str)):
        return UNSAID_LIFE_SECONDS
    try:
        life = float(expires_in)
    except ValueError:
        return UNSAID_LIFE_SECONDS
    return UNSAID_LIFE_SECONDS if math.isnan(life) else min(max(life, 0.0), MAX_LIFE_SECONDS)


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
    return TokenRefreshError(f"could not get a token: {error}", **facts)
