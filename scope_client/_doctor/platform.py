"""Platform: what answers at the two URLs, its clock, a token, and a prompt."""

from __future__ import annotations

import re
import shlex
import uuid
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Optional

from .._background import Background
from .._clock import SYSTEM_CLOCK
from .._config.configuration import Configuration
from .._counters import Counters
from .._foreign_text import printable
from .._http.attempt import Line
from .._http.budget import Budget
from .._http.fetcher import Fetcher
from .._lock.lock_file import Lock, read_lock
from .._prompt.ref import PromptRef
from .._wording import nearest, shown
from ..errors import (
    AuthorizationError,
    ConfigurationError,
    InvalidCredentialsError,
    NoProductionVersionError,
    NotFoundError,
    ScopeError,
    TimeoutError,
)
from .check import Check, Said, at_once, failed, ok, skipped, timed, warning
from .setup import Setup

PROBED_PROMPT = "scope-doctor"
MAX_ANSWER_SECONDS = 15.0
MAX_SKEW_SECONDS = 30.0
ENVIRONMENTS = ("production", "staging", "development", "test")
_HTML = re.compile(rb"\s*<(?:!doctype html|html|head|body)", re.IGNORECASE)


class Answers:
    """What a client of this set-up is told; each thing is asked once, and retried never."""

    def __init__(self, setup: Setup, config: Configuration) -> None:
        self._setup = setup
        self._config = config.merge(
            lock=None, max_retries=0, telemetry_enabled=False, timeout=min(config.timeout, MAX_ANSWER_SECONDS)
        )
        self._lock = _lock_of(config)
        self._date: Optional[str] = None
        self._asked_at = self._answered_at = 0.0

    def api(self) -> Said:
        """What answers a question without a token: it has to be JSON that says no."""
        config = self._config
        line = Line(config.session, open_timeout=config.open_timeout)
        url = f"{config.api_url}{PromptRef(PROBED_PROMPT).path}"
        headers = {"X-Request-ID": str(uuid.uuid4()), "X-Scope-Environment": config.environment}
        self._asked_at = SYSTEM_CLOCK.wall()
        try:
            answer = line.send(line.question(url, headers, ()), config.timeout)
        except ScopeError as error:
            return self._unanswered(error)
        finally:
            line.close()
        self._answered_at = SYSTEM_CLOCK.wall()
        self._date = answer.headers.get("Date")
        return self._understood(answer)

    def _unanswered(self, error: ScopeError) -> Said:
        if isinstance(error, TimeoutError):
            return failed(error.message, "try again later, raise the option timeout, or ask who runs the platform")
        return failed(error.message, f"see the checks above; is {self._setup.spelled('base_url')} right?")

    def _understood(self, answer: Any) -> Said:
        where = self._setup.spelled("base_url")
        status, said = answer.status, f"HTTP {answer.status}"
        is_html = _HTML.match(answer.body) or "html" in str(answer.headers.get("Content-Type", "")).lower()
        if 300 <= status < 400:
            return failed(
                f"{said}, a redirect, which is not followed",
                f"set {where} to the address that it leads to, which `curl -I` shows, if that is the API",
            )
        if status == 407:
            return failed(f"{said}: the proxy wants a name and a password", "write them into HTTPS_PROXY or HTTP_PROXY")
        if is_html:
            return failed(
                f"{said} with a web page in place of the API, such as a login page of a proxy",
                f"set {where} to the address of the API; or sign in to the network, or add the host to NO_PROXY",
            )
        if status >= 500 or status == 429:
            return failed(
                f"{said}: the platform is there, and fails", "try again later; see the platform's status page"
            )
        if status not in (401, 403):
            return warning(f"{said}, where 401 is expected without a token", f"check the path in {where}")
        return ok(f"{said}, as is expected without a token")

    def clock(self) -> Said:
        """How far this machine's clock is from the platform's."""
        if self._date is None:
            return skipped("no answer had a Date")
        try:
            theirs = parsedate_to_datetime(self._date).timestamp()
        except (TypeError, ValueError, IndexError, OverflowError):
            return warning(
                f"the Date of the answer cannot be read: {printable(self._date)}", "ask who runs the platform"
            )
        ours = (self._asked_at + self._answered_at) / 2
        skew = ours - theirs
        said = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the platform's"
        if abs(skew) > MAX_SKEW_SECONDS:
            return failed(
                f"{said}: a token may count as dead, or as not yet valid", "set this machine's clock, as by NTP"
            )
        return ok("as the platform's, to the second" if abs(skew) < 2 else said)

    def token(self, fetcher: Fetcher) -> Said:
        """Whether the credentials buy a token."""
        try:
            life = fetcher.buy_token(self._budget())
        except ScopeError as error:
            return failed(error.message, self._remedy_of_token(error))
        return ok(f"lives for {life:.0f} s")

    def _remedy_of_token(self, error: ScopeError) -> str:
        if isinstance(error, InvalidCredentialsError):
            own = ("SCOPE_ORG_ID, the ID and the secret", "of the organisation, the ID and the secret in the settings")
            return (
                f"copy {own[0 if self._setup.is_from_environment else 1]} again from the platform, each into its place"
            )
        where = self._setup.spelled("auth_api_url")
        if error.http_status is None:
            return f"see the checks above; is {where} right?"
        return f"set {where} to the address that hands out tokens; or try again later"

    def prompt(self, fetcher: Fetcher, name: Optional[str]) -> Said:
        """Whether a prompt can be read, as a program would; any refusal of one that need not exist will do."""
        ref, is_locked = PromptRef(name or PROBED_PROMPT), False
        if name is not None and self._lock is not None:
            locked = self._lock.find(name)
            if locked is None:
                return failed(
                    f"the lock {shown(self._lock.path)} has no prompt {shown(name)}: a read of it fails",
                    f"add it by scope pull {shlex.quote(name)}, or correct the name",
                )
            ref, is_locked = PromptRef(locked.name, None, locked.version_id), True
        try:
            version = fetcher.fetch(ref, self._budget())
        except (NotFoundError, NoProductionVersionError) as error:
            if name is None:
                return ok(f"the platform answers: it has no prompt {PROBED_PROMPT!r}, which is all that was asked")
            remedy = "check its name and the organisation, or publish it"
            if isinstance(error, NoProductionVersionError):
                remedy = "publish a version of it"
            return failed(error.message, remedy)
        except AuthorizationError as error:
            return failed(error.message, "give the key the right to read prompts, on the platform")
        except ScopeError as error:
            return failed(error.message, "see the checks above, or try again later")
        return ok(f"version {version.version_number or '?'}, {version.type}{', locked' if is_locked else ''}")

    def _budget(self) -> Budget:
        return Budget(SYSTEM_CLOCK.now, self._config.timeout * 2, retries=0)

    def fetcher(self) -> Fetcher:
        assert self._config.credentials is not None
        counters = Counters(SYSTEM_CLOCK, is_telling=False)
        return Fetcher(self._config, self._config.credentials, SYSTEM_CLOCK, Background(), counters)


