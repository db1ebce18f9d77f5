"""Each attempt has one HTTP span: that of an instrumentation of requests or urllib3, or else ours."""

from __future__ import annotations

import contextlib
import io
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest
import requests
from faults.replies import PROMPT, closes, error, resets
from faults.server import FaultServer
from faults.traced import Traced
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.trace import SpanKind, StatusCode
from requests.adapters import BaseAdapter, HTTPAdapter

from scope_client import ConfigurationError, ConnectionError, ScopeClient, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator

Make = Callable[..., ScopeClient]
OURS, OF_REQUESTS, OF_URLLIB3 = (
    "scope_client",
    "opentelemetry.instrumentation.requests",
    "opentelemetry.instrumentation.urllib3",
)


@contextlib.contextmanager
def instrumented(*kinds: type[Any], traced: Traced, **options: object) -> Iterator[None]:
    for kind in kinds:
        kind().instrument(tracer_provider=traced.tracer_provider, **options)
    try:
        yield
    finally:
        for kind in kinds:
            kind().uninstrument()


def http(traced: Traced) -> list[Any]:
    return [span for span in traced.spans() if span.kind is SpanKind.CLIENT]


def whose(traced: Traced) -> list[str]:
    return [span.instrumentation_scope.name for span in http(traced)]


def counts(traced: Traced) -> list[Any]:
    return [span.attributes.get("http.request.resend_count") for span in http(traced)]


