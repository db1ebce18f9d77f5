"""`timeout` bounds an attempt to its last byte, `open_timeout` the connect, however slowly the bytes come."""

from __future__ import annotations

import builtins
import contextlib
import functools
import socket
from typing import TYPE_CHECKING, Callable

import pytest
import urllib3.util.connection
from faults.clock import JumpingClock, ManualClock, ends_within
from faults.replies import PROMPT, answer, chunked, closes, drips, floods, hangs, head, prompt, token
from faults.server import FaultServer

from scope_client import Clock, ConnectionError, ScopeClient, TimeoutError, TokenRefreshError

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = b'{"content": "' + b"x" * 50 + b'"}'
HEAD = head(Content_Length=len(BODY))
NEVER = 3.0
SLOW = {
    "no answer": hangs(),
    "no answer after the status line": hangs(b"HTTP/1.1 200 OK\r\n"),
    "no answer after the headers": hangs(HEAD),
    "no answer in the middle of the body": hangs(HEAD + BODY[:50]),
    "no answer between two chunks": hangs(chunked(BODY, is_whole=False)),
    "a status line that drips": drips(HEAD + BODY, pause=0.1),
    "headers that drip": drips(HEAD[20:] + BODY, at_once=HEAD[:20], pause=0.1),
    "a body that drips": drips(BODY, at_once=HEAD, pause=0.1),
    "a body without an end that drips": drips(BODY * 9, at_once=head(), pause=0.1),
    "chunks that drip": drips(
        chunked(*[b"x"] * 50).split(b"\r\n\r\n", 1)[1], at_once=chunked(is_whole=False), pause=0.1
    ),
    "a body of an error that drips": drips(BODY, at_once=head(500, Content_Length=len(BODY)), pause=0.1),
    "one 100 Continue after the other": floods(b"", head(100) * 100, 10**9),
}


@pytest.fixture(params=["our session", "the caller's session"])
def hasty(request: pytest.FixtureRequest, make_client: Callable, make_session: Callable) -> ScopeClient:
    """A client that gives up after a third of a second, at once and for good."""
    session = None if request.param == "our session" else make_session()
    return make_client(timeout=0.3, max_retries=0, session=session)


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose connections are never taken: a connect neither succeeds nor fails."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.parametrize("fault", SLOW)
def test_an_answer_that_is_not_there_in_time_is_a_time_out(fault: str, hasty: ScopeClient, server: FaultServer) -> None:
    server.answers(SLOW[fault])
    with ends_within(NEVER), pytest.raises(TimeoutError, match=r"0\.3 seconds") as caught:
        hasty.get_prompt_version("greeting")
    assert isinstance(caught.value, builtins.TimeoutError)
    assert caught.value.request_id == server.reads[0].header("X-Request-ID")


@pytest.mark.parametrize("fault", ["no answer", "a body that drips"])
def test_a_token_that_is_not_there_in_time_is_a_token_refresh_error(
    fault: str, hasty: ScopeClient, server: FaultServer
) -> None:
    server.gives_tokens(SLOW[fault])
    with ends_within(NEVER), pytest.raises(TokenRefreshError) as caught:
        hasty.get_prompt_version("greeting")
    assert caught.value.http_status is None
    assert isinstance(caught.value.__cause__, TimeoutError)


@pytest.mark.parametrize("own_session", [False, True])
def test_a_connect_that_hangs_is_a_time_out(
    own_session: bool, make_client: Callable, make_session: Callable, full_port: int
) -> None:
    client = make_client(
        base_url=f"http://127.0.0.1:{full_port}",
        open_timeout=0.3,
        max_retries=0,
        session=make_session() if own_session else None,
    )
    with ends_within(NEVER), pytest.raises(TimeoutError, match=r"within 0\.3 seconds \(open_timeout\)"):
        client.get_prompt_version("greeting")


def test_a_connect_that_hangs_does_not_outlast_the_timeout_of_the_attempt(
    make_client: Callable, full_port: int
) -> None:
    client = make_client(base_url=f"http://127.0.0.1:{full_port}", timeout=0.3, max_retries=0)
    with ends_within(NEVER), pytest.raises(TimeoutError, match=r"no connection to .* within 0\.3 seconds$"):
        client.get_prompt_version("greeting")


