"""What a caller's session brings along, hooks above all, changes no meaning and lets nothing foreign out."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import Any, Callable

import pytest
import requests
from faults.clock import ManualClock
from faults.reading import content, wait_until_idle
from faults.replies import PROMPT, answer, closes, error, head, json_answer, prompt, resets, token
from faults.server import FaultServer
from requests.adapters import HTTPAdapter

from scope_client import (
    AuthenticationError,
    ConfigurationError,
    ConnectionError,
    InvalidCredentialsError,
    NotFoundError,
    ScopeError,
    TokenRefreshError,
)


def raises_for_status(response: Any, *_: object, **__: object) -> None:
    response.raise_for_status()


def reads(what: Callable[[Any], object]) -> Callable[..., None]:
    def hook(response: Any, *_: object, **__: object) -> None:
        what(response)

    return hook


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


class Keeper(HTTPAdapter):
    """Copies each answer, as an adapter and as a hook."""

    def __init__(self, copied: Callable[[requests.Response], requests.Response]) -> None:
        super().__init__()
        self.copied = copied
        self.copies: list[requests.Response] = []

    def __getstate__(self) -> dict[str, Any]:
        return {"config": {}, "max_retries": 0, "_pool_connections": 1, "_pool_maxsize": 1, "_pool_block": False}

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        return self.hook(super().send(request, **options))

    def hook(self, response: requests.Response, **_: object) -> requests.Response:
        self.copies.append(self.copied(response))
        return response


def pickled(response: requests.Response) -> Any:
    return pickle.loads(pickle.dumps(response))


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy])
def test_an_adapter_and_a_hook_may_copy_an_answer_and_get_no_other(
    copied: Callable, make_client: Callable, make_session: Callable, server: FaultServer
) -> None:
    session, keeper = make_session(), Keeper(copied)
    session.mount(server.url, keeper)
    session.hooks["response"] = keeper.hook
    assert content(make_client(session=session)) == "Hello, {{name}}!"
    login, login_again, read, read_again = keeper.copies
    assert login.json() == login_again.json()
    assert read.json() == read_again.json()
    ours: Any = read_again.request.hooks["response"][0]
    assert ours.responses == []


BUGS = [RuntimeError("x"), KeyError("x"), TypeError("x"), ValueError("x"), AssertionError(), EOFError()]


@pytest.mark.parametrize("failure", BUGS)
def test_what_a_hook_raises_reaches_the_caller_unchanged_and_is_evidence_of_nothing(
    failure: Exception, make_client: Callable, make_session: Callable, server: FaultServer, clock: ManualClock
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise failure

    session = make_session()
    client = make_client(session=session, cache_ttl=100)
    client.get_prompt_version("greeting")
    clock.passes(101)
    session.hooks["response"] = fails
    for name, options in (("greeting", {}), ("cold", {}), ("cold", {"fallback": "stand-in"})):
        with pytest.raises(type(failure)) as caught:
            client.get_prompt_version(name, **options)
        assert caught.value is failure
    assert (clock.sleeps, client.status().is_down, client.status().last_error) == ([], False, None)
    session.hooks["response"] = []
    server.answers(prompt("new"))
    assert client.get_prompt_version("greeting").content == "new"


def test_a_bug_in_a_hook_that_a_renewal_meets_is_not_met_with_each_read(
    make_client: Callable, make_session: Callable, server: FaultServer, clock: ManualClock
) -> None:
    def fails(response: requests.Response, **_: object) -> None:
        raise KeyError(response.url)

    session = make_session()
    client = make_client(session=session, cache_ttl=100)
    server.gives_tokens(token(expires_in=100))
    content(client)
    session.hooks["response"] = fails
    clock.passes(90)
    for _ in range(20):
        assert content(client) == "Hello, {{name}}!"
        wait_until_idle(client)
    assert (len(server.reads), len(server.logins)) == (2, 2)
    assert (client.status().is_down, client.status().last_error) == (False, None)
    session.hooks["response"] = []
    clock.passes(5)
    server.answers(prompt("new"))
    content(client)
    wait_until_idle(client)
    assert content(client) == "new"
    assert len(server.logins) == 3


def test_a_bug_in_a_hook_is_met_by_who_reads_past_the_end_of_a_version(
    make_client: Callable, make_session: Callable, clock: ManualClock
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("x")

    session = make_session()
    client = make_client(session=session, cache_ttl=100, stale_while_revalidate=50)
    content(client)
    session.hooks["response"] = fails
    clock.passes(110)
    assert content(client) == "Hello, {{name}}!"
    wait_until_idle(client)
    clock.passes(50)
    with pytest.raises(KeyError):
        content(client)


def test_what_a_hook_raises_for_an_answer_that_it_cannot_read_is_its_own(
    make_client: Callable, make_session: Callable, server: FaultServer
) -> None:
    session = make_session()
    session.hooks["response"] = reads(lambda response: response.json())
    server.answers(answer("no JSON"))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        make_client(session=session).get_prompt_version("greeting")


def test_an_answer_that_breaks_off_as_a_hook_reads_it_is_a_failure_of_the_network(
    make_client: Callable, make_session: Callable, server: FaultServer
) -> None:
    session = make_session()
    session.hooks["response"] = reads(lambda response: response.text)
    server.answers(resets(head(Content_Length=100) + b"{"))
    client = make_client(session=session, max_retries=0)
    assert client.get_prompt_version("greeting", fallback="stand-in").content == "stand-in"


def test_a_bug_in_a_hook_is_shown_by_the_frames_of_the_hook_and_by_none_that_hold_the_token(
    make_client: Callable, make_session: Callable
) -> None:
    def fails(*_: object, **__: object) -> None:
        try:
            raise OSError("the hook's own")
        except OSError as error:
            raise KeyError("x") from error

    def passes_headers(response: requests.Response, **_: object) -> None:
        if response.request.method == "GET":
            headers = dict(response.request.headers)
            assert headers
            fails()

    session = make_session()
    session.hooks["response"] = passes_headers
    with pytest.raises(KeyError) as caught:
        make_client(session=session).get_prompt_version("greeting")
    names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert names[-1] == "fails"
    assert "passes_headers" not in names
    assert isinstance(caught.value.__cause__, OSError)


def test_what_the_caller_is_handling_already_keeps_its_frames(make_client: Callable, server: FaultServer) -> None:
    server.answers(closes())
    try:
        raise OSError("the caller's own: Bearer token-1")
    except OSError as error:
        handled, frames = error, error.__traceback__
        with pytest.raises(ConnectionError) as caught:
            make_client(max_retries=0).get_prompt_version("greeting")
    assert (handled.__traceback__, str(handled)) == (frames, "the caller's own: Bearer token-1")
    assert "the caller's own" not in str(caught.value)


def test_an_exception_that_is_its_own_cause_goes_through_like_any_other(
    make_client: Callable, make_session: Callable
) -> None:
    def fails(*_: object, **__: object) -> None:
        first, second = RuntimeError("first"), RuntimeError("second")
        first.__cause__, second.__cause__ = second, first
        raise first

    session = make_session()
    session.hooks["response"] = fails
    with pytest.raises(RuntimeError, match="first"):
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
