"""What a caller's session brings along, hooks above all, changes no meaning and lets nothing foreign out."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from faults.clock import ManualClock
from faults.replies import PROMPT, error, json_answer, token
from faults.server import FaultServer

from scope_client import (
    AuthenticationError,
    ConfigurationError,
    InvalidCredentialsError,
    NotFoundError,
    ScopeError,
    TokenRefreshError,
)


def raises_for_status(response: Any, *_: object, **__: object) -> None:
    response.raise_for_status()


@pytest.fixture
def client(make_client: Callable, make_session: Callable) -> Any:
    session = make_session()
    session.hooks["response"] = raises_for_status
    return make_client(session=session)


def test_a_hook_that_raises_for_the_status_hides_no_404(client: Any, server: FaultServer, clock: ManualClock) -> None:
    server.answers(error(404, code="prompt_not_found"))
    with pytest.raises(NotFoundError):
        client.get_prompt_version("greeting")
    assert clock.sleeps == []


def test_a_hook_that_raises_for_the_status_keeps_no_dead_token(client: Any, server: FaultServer) -> None:
    server.answers(error(401), PROMPT)
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert len(server.logins) == 2


def test_a_hook_that_raises_for_the_status_hides_no_refused_credentials(client: Any, server: FaultServer) -> None:
    server.gives_tokens(error(401))
    with pytest.raises(InvalidCredentialsError):
        client.get_prompt_version("greeting")


@pytest.mark.parametrize("failure", [RuntimeError("x"), KeyError("x"), TypeError("x"), AssertionError(), EOFError()])
def test_whatever_a_hook_raises_becomes_an_error_of_ours_that_is_not_tried_again(
    failure: Exception, make_client: Callable, make_session: Callable, clock: ManualClock
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise failure

    session = make_session()
    session.hooks["response"] = fails
    with pytest.raises(ScopeError) as caught:
        make_client(session=session).get_prompt_version("greeting")
    assert isinstance(caught.value, TokenRefreshError)
    assert clock.sleeps == []


def test_an_exception_that_is_its_own_cause_is_told_like_any_other(
    make_client: Callable, make_session: Callable
) -> None:
    def fails(*_: object, **__: object) -> None:
        first, second = RuntimeError("first"), RuntimeError("second")
        first.__cause__, second.__cause__ = second, first
        raise first

    session = make_session()
    session.hooks["response"] = fails
    with pytest.raises(TokenRefreshError):
        make_client(session=session).get_prompt_version("greeting")


def test_what_only_looks_like_a_session_is_refused_at_once(make_client: Callable) -> None:
    class Lookalike:
        headers = proxies = None

        def send(self) -> None: ...

        def get_adapter(self) -> None: ...

    with pytest.raises(ConfigurationError, match="session must be"):
        make_client(session=Lookalike())


@pytest.mark.parametrize("proxy", ["http://user:hush-hush@127.0.0.1:99999", "http://user:hush-hush@"])
def test_the_password_of_a_proxy_is_not_told(proxy: str, make_client: Callable, make_session: Callable) -> None:
    session = make_session()
    session.proxies = {"http": proxy}
    with pytest.raises(ScopeError) as caught:
        make_client(session=session, max_retries=0).get_prompt_version("greeting")
    error: BaseException | None = caught.value
    while error is not None:
        assert "hush-hush" not in f"{error} {error!r}"
        error = error.__cause__


@pytest.mark.parametrize("status", [201, 202, 302])
def test_a_token_that_came_with_another_status_is_in_no_error(
    status: int, make_client: Callable, server: FaultServer
) -> None:
    server.gives_tokens(json_answer({"access_token": "token-of-mine"}, status))
    with pytest.raises(TokenRefreshError) as caught:
        make_client().get_prompt_version("greeting")
    shown = f"{vars(caught.value)} {vars(caught.value.__cause__)}"
    assert "token-of-mine" not in shown


def test_a_token_is_replaced_once_and_then_the_error_is_told(client: Any, server: FaultServer) -> None:
    server.answers(error(401), error(401))
    server.gives_tokens(token("one"), token("two"))
    with pytest.raises(AuthenticationError):
        client.get_prompt_version("greeting")
    assert [request.header("Authorization") for request in server.reads] == ["Bearer one", "Bearer two"]
