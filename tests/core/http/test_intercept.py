"""The libraries with which people intercept `requests` in their tests work with ours."""

from __future__ import annotations

import functools
import json
from typing import Any, Callable

import pytest
import requests
import requests_mock
import responses
from faults.replies import prompt_body
from faults.server import FaultServer
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool

from scope_client import ApiKeyCredentials, NotFoundError, ScopeClient, ScopeError

TOKEN_URL = "https://auth.scope.io/v1/auth/sdk-token"
PROMPT_URL = "https://api.scope.io/api/v1/prompts/greeting/production"


@pytest.fixture(params=["our session", "the caller's session"])
def client(
    request: pytest.FixtureRequest, keys: ApiKeyCredentials, make_session: Callable[[], requests.Session]
) -> ScopeClient:
    session = None if request.param == "our session" else make_session()
    return ScopeClient(credentials=keys, session=session, max_retries=0)


def test_responses(client: ScopeClient) -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN_URL, json={"access_token": "token-1", "expires_in": 60})
        mock.get(PROMPT_URL, json=prompt_body())
        assert client.render_prompt("greeting", {"name": "A"}) == "Hello, A!"
        login, read = (call.request for call in mock.calls)
    assert json.loads(login.body)["key_secret"] == "secret-1"
    assert read.headers["Authorization"] == "Bearer token-1"


def test_an_error_of_responses(client: ScopeClient) -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN_URL, json={"access_token": "token-1"})
        mock.get(PROMPT_URL, json={"code": "prompt_not_found", "message": "nope"}, status=404)
        with pytest.raises(NotFoundError, match="nope"):
            client.get_prompt_version("greeting")


def test_requests_mock(client: ScopeClient) -> None:
    with requests_mock.Mocker() as mock:
        mock.post(TOKEN_URL, json={"access_token": "token-1", "expires_in": 60})
        mock.get(PROMPT_URL, json=prompt_body())
        assert client.render_prompt("greeting", {"name": "A"}) == "Hello, A!"
        login, read = mock.request_history
    assert login.json()["key_secret"] == "secret-1"
    assert read.headers["Authorization"] == "Bearer token-1"


def test_an_error_of_requests_mock(client: ScopeClient) -> None:
    with requests_mock.Mocker() as mock:
        mock.post(TOKEN_URL, json={"access_token": "token-1"})
        mock.get(PROMPT_URL, json={"error": {"code": "prompt_not_found", "message": "nope"}}, status_code=404)
        with pytest.raises(NotFoundError, match="nope"):
            client.get_prompt_version("greeting")


@pytest.mark.parametrize("kind", [requests.Session, requests.adapters.HTTPAdapter], ids=lambda kind: kind.__name__)
def test_what_wraps_send_sees_each_request_and_what_it_adds_is_sent(
    kind: type, make_client: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = kind.send
    seen = []

    def traced(self: object, request: requests.PreparedRequest, **options: object) -> requests.Response:
        request.headers["traceparent"] = f"00-{len(seen)}"
        response: requests.Response = plain(self, request, **options)
        seen.append((request.method, response.status_code, response.headers["content-type"], response.url))
        return response

    monkeypatch.setattr(kind, "send", traced)
    make_client().get_prompt_version("greeting")
    assert [(method, status, form) for method, status, form, _ in seen] == [
        ("POST", 200, "application/json"),
        ("GET", 200, "application/json"),
    ]
    assert seen[1][3] == f"{server.url}/api/v1/prompts/greeting/production"
    assert [request.header("traceparent") for request in server.requests] == ["00-0", "00-1"]


def test_a_line_break_in_a_header_that_is_added_is_refused(
    make_client: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = requests.Session.send

    def adds(self: requests.Session, request: requests.PreparedRequest, **options: object) -> requests.Response:
        request.headers["X-Added"] = "a\r\nX-More: b"
        return plain(self, request, **options)

    monkeypatch.setattr(requests.Session, "send", adds)
    with pytest.raises(ScopeError):
        make_client(max_retries=0).get_prompt_version("greeting")
    assert server.requests == []


def test_what_wraps_urlopen_sees_each_request(
    make_client: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = HTTPConnectionPool.urlopen
    seen = []

    @functools.wraps(plain)
    def traced(self: object, method: str, url: str, **options: Any) -> object:
        seen.append((method, url))
        return plain(self, method, url, **{**options, "headers": {**options["headers"], "traceparent": "00-1"}})

    monkeypatch.setattr(HTTPConnectionPool, "urlopen", traced)
    make_client().get_prompt_version("greeting")
    assert seen == [("POST", "/v1/auth/sdk-token"), ("GET", "/api/v1/prompts/greeting/production")]
    assert [request.header("traceparent") for request in server.requests] == ["00-1", "00-1"]


def test_what_wraps_the_choice_of_a_connection_for_a_while_sees_each_request(
    make_client: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = HTTPAdapter.get_connection_with_tls_context
    seen = []

    def chooses(  # as requests calls it
        self: HTTPAdapter, request: requests.PreparedRequest, verify: Any, *, proxies: Any, cert: Any
    ) -> object:
        seen.append(request.url)
        return plain(self, request, verify, proxies=proxies, cert=cert)

    client = make_client()
    client.get_prompt_version("greeting")
    with monkeypatch.context() as patched:
        patched.setattr(HTTPAdapter, "get_connection_with_tls_context", chooses)
        for _ in range(2):
            client.get_prompt_version("greeting", cache=False)
    client.get_prompt_version("greeting", cache=False)
    assert seen == [f"{server.url}/api/v1/prompts/greeting/production"] * 2


def test_a_tool_finds_in_an_answer_what_requests_puts_there(
    make_client: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = requests.Session.send
    seen = []

    def looks(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        request.headers["Host"] = "prompts.example"
        response = plain(self, request, **options)
        seen.append((response.connection is not None, response.encoding, response.raw.version, response.reason))
        return response

    monkeypatch.setattr(requests.Session, "send", looks)
    make_client().get_prompt_version("greeting")
    assert seen == [(True, "utf-8", 11, "Said")] * 2
    assert [value for name, value in server.reads[0].headers if name.lower() == "host"] == ["prompts.example"]
