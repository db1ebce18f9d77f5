"""Redirects are not followed, cookies not sent back, and nobody but the platform sees the token."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from faults.replies import PROMPT, error, floods, head, json_answer, prompt, token
from faults.server import FaultServer

from scope_client import ApiError, ScopeClient, TokenRefreshError

STATUSES = (300, 301, 302, 303, 307, 308)


@pytest.fixture(params=["our session", "the caller's session"])
def reader(request: pytest.FixtureRequest, make_client: Callable, make_session: Callable) -> ScopeClient:
    return make_client(session=None if request.param == "our session" else make_session())


@pytest.mark.parametrize("status", STATUSES)
def test_a_redirect_to_another_host_is_an_error_and_nothing_reaches_that_host(
    status: int, reader: ScopeClient, server: FaultServer, other_server: FaultServer
) -> None:
    server.answers(json_answer({}, status, Location=f"{other_server.url}/elsewhere"))
    with pytest.raises(ApiError, match="redirect") as caught:
        reader.get_prompt_version("greeting")
    assert caught.value.http_status == status
    assert other_server.accepted == 0
    assert len(server.reads) == 1


def test_a_redirect_on_the_same_host_is_not_followed_either(reader: ScopeClient, server: FaultServer) -> None:
    server.answers(json_answer({}, 302, Location="/api/v1/prompts/other/production"), PROMPT)
    with pytest.raises(ApiError, match="redirect"):
        reader.get_prompt_version("greeting")
    assert len(server.reads) == 1


@pytest.mark.parametrize("status", STATUSES)
def test_a_redirect_of_the_token_endpoint_sends_the_secret_nowhere(
    status: int, reader: ScopeClient, server: FaultServer, other_server: FaultServer
) -> None:
    server.gives_tokens(json_answer({}, status, Location=f"{other_server.url}/v1/auth/sdk-token"))
    with pytest.raises(TokenRefreshError, match="redirect") as caught:
        reader.get_prompt_version("greeting")
    assert caught.value.http_status == status
    assert other_server.accepted == 0
    assert len(server.requests) == 1


def test_a_redirect_with_an_endless_body_ends(reader: ScopeClient, server: FaultServer) -> None:
    server.answers(floods(head(302, Location="http://example.com/"), b"x" * 100_000, 1000))
    with pytest.raises(ApiError, match="redirect"):
        reader.get_prompt_version("greeting")


def test_a_cookie_is_never_sent_back(reader: ScopeClient, server: FaultServer) -> None:
    cookie = {"Set_Cookie": "session=stolen; Path=/"}
    server.gives_tokens(token().replace(b"\r\n", b"\r\nSet-Cookie: login=1; Path=/\r\n", 1))
    server.answers(error(503, **cookie), error(401, **cookie), json_answer({"content": "x"}, **cookie), prompt())
    reader.get_prompt_version("greeting")
    reader.get_prompt_version("other")
    assert [request.header("Cookie") for request in server.requests] == [None] * len(server.requests)


@pytest.mark.parametrize("variable", ["HOME", "NETRC"])
def test_a_netrc_file_changes_no_header(
    variable: str, reader: ScopeClient, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".netrc"
    file.write_text("machine 127.0.0.1 login me password hush\ndefault login me password hush\n")
    file.chmod(0o600)
    monkeypatch.setenv(variable, str(tmp_path if variable == "HOME" else file))
    reader.get_prompt_version("greeting")
    assert [request.header("Authorization") for request in server.requests] == [None, "Bearer token-1"]


def test_the_token_goes_to_the_api_and_the_secret_to_the_auth_host(
    make_client: Callable, server: FaultServer, other_server: FaultServer
) -> None:
    make_client(auth_api_url=other_server.url).get_prompt_version("greeting")
    (login,), (read,) = other_server.requests, server.requests
    assert b"secret-1" in login.body
    assert "token-1" not in login.text()
    assert read.header("Authorization") == "Bearer token-1"
    assert "secret-1" not in read.text()
    assert "key-1" not in read.text()


def test_what_is_sent_is_what_the_api_asks_for(make_client: Callable, server: FaultServer) -> None:
    make_client(environment="staging").get_prompt_version("greeting")
    (read,) = server.reads
    assert read.header("X-Scope-Environment") == "staging"
    assert read.header("Accept") == "application/json"
    assert read.header("Accept-Encoding") == "identity"
    assert read.header("User-Agent").startswith("scope-prompts/")
    assert len(read.header("X-Request-ID")) == 36
    assert read.body == b""
    assert len({name.lower() for name, _ in read.headers}) == len(read.headers)
