"""Line: one attempt over a requests.Session, bounded in time and size; foreign exceptions end here."""

from __future__ import annotations

import http.client
import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict

from .._clock import SYSTEM_CLOCK
from .._interrupts import pass_on
from .._redaction import Redaction, Secret, secrets_in_url, shown_header
from .._version import __version__
from . import connections, failures, limits, sessions

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_FRAMING_BYTES = 1024 * 1024  # of headers and chunk sizes, beside the body
READ_BYTES = 64 * 1024
MAX_TIMEOUT_SECONDS = 1e6  # a socket takes no number
MAX_LENGTH_DIGITS = 18


class Question:
    """One request, as it will be sent with each attempt.

    `secrets` has lists of what no error may show. The answer to one that `is_for_a_secret` is in no error either.
    """

    # Not a tuple, and neither is an Answer: Sentry shows each element of one, whatever its repr is.
    __slots__ = ("is_for_a_secret", "prepared", "request_id", "secrets")

    def __init__(
        self,
        prepared: requests.PreparedRequest,
        request_id: str,
        secrets: Iterable[Sequence[str]],
        *,
        is_for_a_secret: bool,
    ) -> None:
        self.prepared = prepared
        self.request_id = request_id
        self.is_for_a_secret = is_for_a_secret
        self.secrets = secrets

    @property
    def redaction(self) -> Redaction:
        """What cleans the texts that an error shows."""
        return Redaction(chain.from_iterable(self.secrets))


class Answer:
    """What came back; `flaw` says why the body cannot be read, or is None. `protocol` is the version of HTTP."""

    __slots__ = ("body", "flaw", "headers", "is_cut_short", "protocol", "status")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        flaw: str | None,
        is_cut_short: bool,
        protocol: str | None = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.flaw = flaw
        self.is_cut_short = is_cut_short
        self.protocol = protocol


class Line:
    """A `session` with its proxy and CA settings, read once a host. A session of the caller's is never closed."""

    def __init__(self, session: requests.Session | None, *, open_timeout: float) -> None:
        self._is_ours = session is None
        self.session = sessions.own() if session is None else session
        self._open_timeout = min(open_timeout, MAX_TIMEOUT_SECONDS)
        self._settings: dict[str, Mapping[str, Any]] = {}
        self._secrets: list[Secret] = []  # of the proxies
        self._no_cookies = RequestsCookieJar()
        if not self._is_ours:
            sessions.warn_of_what_is_left_out(self.session)

    def question(
        self,
        url: str,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        *,
        token: str | None = None,
        body: bytes | None = None,
    ) -> Question:
        """A GET, or a POST of the body, whose answer then holds a secret.

        requests does not touch the URL; urllib3 writes escapes in a base_url in its own way, and ours as they are.
        """
        prepared = requests.PreparedRequest()
        prepared.method = "GET" if body is None else "POST"
        prepared.url = url
        theirs: Any = {name: value for name, value in self.session.headers.items() if value is not None}
        prepared.headers = CaseInsensitiveDict({**theirs, **_HEADERS, **headers})
        prepared._cookies = self._no_cookies  # type: ignore[attr-defined]  # a cache of answers looks into it
        if body is not None:
            prepared.body = body
            prepared.headers["Content-Length"] = str(len(body))
        if token is not None:
            prepared.headers["Authorization"] = f"Bearer {token!s}"
        return Question(prepared, headers["X-Request-ID"], (secrets, self._secrets), is_for_a_secret=body is not None)

    def send(self, question: Question, timeout: float, at_most: float = math.inf) -> Answer:
        """The answer to one attempt, of which `timeout` bounds all, in seconds from the connect to the last byte.

        Looking up a host's name takes nothing of them. `at_most` bounds the attempt with that.

        Raises:
            TimeoutError: The answer was not there in time.
            ConnectionError: There was none.
            ConfigurationError: The request cannot be sent at all.
        """
        prepared, settings = question.prepared, self._settings_for(question)
        bounds = limits.Limits(min(timeout, MAX_TIMEOUT_SECONDS), MAX_BODY_BYTES + MAX_FRAMING_BYTES, at_most)
        connect = min(self._open_timeout, bounds.seconds)
        theirs: Any = (connect, bounds.seconds)
        try:
            limits.of_this_thread.limits = bounds
            if isinstance(self.session.get_adapter(str(prepared.url)), HTTPAdapter):
                theirs = connections.AttemptTimeout(bounds, connect=connect, total=bounds.seconds)
            response = sessions.answer_to(prepared, self.session, settings, theirs)
            try:
                return _read(response, bounds.ends_at)
            finally:
                if response.raw is not None:  # as it is in one that was made by hand, whose `close` fails then
                    response.close()
        except BaseException as error:
            if not failures.is_of_the_network(error, question.redaction):
                raise error  # not a bare raise: on Python 3.10 that brings back the frames it came with
            raise failures.translated(
                error,
                _origin(prepared),
                max(bounds.seconds, 0.0),
                question.redaction,
                open_timeout=self._open_timeout,
                was_connecting=bounds.connect_by is not None,
            ) from error
        finally:
            limits.of_this_thread.limits = None

    def close(self) -> None:
        """Closes the connections. A later attempt, such as one that waits just now, opens new ones."""
        if self._is_ours:
            self._settings.clear()
            self.session.close()

    def after_fork(self) -> None:
        """Leaves the parent's connections to the parent, and the locks that its threads may have held.

        In a session of the caller's too: requests and urllib3 have no fork handling of their own.
        """
        connections.abandon_connections()
        self._no_cookies = RequestsCookieJar()  # it has a lock
        if hasattr(self.session.cookies, "_cookies_lock"):
            self.session.cookies._cookies_lock = threading.RLock()
        connections.empty_pools(self.session)

    def _settings_for(self, question: Question) -> Mapping[str, Any]:
        prepared = question.prepared
        origin = _origin(prepared)
        try:
            settings = self._settings.get(origin)
            if settings is None:
                settings = self._read_settings(origin)
                if self._bound(prepared, settings):
                    self._settings[origin] = settings
            elif not self._is_ours:  # its adapters and pools may be others by now
                self._bound(prepared, settings)
        except BaseException as error:
            if not failures.is_of_the_network(error, question.redaction, TypeError):
                raise error  # as in `send`
            raise failures.unusable(error, origin, question.redaction) from error
        return settings

    def _read_settings(self, origin: str) -> Mapping[str, Any]:
        settings = sessions.settings(self.session, origin)
        urls = filter(None, settings["proxies"].values())
        found = [secret for url in urls for secret in secrets_in_url(url)]
        self._secrets += [secret for secret in found if secret not in self._secrets]
        return settings

    def _bound(self, prepared: requests.PreparedRequest, settings: Mapping[str, Any]) -> bool:
        """Bounds the pool that the request will go through; False for an adapter without pools, such as a tool's."""
        adapter: Any = self.session.get_adapter(str(prepared.url))
        if not isinstance(adapter, HTTPAdapter):
            return False
        connections.bound(adapter.get_connection_with_tls_context(prepared, **settings))
        return True