def test_where_there_is_no_instrumentation_ours_follows_the_stable_convention(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    client.get_prompt_version("greeting")
    login, read = http(traced)
    assert (login.name, read.name) == ("POST", "GET")
    host, _, port = server.url.partition("//")[2].partition(":")
    assert dict(read.attributes) == {
        "http.request.method": "GET",
        "url.full": f"{server.url}/api/v1/prompts/greeting/production",
        "server.address": host,
        "server.port": int(port),
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
    }
    assert read.status.status_code is StatusCode.UNSET
    assert read.start_time <= read.end_time
    assert login.attributes["url.full"] == f"{server.url}/v1/auth/sdk-token"


def test_a_span_of_ours_begins_before_the_request_is_sent_and_ends_after_its_answer(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    arrived: list[int] = []

    def answers(peer: Any) -> None:
        arrived.append(time.time_ns())
        peer.send(PROMPT)

    server.answers(answers)
    client.get_prompt_version("greeting")
    (span,) = traced.spans("GET")
    assert traced.span("scope.prompt.fetch").start_time <= span.start_time <= arrived[0] <= span.end_time


def test_an_answer_from_400_up_is_an_error_named_by_its_status(
    traced: Traced, make_client: Make, server: FaultServer
) -> None:
    server.answers(error(503))
    with pytest.raises(ServerError):
        make_client(max_retries=1).get_prompt_version("greeting")
    for span in http(traced)[1:]:
        assert span.attributes["error.type"] == "503"
        assert span.attributes["http.response.status_code"] == 503
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description is None


def test_no_answer_is_an_error_named_by_its_class(traced: Traced, make_client: Make, server: FaultServer) -> None:
    server.answers(resets())
    with pytest.raises(ConnectionError):
        make_client(max_retries=0).get_prompt_version("greeting")
    span = http(traced)[-1]
    assert span.attributes["error.type"] == "scope_client.ConnectionError"
    assert "http.response.status_code" not in span.attributes
    assert span.status.status_code is StatusCode.ERROR


def test_no_header_of_ours_tells_the_platform_of_the_trace(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    client.get_prompt_version("greeting")
    assert [request.header("traceparent") for request in (*server.logins, *server.reads)] == [None, None]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((), OURS),
        ((RequestsInstrumentor,), OF_REQUESTS),
        ((URLLib3Instrumentor,), OF_URLLIB3),
        ((RequestsInstrumentor, URLLib3Instrumentor), OF_REQUESTS),
        ((URLLib3Instrumentor, RequestsInstrumentor), OF_REQUESTS),
    ],
    ids=["none", "requests", "urllib3", "both", "both-the-other-way"],
)
def test_each_attempt_has_one_span_and_its_number(
    traced: Traced, client: ScopeClient, server: FaultServer, kinds: tuple[type[Any], ...], expected: str
) -> None:
    server.answers(error(503), error(401), PROMPT)
    with instrumented(*kinds, traced=traced):
        client.get_prompt_version("greeting")
    assert whose(traced) == [expected] * 5
    assert [span.name for span in http(traced)] == ["POST", "GET", "GET", "POST", "GET"]
    assert counts(traced) == [None, None, 1, None, 2]
    fetch = traced.span("scope.prompt.fetch").context.span_id
    assert [span.parent.span_id for span in http(traced) if span.name == "GET"] == [fetch] * 3


def test_one_that_is_turned_on_and_off_in_the_middle_makes_the_spans_meanwhile(
    traced: Traced, client: ScopeClient
) -> None:
    client.get_prompt_version("one")
    with instrumented(RequestsInstrumentor, traced=traced):
        client.get_prompt_version("two")
    client.get_prompt_version("three")
    with instrumented(URLLib3Instrumentor, traced=traced):
        client.get_prompt_version("four")
    client.get_prompt_version("five")
    assert whose(traced) == [OURS, OURS, OF_REQUESTS, OURS, OF_URLLIB3, OURS]


class ByHand(BaseAdapter):
    """Answers by itself, without urllib3."""

    def __init__(self) -> None:
        super().__init__()
        self._plain = HTTPAdapter()

    def send(self, request: Any, **options: Any) -> Any:
        return self._plain.send(request, **options)

    def close(self) -> None:
        self._plain.close()


class Offline(BaseAdapter):
    """Answers without a network."""

    def send(self, request: Any, **options: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.request, response.url = request, request.url
        is_login = request.method == "POST"
        body = b'{"access_token": "t", "expires_in": 60}' if is_login else b'{"id": "v_1", "content": "Hi"}'
        response.raw = io.BytesIO(body)
        return response

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("adapter", "kinds", "expected"),
    [
        (HTTPAdapter, (), OURS),
        (HTTPAdapter, (RequestsInstrumentor,), OF_REQUESTS),
        (HTTPAdapter, (URLLib3Instrumentor,), OF_URLLIB3),
        (ByHand, (URLLib3Instrumentor,), OF_URLLIB3),
        (Offline, (), OURS),
        (Offline, (RequestsInstrumentor,), OF_REQUESTS),
        (Offline, (URLLib3Instrumentor,), OURS),
    ],
)
def test_so_it_is_over_a_session_and_an_adapter_of_the_callers(
    traced: Traced, make_client: Make, adapter: type[Any], kinds: tuple[type[Any], ...], expected: str
) -> None:
    with requests.Session() as session, instrumented(*kinds, traced=traced):
        session.mount("http://", adapter())
        make_client(session=session).get_prompt_version("greeting")
    assert whose(traced) == [expected] * 2


class Sub(requests.Session):
    """Of a user's own."""

    def send(self, request: Any, **options: Any) -> Any:
        return super().send(request, **options)


def test_so_it_is_over_a_session_of_a_class_of_the_callers(traced: Traced, make_client: Make) -> None:
    with Sub() as session:
        client = make_client(session=session)
        client.get_prompt_version("one")
        with instrumented(RequestsInstrumentor, traced=traced):
            client.get_prompt_version("two")
    assert whose(traced) == [OURS, OURS, OF_REQUESTS]


class Remembering(requests.Session):
    """Sends what it has not sent before, as that of requests-cache does."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Any, bytes] = {}

    def send(self, request: Any, **options: Any) -> Any:
        key = (request.method, request.url)
        if key not in self._known:
            self._known[key] = super().send(request, **options).content
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, request.url
        response.raw = io.BytesIO(self._known[key])
        return response


def test_a_session_that_answers_from_a_cache_has_spans_of_what_it_sends(traced: Traced, make_client: Make) -> None:
    with instrumented(RequestsInstrumentor, traced=traced), Remembering() as session:
        client = make_client(session=session)
        for _ in range(2):
            client.get_prompt_version("greeting", cache=False)
    assert whose(traced) == [OF_REQUESTS] * 2


def test_what_an_instrumentation_leaves_out_is_left_out_of_a_class_of_the_callers_too(
    traced: Traced, make_client: Make
) -> None:
    other = Traced()
    with instrumented(RequestsInstrumentor, traced=other, excluded_urls="/prompts/.*"), Sub() as session:
        make_client(session=session).get_prompt_version("greeting")
    assert (whose(traced), whose(other)) == ([], [OF_REQUESTS])


def test_a_session_whose_instrumentation_was_taken_off_has_spans_of_ours(traced: Traced, make_client: Make) -> None:
    with instrumented(RequestsInstrumentor, traced=traced), requests.Session() as session:
        RequestsInstrumentor.uninstrument_session(session)
        make_client(session=session).get_prompt_version("greeting")
    assert whose(traced) == [OURS, OURS]


@pytest.mark.parametrize("kinds", [(), (RequestsInstrumentor,), (URLLib3Instrumentor,)], ids=["none", "one", "other"])
def test_where_http_instrumentation_is_suppressed_nobody_makes_one(
    traced: Traced, client: ScopeClient, kinds: tuple[type[Any], ...]
) -> None:
    with instrumented(*kinds, traced=traced), suppress_http_instrumentation():
        client.get_prompt_version("greeting")
    assert whose(traced) == []
    assert traced.tree() == ["scope.prompt.fetch", "  scope.token"]


@pytest.mark.parametrize("kind", [RequestsInstrumentor, URLLib3Instrumentor])
def test_a_url_that_an_instrumentation_leaves_out_is_left_out(
    traced: Traced, client: ScopeClient, kind: type[Any]
) -> None:
    with instrumented(kind, traced=traced, excluded_urls="/prompts/.*"):
        client.get_prompt_version("greeting")
    assert [span.name for span in http(traced)] == ["POST"]


@pytest.mark.parametrize("kind", [RequestsInstrumentor, URLLib3Instrumentor])
def test_one_that_has_another_provider_makes_its_spans_there_and_ours_none(
    traced: Traced, client: ScopeClient, kind: type[Any]
) -> None:
    other = Traced()
    with instrumented(kind, traced=other):
        client.get_prompt_version("greeting")
    assert whose(traced) == []
    assert len(http(other)) == 2


@pytest.mark.parametrize("mode", ["http", "http/dup"])
def test_the_number_comes_with_either_convention_of_theirs(
    traced: Traced, client: ScopeClient, server: FaultServer, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry.instrumentation import _semconv

    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", mode)
    monkeypatch.setattr(_semconv._OpenTelemetrySemanticConventionStability, "_initialized", False)
    server.answers(error(503), PROMPT)
    with instrumented(RequestsInstrumentor, traced=traced):
        client.get_prompt_version("greeting")
    assert counts(traced) == [None, None, 1]
    assert http(traced)[1].attributes["http.request.method"] == "GET"


def test_a_request_that_a_hook_of_the_callers_sends_meanwhile_is_not_taken_for_ours(
    traced: Traced, make_client: Make, server: FaultServer, other_server: FaultServer
) -> None:
    server.answers(error(503), PROMPT)

    def tells(response: Any, **_: Any) -> None:
        import urllib3

        with urllib3.PoolManager() as pool:
            pool.request("GET", f"{other_server.url}/audit")

    with requests.Session() as session:
        session.hooks["response"].append(tells)
        session.mount("http://", Offline())
        with instrumented(URLLib3Instrumentor, traced=traced):
            make_client(session=session).get_prompt_version("greeting")
    assert sorted(whose(traced)) == sorted([OURS, OF_URLLIB3] * 2)
    assert counts(traced) == [None] * 4


@pytest.mark.parametrize(
    ("kind", "expected"), [(URLLib3Instrumentor, [None, 1]), (RequestsInstrumentor, [None]), (None, [None])]
)
def test_a_dead_connection_that_is_replaced_is_one_more_span_of_urllib3s_with_its_number(
    traced: Traced, client: ScopeClient, server: FaultServer, kind: type[Any] | None, expected: list[Any]
) -> None:
    client.get_prompt_version("one")
    traced.forget()
    server.answers(closes(), PROMPT)
    with instrumented(*filter(None, [kind]), traced=traced):
        client.get_prompt_version("two")
    assert counts(traced) == expected


def test_a_session_without_an_adapter_fails_as_ever(
    traced: Traced, make_client: Make, caplog: pytest.LogCaptureFixture
) -> None:
    with requests.Session() as session, instrumented(URLLib3Instrumentor, traced=traced):
        session.adapters.clear()
        with pytest.raises(ConfigurationError):
            make_client(session=session).get_prompt_version("greeting")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
