"""Fetcher: one version from the platform, with the token it takes; a token that is refused is replaced once."""

from __future__ import annotations

import itertools
import os
import sys
import threading
from typing import TYPE_CHECKING

from .. import _telemetry as telemetry
from .. import _watching as watching
from .._background import Background
from .._clock import Clock
from .._config.configuration import Configuration
from .._config.credentials import Credentials
from .._counters import Counters
from .._foreign_text import printable
from .._fork import held_back, renew_in_children
from .._interrupts import pass_on
from .._prompt.locked_reads import LockedReads
from .._prompt.prompt_version import PromptVersion, version_in
from .._prompt.ref import PromptRef
from .._running_loop import warn_on_a_loop
from ..errors import ApiError, AuthenticationError, ConnectionError, NotFoundError, ScopeError
from .budget import Budget
from .not_found import explained
from .tokens import Tokens

if TYPE_CHECKING:
    from .retries import Exchange

DESCRIPTORS_OF_AN_IMPORT = 8


class Fetcher:
    """What a client asks the platform through. Nothing is opened before the first fetch."""

    def __init__(
        self,
        config: Configuration,
        credentials: Credentials,
        clock: Clock,
        background: Background,
        counters: Counters,
        locked_reads: LockedReads | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._counters = counters
        self._locked_reads = locked_reads
        self._tokens = Tokens(config, credentials, clock, background)
        self._exchange: Exchange | None = None
        self.after_fork()
        renew_in_children(self)

    @property
    def token_expires_in(self) -> float | None:
        """Seconds until the token dies, None if there is none alive."""
        return self._tokens.expires_in

    @property
    def is_refused(self) -> bool:
        """Whether the platform refuses the credentials, and no token is alive."""
        return self._tokens.are_credentials_refused

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def close(self) -> None:
        with self._lock:
            exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.close()

    def buy_token(self, budget: Budget) -> float:
        """Seconds for which the token lives that a fetch would be made with.

        Raises:
            ScopeError: Why there is none.
        """
        exchange = self._exchange or self._open()
        self._tokens.get(exchange, str(exchange.new_request_id()), budget)
        return self._tokens.expires_in or 0.0

    def fetch(self, ref: PromptRef, budget: Budget) -> PromptVersion:
        """Asks the platform for the version; for the one that the lock names, if it has this ref.

        Raises:
            ScopeError: What the platform's answer means, or ConnectionError if there is none.
        """
        if self._tokens.refused is not None:
            self._tokens.check()  # before anything is counted: without a token nothing is fetched
        if "asyncio" in sys.modules:  # a program that has not imported it runs no loop
            warn_on_a_loop()
        if watching.watcher is None:
            return self._fetched(ref, budget)
        with watching.fetch(ref) as watched:
            watched.came = version = self._fetched(ref, budget)
        return version

    def _fetched(self, ref: PromptRef, budget: Budget) -> PromptVersion:
        exchange = self._exchange or self._open()
        request_id = str(exchange.new_request_id())
        started = self._clock.now()
        locked = self._locked_reads
        asked = ref if locked is None else locked.asked_for(ref)
        try:
            version = self._ask(exchange, asked, request_id, budget)
            if isinstance(version, ApiError):
                raise version
            if locked is not None and not locked.is_met_by(ref, version):
                raise locked.differs(ref, version)
        except ScopeError as failure:
            pass_on(failure)
            error = explained(failure, asked) if isinstance(failure, NotFoundError) else failure
            if locked is not None:
                error = locked.explained(ref, error)
            error.request_id = error.request_id or request_id
            self._counters.failed(error)
            if self._config.telemetry_enabled and telemetry.errors.callbacks:
                elapsed_ms = (self._clock.now() - started) * 1000
                telemetry.errors.emit(telemetry.ErrorInfo(request_id, error, elapsed_ms))
            if error is failure:
                raise
            raise error from failure
        self._counters.count("fetches")
        return version

    def _ask(self, exchange: Exchange, ref: PromptRef, request_id: str, budget: Budget) -> PromptVersion | ApiError:
        """One exchange, repeated once with a new token if the platform does not take the present one.

        The error of an answer that is not a version is returned, to be raised where nobody holds the answer.
        """
        url = f"{self._config.base_url}/api/{self._config.api_version}{ref.path}"
        token = self._tokens.get(exchange, request_id, budget)
        resends = itertools.count()
        try:
            reply = exchange.get(url, request_id, budget, token=token, resends=resends)
            is_new = False
        except AuthenticationError:
            # Exactly this one: a late 401 must not throw away the token that another thread has bought since.
            if not self._tokens.discards(token):
                raise
            token = self._tokens.get(exchange, request_id, budget)
            try:
                reply = exchange.get(url, request_id, budget, token=token, resends=resends)
            except AuthenticationError:
                self._tokens.was_replaced_in_vain()
                raise
            is_new = True
        if is_new or self._tokens.replaced_in_vain:
            self._tokens.was_accepted(is_new=is_new)
        try:
            return version_in(reply.body, ref, extra_values=self._config.extra_values)
        except ApiError as flaw:
            pass_on(flaw)
            return reply.unfit(flaw)

    def _open(self) -> Exchange:
        """The exchange, made with the first fetch: it brings `requests` in, which takes longer than all the rest.

        Raises ConnectionError if that fails, as it does in a process that has no file descriptors left.
        """
        try:
            with held_back():
                _need_descriptors()
                from .retries import Exchange
        except Exception as error:
            pass_on(error)
            why = printable(f"{type(error).__name__}: {error}")
            failure = ConnectionError(f"the platform could not be asked: what sends requests cannot be loaded ({why})")
            self._counters.failed(failure)
            raise failure from error
        # Not under our own lock: an import takes locks of its own, and may wait for one of them.
        with self._lock:
            if self._exchange is None:
                self._exchange = Exchange(self._config, self._clock)
            return self._exchange


def _need_descriptors() -> None:
    """Raises OSError if few file descriptors are left, before an import that would need them one by one.

    Parts of the standard library go on without what they could not import, for the life of the process.
    """
    opened: list[int] = []
    try:
        for _ in range(DESCRIPTORS_OF_AN_IMPORT):
            opened.append(os.open(os.devnull, os.O_RDONLY))  # noqa: PERF401  # those before one that fails are closed
    finally:
        for each in opened:
            os.close(each)