def test_a_connect_that_hangs_leaves_the_rest_of_the_time_to_the_next_attempt(
    make_client: Callable, full_port: int, clock: ManualClock
) -> None:
    client = make_client(base_url=f"http://127.0.0.1:{full_port}", open_timeout=0.2, max_retries=1)
    with ends_within(NEVER), pytest.raises(TimeoutError, match="open_timeout") as caught:
        client.get_prompt_version("greeting", deadline=5)  # of which nothing passes
    assert not caught.value.is_deadline
    assert len(clock.sleeps) == 1


@pytest.fixture
def named(
    server: FaultServer, jumping: JumpingClock, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, object]]:
    """The options for a platform whose name takes so many seconds to look up; tokens are elsewhere."""
    resolve = socket.getaddrinfo

    def options(seconds: float, port: int = server.port, count: int = 1) -> dict[str, object]:
        def look_up(host: str, *args: object) -> list:
            if host != "slow.example":
                return resolve(host, *args)
            jumping.passes(seconds)
            return resolve("127.0.0.1", *args) * count

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return {
            "base_url": f"http://slow.example:{port}",
            "allow_insecure": True,
            "max_retries": 0,
            "clock": jumping.clock,
        }

    return options


@pytest.mark.parametrize("own_session", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_looking_up_a_name_takes_nothing_of_the_time_limits(
    count: int,
    own_session: bool,
    make_client: Callable,
    make_session: Callable,
    server: FaultServer,
    named: Callable[..., dict],
) -> None:
    long = prompt("x" * 200_000)
    server.answers(drips(long[-5:], at_once=long[:-5], pause=0.1))
    session = make_session() if own_session else None
    client = make_client(**named(50, count=count), timeout=20, open_timeout=10, session=session)
    assert client.get_prompt_version("greeting").content == "x" * 200_000
    assert server.accepted == 2


def test_looking_it_up_again_for_a_connection_that_died_takes_nothing_either(
    make_client: Callable, server: FaultServer, named: Callable[..., dict]
) -> None:
    client = make_client(**named(0), timeout=20)
    client.get_prompt_version("greeting")
    named(50)
    server.answers(closes(), PROMPT)
    assert client.get_prompt_version("another").content == "Hello, {{name}}!"


def test_a_connect_that_a_tool_has_replaced_looks_up_within_the_time_limits(
    make_client: Callable, named: Callable[..., dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(**named(50), timeout=20)
    plain = functools.partial(urllib3.util.connection.create_connection)
    monkeypatch.setattr(urllib3.util.connection, "create_connection", plain)
    with ends_within(NEVER), pytest.raises(TimeoutError):
        client.get_prompt_version("greeting")


def test_what_follows_a_slow_look_up_is_bounded(
    make_client: Callable, server: FaultServer, full_port: int, named: Callable[..., dict]
) -> None:
    server.answers(hangs())
    with ends_within(NEVER), pytest.raises(TimeoutError, match=r"did not answer in full within 0\.3 seconds"):
        make_client(**named(50), timeout=0.3).get_prompt_version("greeting")
    with (
        ends_within(NEVER),
        pytest.raises(TimeoutError, match=r"no connection .* within 0\.3 seconds \(open_timeout\)"),
    ):
        make_client(**named(50, full_port), open_timeout=0.3).get_prompt_version("greeting")


@pytest.mark.parametrize("timeout", [10, 30])
@pytest.mark.parametrize("seconds", [19.7, 20, 50])
def test_looking_up_a_name_takes_of_the_deadline(
    seconds: float, timeout: float, make_client: Callable, server: FaultServer, named: Callable[..., dict]
) -> None:
    server.answers(hangs())
    client = make_client(**named(seconds), timeout=timeout)
    with ends_within(NEVER), pytest.raises(TimeoutError, match=r"within the 20 s that the call had") as caught:
        client.get_prompt_version("greeting", deadline=20)
    assert caught.value.is_deadline


@pytest.mark.parametrize("seconds", [19.7, 20, 50])
def test_a_connect_that_the_deadline_ends_after_a_look_up_is_not_told_as_one_of_the_open_timeout(
    seconds: float, make_client: Callable, full_port: int, named: Callable[..., dict]
) -> None:
    client = make_client(**named(seconds, full_port), open_timeout=10)
    with (
        ends_within(NEVER),
        pytest.raises(TimeoutError, match=r"no connection to [^(]* within [^-(]* seconds$") as caught,
    ):
        client.get_prompt_version("greeting", deadline=20)
    assert caught.value.is_deadline


def test_a_refused_connection_is_no_time_out(make_client: Callable, closed_port: int) -> None:
    client = make_client(base_url=f"http://127.0.0.1:{closed_port}", max_retries=0)
    with pytest.raises(ConnectionError, match="refused") as caught:
        client.get_prompt_version("greeting")
    assert not isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("own_session", [False, True])
def test_a_tls_handshake_that_hangs_is_a_time_out_of_the_connect(
    own_session: bool, make_client: Callable, make_session: Callable, server: FaultServer
) -> None:
    client = make_client(
        base_url=server.url.replace("http://", "https://"),
        open_timeout=0.5,
        max_retries=0,
        session=make_session() if own_session else None,
    )
    with ends_within(NEVER), pytest.raises(TimeoutError, match=r"within 0\.5 seconds \(open_timeout\)"):
        client.get_prompt_version("greeting")


def test_a_time_out_is_tried_again(make_client: Callable, server: FaultServer, clock: ManualClock) -> None:
    server.answers(hangs(), PROMPT)
    assert make_client(timeout=0.3).get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert clock.sleeps == [0.5]


def test_a_slow_answer_that_is_there_in_time_is_fine(make_client: Callable, server: FaultServer) -> None:
    server.answers(drips(PROMPT, pause=0.001))
    server.gives_tokens(drips(token(), pause=0.001))
    client = make_client(timeout=20, open_timeout=0.05, max_retries=0)
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"


def test_a_connection_that_was_used_has_the_whole_time_again(make_client: Callable, server: FaultServer) -> None:
    client = make_client(timeout=1.4, max_retries=0)
    server.answers(drips(PROMPT[-5:], at_once=PROMPT[:-5], pause=0.1))
    for name in ("one", "two", "three"):
        client.get_prompt_version(name)
    assert server.accepted == 1


@pytest.mark.parametrize("fault", ["headers that drip", "a body that drips"])
def test_a_connection_that_the_caller_opened_is_bounded_too(
    fault: str, make_client: Callable, make_session: Callable, server: FaultServer
) -> None:
    session = make_session()
    session.get(f"{server.url}/by-hand")
    server.answers(SLOW[fault])
    server.gives_tokens(SLOW[fault])
    with ends_within(NEVER), pytest.raises(TokenRefreshError):
        make_client(session=session, timeout=0.3, max_retries=0).get_prompt_version("greeting")


def test_the_callers_own_requests_keep_their_own_time_limits(
    make_client: Callable, make_session: Callable, server: FaultServer
) -> None:
    session = make_session()
    make_client(session=session).get_prompt_version("greeting")
    server.answers(drips(b"x" * 16, at_once=head(Content_Length=16), pause=0.05))
    assert session.get(f"{server.url}/download", timeout=0.4).content == b"x" * 16


def test_an_address_that_this_machine_cannot_speak_to_is_passed_over(
    client: ScopeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    strange = (99, socket.SOCK_STREAM, 6, "", ("lo", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [strange, *resolve(*args, **options)])
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"


def test_an_address_that_refuses_is_followed_by_the_next(
    client: ScopeClient, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    refuses = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", closed_port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [refuses, *resolve(*args, **options)])
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"


def test_a_client_that_is_closed_between_two_attempts_keeps_its_bounds(
    make_client: Callable, server: FaultServer
) -> None:
    closing = Clock(sleep=lambda _: client.close())
    client = make_client(timeout=0.3, max_retries=1, clock=closing)
    server.answers(answer("", 503), drips(BODY, at_once=HEAD, pause=0.1))
    with ends_within(NEVER), pytest.raises(TimeoutError):
        client.get_prompt_version("greeting")
