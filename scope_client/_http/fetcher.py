"""Fetcher: one version from the platform, with the token it takes; a token that is refused is replaced once."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable

from .. import _telemetry as telemetry
from .._background import Background
from .._clock import Clock
from .._config.configuration import Configuration
from .._config.credentials import Credentials
from .._fork import held_back
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from ..errors import ApiError, AuthenticationError, ScopeError, TokenRefreshError
from .budget import Budget
from .tokens import Token, Tokens

if TYPE_CHECKING:
    from .exchange import Transport


class Fetcher:
    """`tell_error` hears of every fetch that ends in an error, whether a reader gets to see it or not."""

    def __init__(
        self,
        config: Configuration,
        credentials: Credentials,
        clock: Clock,
        background: Background,
        tell_error: Callable[[ScopeError], None],
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._clock = clock
        self._tell_error = tell_error
        self._tokens = Tokens(self._buy_token, buffer=config.token_refresh_buffer, clock=clock, background=background)
        self._lock = threading.RLock()
        self._transport: Transport | None = None

    @property
    def token_expires_in(self) -> float | None:
        return self._tokens.expires_in

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._tokens.after_fork()
        if self._transport is not None:
            self._transport.after_fork()

    def close(self) -> None:
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def fetch(self, ref: PromptRef, budget: Budget) -> PromptVersion:
        """Raises what the platform's answer means, or ConnectionError where there is none."""
        transport = self._open()
        request_id = transport.new_request_id()
        started = self._clock.now()
        try:
            return self._ask(transport, ref, request_id, budget)
        except ScopeError as failure:
            error = ref.explain(failure) if isinstance(failure, ApiError) else failure
            error.request_id = error.request_id or request_id
            self._tell_error(error)
            if self._config.telemetry_enabled and telemetry.errors:
                elapsed_ms = (self._clock.now() - started) * 1000
                telemetry.errors.emit(telemetry.ErrorInfo(request_id, error, elapsed_ms))
            if error is failure:
                raise
            raise error from failure

    def _ask(self, transport: Transport, ref: PromptRef, request_id: str, budget: Budget) -> PromptVersion:
        """One exchange, repeated once with a new token where the platform does not take the present one."""
        url = f"{self._config.base_url}/api/{self._config.api_version}{ref.path}"
        make = functools.partial(PromptVersion.from_api, ref=ref)
        token = self._tokens.get(request_id, budget)
        try:
            return transport.get(url, request_id, budget, token=token, make=make)
        except AuthenticationError:
            self._tokens.discard(token)
            return transport.get(url, request_id, budget, token=self._tokens.get(request_id, budget), make=make)

    def _buy_token(self, request_id: str, budget: Budget, make: Callable[[Mapping[str, Any]], Token]) -> Token:
        kind = type(self._credentials).__name__
        try:
            path, body = self._credentials.token_path, dict(self._credentials.token_body())
        except Exception as error:  # credentials may be the user's own
            raise TokenRefreshError(f"{kind} gave no token request: {type(error).__name__}") from error
        if not all(isinstance(text, str) for text in (path, *body, *body.values())):
            raise TokenRefreshError(f"{kind} must give token_path as text and token_body() as texts by name")
        if not path.startswith("/"):
            raise TokenRefreshError(f"{kind} must give a token_path that starts with a slash")
        return self._open().post(f"{self._config.auth_api_url}{path}", request_id, budget, body=body, make=make)

    def _open(self) -> Transport:
        """The transport, made with the first fetch: it brings `requests` in, which takes longer than all the rest."""
        if self._transport is None:
            with held_back():
                from .exchange import Transport
            with self._lock:
                if self._transport is None:
                    self._transport = Transport(self._config, self._clock)
                return self._transport
        return self._transport
