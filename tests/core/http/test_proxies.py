"""Proxies: those of the environment and those of a caller's session."""

from __future__ import annotations

from typing import Callable

import pytest
import requests
from faults.clock import ManualClock, ends_within
from faults.replies import PROMPT, closes, drips, head
from faults.server import FaultServer

from scope_client import ScopeClient, ScopeError, TimeoutError, TokenRefreshError

FAR = "http://scope.example"


@pytest.fixture
def make_far_client(make_client: Callable[..., ScopeClient]) -> Callable[..., ScopeClient]:
    """Clients of a host that only a proxy can reach."""
    return lambda **options: make_client(base_url=FAR, auth_api_url=FAR, allow_insecure=True, **options)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("own_session", [False, True])
def test_a_proxy_of_the_environment_is_used(
    variable: str,
    own_session: bool,
    make_far_client: Callable[..., ScopeClient],
    session: requests.Session,
    server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, server.url)
    make_far_client(session=session if own_session else None).get_prompt_version("greeting")
    assert [request.line for request in server.requests] == [
        f"POST {FAR}/v1/auth/sdk-token HTTP/1.1",
        f"GET {FAR}/api/v1/prompts/greeting/production HTTP/1.1",
    ]
    assert server.accepted == 1


def test_a_proxy_of_the_callers_session_is_used(
    make_far_client: Callable[..., ScopeClient], session: requests.Session, server: FaultServer
) -> None:
    session.proxies["http"] = server.url
    make_far_client(session=session).get_prompt_version("greeting")
    assert server.reads[0].line == f"GET {FAR}/api/v1/prompts/greeting/production HTTP/1.1"


def test_a_proxy_of_the_callers_session_is_used_for_this_machine_too(
    make_client: Callable[..., ScopeClient],
    session: requests.Session,
    server: FaultServer,
    other_server: FaultServer,
) -> None:
    session.proxies["http"] = other_server.url
    make_client(session=session).get_prompt_version("greeting")
    assert other_server.reads[0].line == f"GET {server.url}/api/v1/prompts/greeting/production HTTP/1.1"
    assert server.accepted == 0


def test_what_is_meant_for_this_machine_does_not_leave_it_through_a_proxy_of_the_environment(
    client: ScopeClient, server: FaultServer, other_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", other_server.url)
    client.get_prompt_version("greeting")
    assert len(server.requests) == 2
    assert other_server.accepted == 0


def test_no_proxy_is_honoured(
    make_client: Callable[..., ScopeClient],
    server: FaultServer,
    other_server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", other_server.url)
    monkeypatch.setenv("no_proxy", "0.0.0.0")
    url = f"http://0.0.0.0:{server.port}"  # this machine, though not by a name of the loopback
    make_client(base_url=url, auth_api_url=url, allow_insecure=True).get_prompt_version("greeting")
    assert len(server.requests) == 2
    assert other_server.accepted == 0


def test_the_name_and_password_of_a_proxy_reach_the_proxy_alone(
    make_far_client: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.replace("://", "://me:hush@"))
    make_far_client().get_prompt_version("greeting")
    assert [request.header("Proxy-Authorization") for request in server.requests] == ["Basic bWU6aHVzaA=="] * 2
    assert server.reads[0].header("Authorization") == "Bearer token-1"


def test_an_https_platform_behind_a_proxy_is_asked_for_with_connect(
    make_client: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", server.url.replace("://", "://me:hush@"))
    server.answers(closes(head()))
    with pytest.raises(TokenRefreshError) as caught:
        make_client(auth_api_url="https://scope.example", max_retries=0).get_prompt_version("greeting")
    assert server.requests[0].line.startswith("CONNECT scope.example:443 HTTP/1.")
    assert "hush" not in f"{caught.value}{caught.value.__cause__!r}"


def test_a_proxy_that_is_down_is_an_error_that_does_not_tell_its_password(
    make_far_client: Callable[..., ScopeClient], closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:hush@127.0.0.1:{closed_port}")
    with pytest.raises(TokenRefreshError) as caught:
        make_far_client(max_retries=0).get_prompt_version("greeting")
    assert "hush" not in f"{caught.value}{caught.value.__cause__!r}"


@pytest.mark.parametrize("own_session", [False, True])
def test_an_answer_that_drips_through_a_proxy_is_a_time_out(
    own_session: bool,
    make_far_client: Callable[..., ScopeClient],
    session: requests.Session,
    server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    server.answers(drips(PROMPT, pause=0.1))
    client = make_far_client(session=session if own_session else None, timeout=0.4, max_retries=0)
    with ends_within(3), pytest.raises(TimeoutError):
        client.get_prompt_version("greeting")


@pytest.mark.parametrize("proxy", ["socks9://127.0.0.1:1", "http://", "http:///x", "http://[::1"])
def test_a_proxy_that_cannot_be_is_an_error_of_ours_that_is_not_tried_again(
    proxy: str,
    make_far_client: Callable[..., ScopeClient],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(ScopeError):
        make_far_client().get_prompt_version("greeting")
    assert clock.sleeps == []