def _lock_of(config: Configuration) -> Optional[Lock]:
    """One that cannot be read has a check of its own."""
    try:
        return None if config.lock is None else read_lock(config.lock)
    except ConfigurationError:
        return None


def platform_checks(setup: Setup, name: Optional[str], *, is_reachable: bool) -> Iterator[Check]:
    """From the first answer to a prompt; `is_reachable` if the checks before have found a way."""
    config = setup.config
    asked = f"prompt {printable(name)}" if name else "prompt"
    if config is None or not is_reachable:
        why = "the options cannot be used" if config is None else "the platform cannot be reached"
        yield from (at_once(each, skipped(why)) for each in ("api", "clock", "token", asked))
        return
    answers = Answers(setup, config)
    api = timed("api", answers.api)
    yield api
    yield at_once("clock", answers.clock())
    if config.credentials is None:
        yield from (at_once(each, skipped("there are no credentials")) for each in ("token", asked))
        return
    fetcher = answers.fetcher()
    try:
        token = timed("token", lambda: answers.token(fetcher))
        yield token
        if token.outcome == "failed" or api.outcome == "failed":
            yield at_once(
                asked, skipped("there is no token" if token.outcome == "failed" else "the API does not answer")
            )
        else:
            yield timed(asked, lambda: answers.prompt(fetcher, name))
    finally:
        fetcher.close()


def environment_check(config: Configuration) -> Said:
    """The header that says which of the platform's environments is meant; the platform takes any text."""
    near = nearest(config.environment.lower(), ENVIRONMENTS, cutoff=0.7)
    if near is not None and config.environment != near:
        return warning(
            f"X-Scope-Environment: {shown(config.environment)}, which is almost {near!r}",
            f"set SCOPE_ENVIRONMENT to {near}, unless the platform has this one",
        )
    return ok(f"X-Scope-Environment: {printable(config.environment)}")
