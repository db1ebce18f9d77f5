"""HTTP spans: those that an instrumentation of requests or urllib3 makes of our attempts, and ours if there is none.

By https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import urlsplit

from opentelemetry import context
from opentelemetry.trace import SpanKind, Status, StatusCode

from .._attribute_names import ERROR_TYPE, METHOD, PORT, PROTOCOL, REQUEST_URL, RESEND_COUNT, SERVER, STATUS
from .._error_facts import error_type
from .attached_context import Attached
from .spans import fail

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

    from .._watching import Attempt

LEAST_STATUS_OF_AN_ERROR = 400  # for a client
_METHOD_NAMES = (METHOD, "http.method")  # the second is that of the older convention
_URL_NAMES = (REQUEST_URL, "http.url")
_PORTS_BY_SCHEME = {"http": 80, "https": 443}
_ATTEMPT = context.create_key("scope-attempt")
_HTTP_SUPPRESSED = getattr(context, "_SUPPRESS_HTTP_INSTRUMENTATION_KEY", "suppress_http_instrumentation")


def server_of(url: str) -> dict[str, AttributeValue]:
    """The host and the port of a URL."""
    parts = urlsplit(url)
    port = parts.port or _PORTS_BY_SCHEME.get(parts.scheme)
    return {SERVER: parts.hostname or "", **({PORT: port} if port else {})}


def outcome_of(came: Any, error: Optional[BaseException]) -> dict[str, AttributeValue]:
    """What an attempt ended with: a status, and an `error.type` if it failed."""
    found: dict[str, AttributeValue] = {}
    if came is not None:
        found[STATUS] = came.status
        if came.status >= LEAST_STATUS_OF_AN_ERROR:
            found[ERROR_TYPE] = str(came.status)
    if error is not None:
        found[ERROR_TYPE] = error_type(error)
    return found


class HttpSpan:
    """Sees whether somebody makes a span of the attempt, and makes one after it if nobody has."""

    def __init__(self, tracer: Tracer, attempt: Attempt) -> None:
        self._tracer = tracer
        self._attempt = attempt
        self._began = 0
        self._seen = 0
        self._is_wanted = False
        self._attached = Attached()

    def begin(self) -> None:
        self._is_wanted = not context.get_value(_HTTP_SUPPRESSED)
        self._began = time.time_ns()
        self._attached.begin(context.set_value(_ATTEMPT, self))

    def end(self, came: Any, error: Optional[BaseException]) -> None:
        has_begun = self._attached.end()
        if has_begun and self._is_wanted and not self._seen and not _is_left_to_others(self._attempt):
            self._make(came, error)

    def numbers(self, span: Span) -> None:
        """Gives the span of somebody else's its number, if it is of this attempt."""
        attributes: Any = getattr(span, "attributes", None) or {}
        if not self._is_of_this(attributes):
            return
        # urllib3's instrumentation makes one more for a new connection in the place of one that was dead.
        number = self._attempt.resend_count + self._seen
        self._seen += 1
        if number:
            span.set_attribute(RESEND_COUNT, number)

    def _is_of_this(self, attributes: Mapping[str, Any]) -> bool:
        """Whether it is a request of this method to this path: a hook of the user's may send others meanwhile."""
        methods = [attributes[name] for name in _METHOD_NAMES if name in attributes]
        urls = [attributes[name] for name in _URL_NAMES if name in attributes]
        path = urlsplit(self._attempt.url).path
        return methods == [self._attempt.method] * len(methods) != [] and all(
            urlsplit(url).path == path for url in urls
        )

    def _make(self, came: Any, error: Optional[BaseException]) -> None:
        method, url, resend_count, _ = self._attempt
        attributes: dict[str, AttributeValue] = {
            METHOD: method,
            REQUEST_URL: url,
            **server_of(url),
            **outcome_of(came, error),
        }
        if resend_count:
            attributes[RESEND_COUNT] = resend_count
        if came is not None and came.protocol is not None:
            attributes[PROTOCOL] = came.protocol
        span = self._tracer.start_span(
            method, kind=SpanKind.CLIENT, attributes=attributes, start_time=self._began, record_exception=False
        )
        if error is not None:
            fail(span, error)
        elif ERROR_TYPE in attributes:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def number_attempt(span: Span, parent: Optional[context.Context]) -> None:
    """To be called with each span that starts: if it is the HTTP span of an attempt, it gets its number."""
    attempt = context.get_value(_ATTEMPT, parent)
    if isinstance(attempt, HttpSpan) and getattr(span, "kind", None) is SpanKind.CLIENT:
        attempt.numbers(span)


def _is_left_to_others(attempt: Attempt) -> bool:
    """Whether an instrumentation has seen the request, and made no span of ours of it.

    It was told to leave the URL out, or its spans go to another provider.
    """
    session: Any = attempt.session
    # A class of the user's calls the `send` of its base, unless it answers by itself, as from a cache.
    if any(getattr(send, "opentelemetry_instrumentation_requests_applied", False) for send in _sends(session)):
        return True
    theirs: Any = sys.modules.get("opentelemetry.instrumentation.urllib3")
    requests: Any = sys.modules.get("requests")
    if theirs is None or requests is None or not theirs.URLLib3Instrumentor().is_instrumented_by_opentelemetry:
        return False
    try:
        return isinstance(session.get_adapter(attempt.url), requests.adapters.HTTPAdapter)
    except requests.exceptions.InvalidSchema:  # there is none, so nothing was sent
        return False


def _sends(session: object) -> Iterator[object]:
    """The `send` of a session, and those of its class and the bases of this one, unless it has one of its own."""
    if "send" in getattr(session, "__dict__", {}):
        yield vars(session)["send"]
        return
    yield from (vars(kind)["send"] for kind in type(session).__mro__ if "send" in vars(kind))