_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"scope-prompts/{__version__} python-requests/{requests.__version__}",
}


_PROTOCOLS = {10: "1.0", 11: "1.1", 20: "2"}  # by the number that http.client and urllib3 have for it


def _origin(prepared: requests.PreparedRequest) -> str:
    """Scheme, host and port."""
    return "/".join(str(prepared.url).split("/", 3)[:3])


def _read(response: requests.Response, ends_at: float) -> Answer:
    def answer(body: bytes, flaw: str | None = None, *, is_cut_short: bool = False) -> Answer:
        return Answer(response.status_code, headers, body, flaw, is_cut_short, protocol)

    headers = _unfolded(response.headers)
    protocol = _PROTOCOLS.get(getattr(response.raw, "version", 0))
    encoding = headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        return answer(b"", f"a body encoded as {shown_header(encoding)}, which was not asked for")
    if _has_broken_headers(response):
        return answer(b"", "headers that broke off", is_cut_short=True)
    promised = _promised_length(response.headers)
    if promised is not None and promised > MAX_BODY_BYTES:
        return answer(b"", f"a body of {promised} bytes, over the limit of {MAX_BODY_BYTES}")
    too_large = f"a body over the limit of {MAX_BODY_BYTES} bytes"
    body = bytearray()
    try:
        for chunk in _chunks(response, ends_at):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return answer(b"", too_large)
    except (requests.exceptions.ChunkedEncodingError, http.client.HTTPException, limits.TooLargeError) as error:
        if failures.is_any(failures.layers(error), limits.TooLargeError):
            return answer(b"", too_large)
        pass_on(error)
        if not failures.is_cut_short(error):
            raise
        came = failures.count_of_bytes(error, len(body))
        return answer(b"", f"a body that broke off after {came} bytes", is_cut_short=True)
    if promised is not None and len(body) < promised:
        return answer(b"", f"a body that broke off after {len(body)} of {promised} bytes", is_cut_short=True)
    is_end_unsaid = promised is None and "Transfer-Encoding" not in response.headers
    return answer(bytes(body), is_cut_short=not body and is_end_unsaid)


def _unfolded(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """A value over several lines becomes one line (RFC 9112, 5.2); urllib3 1.26 leaves it as it came."""
    if not any(isinstance(value, str) and "\n" in value for value in headers.values()):
        return headers
    return CaseInsensitiveDict({name: _in_one_line(value) for name, value in headers.items()})


def _in_one_line(value: Any) -> Any:
    return " ".join(map(str.strip, value.splitlines())) if isinstance(value, str) else value


def _has_broken_headers(response: requests.Response) -> bool:
    original = getattr(response.raw, "_original_response", response.raw)
    is_broken: bool | None = getattr(original, "has_broken_headers", None)
    return bool(getattr(getattr(original, "msg", None), "defects", ())) if is_broken is None else is_broken


def _promised_length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("Content-Length", "")
    if not length.isdecimal() or "Transfer-Encoding" in headers:
        return None
    return int(length) if len(length) <= MAX_LENGTH_DIGITS else 10**MAX_LENGTH_DIGITS


def _chunks(response: requests.Response, ends_at: float) -> Iterator[bytes]:
    time_left = None
    is_made_by_hand = response.raw is None  # and then `iter_content` fails
    for chunk in [response.content or b""] if is_made_by_hand else response.iter_content(READ_BYTES):
        yield chunk
        if SYSTEM_CLOCK.now() >= ends_at:
            time_left = time_left or limits.TimeLeft(ends_at)
            time_left.seconds()
