"""A connection that died while it was idle is replaced: that is no retry, no outage, and nobody waits for long."""

from __future__ import annotations

import builtins
import time
from typing import TYPE_CHECKING, Callable

import pytest
import requests
from faults import inside
from faults.certificate import certificate
from faults.clock import ManualClock, ends_within
from faults.crowd import Crowd
from faults.nginx import Nginx
from faults.reading import content, wait_until_idle, warnings
from faults.replies import PROMPT, Gate, closes, drips, error, hangs, prompt, resets, token
from faults.server import FaultServer, Peer, Reply
from faults.timelimit import TimeLimit
from faults.tunnels import ConnectProxy

from scope_client import ScopeClient, ServerError, Telemetry, TimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator

DEAD = {"closed": closes(), "reset": resets()}
NEVER = 6.0


@pytest.fixture
def nginx() -> Iterator[Nginx]:
    with Nginx() as started:
        yield started


@pytest.fixture(params=["our session", "the caller's session"])
def make(
    request: pytest.FixtureRequest, make_client: Callable[..., ScopeClient], make_session: Callable
) -> Callable[..., ScopeClient]:
    """Clients without retries, over a session of their own or over one of the caller's."""
    session = None if request.param == "our session" else make_session()
    return lambda **options: make_client(**{"session": session, "max_retries": 0, **options})


def each_dies(reply: Callable[[Peer], None]) -> Reply:
    """Each connection answers once, and does this to its second request."""
    served: list[Peer] = []

    def answers(peer: Peer) -> None:
        if peer in served:
            reply(peer)
        else:
            served.append(peer)
            peer.send(PROMPT)

    return answers


@pytest.mark.parametrize("fault", DEAD)
def test_a_connection_that_is_dead_on_reuse_is_replaced_at_once(
    fault: str,
    make: Callable[..., ScopeClient],
    server: FaultServer,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = make()
    content(client, "a")
    server.answers(DEAD[fault], PROMPT)
    assert content(client, "b") == "Hello, {{name}}!"
    assert server.accepted == 2
    assert clock.sleeps == []
    assert warnings(caplog) == []
    assert not client.status().is_down


@pytest.mark.parametrize("fault", [*DEAD, "silent"])
def test_over_tls_too(
    fault: str, make: Callable[..., ScopeClient], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate().authority))
    with FaultServer(tls=True) as secure:
        client = make(base_url=secure.url, auth_api_url=secure.url)
        content(client, "a")
        inside.lets_connections_rest(client, 1)
        secure.answers({**DEAD, "silent": hangs()}[fault], PROMPT)
        assert content(client, "b") == "Hello, {{name}}!"
        assert secure.accepted == 2
    assert clock.sleeps == []


@pytest.mark.parametrize("fault", DEAD)
def test_through_a_tunnel_too(fault: str, make_client: Callable[..., ScopeClient], session: requests.Session) -> None:
    session.verify = str(certificate().authority)
    with FaultServer(tls=True) as secure, ConnectProxy() as proxy:
        session.proxies["https"] = proxy.url
        client = make_client(base_url=secure.url, auth_api_url=secure.url, session=session, max_retries=0)
        content(client, "a")
        secure.answers(DEAD[fault], PROMPT)
        assert content(client, "b") == "Hello, {{name}}!"
        assert (secure.accepted, proxy.carried) == (2, 2)


@pytest.mark.parametrize("fault", DEAD)
def test_through_a_proxy_too(
    fault: str, make: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    far = "http://scope.example"
    client = make(base_url=far, auth_api_url=far, allow_insecure=True)
    content(client, "a")
    server.answers(DEAD[fault], PROMPT)
    assert content(client, "b") == "Hello, {{name}}!"
    assert server.accepted == 2


@pytest.mark.parametrize("fault", [*DEAD, "silent"])
def test_a_token_is_bought_over_a_new_connection(
    fault: str, make: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make(timeout=4)
    content(client, "a")
    clock.passes(3601)
    inside.lets_connections_rest(client, 1)
    server.gives_tokens({**DEAD, "silent": hangs()}[fault], token("token-2"))
    with ends_within(NEVER):
        assert content(client, "b") == "Hello, {{name}}!"
    assert server.reads[-1].header("Authorization") == "Bearer token-2"
    assert clock.sleeps == []


@pytest.mark.parametrize("fault", [*DEAD, "silent"])
def test_a_renewal_in_the_background_takes_it_for_no_outage(
    fault: str,
    make: Callable[..., ScopeClient],
    server: FaultServer,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = make(cache_ttl=100, timeout=4)
    content(client)
    clock.passes(95)
    inside.lets_connections_rest(client, 1)
    server.answers({**DEAD, "silent": hangs()}[fault], prompt("new"))
    content(client)
    wait_until_idle(client)
    assert content(client) == "new"
    assert not client.status().is_down
    assert warnings(caplog) == []


@pytest.mark.parametrize("fault", DEAD)
def test_of_several_dead_connections_none_is_tried_after_the_first(
    fault: str, make: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make()
    names = iter("abcd")
    gate = Gate()
    server.answers(gate.holds(PROMPT))
    readers = Crowd(4, lambda: content(client, next(names)))
    server.wait_for_reads(4)
    gate.open()
    assert len(readers.outcomes()) == 4
    opened = server.accepted
    assert opened >= 4
    server.answers(DEAD[fault], PROMPT)
    content(client, "e")
    assert server.accepted == opened + 1
    assert len(server.reads) == 6
    server.wait_until_open(1)


@pytest.mark.parametrize("options", [{"deadline": 2}, {}], ids=["a deadline", "no deadline"])
def test_a_request_that_vanishes_on_an_idle_connection_is_sent_over_a_new_one(
    options: dict[str, float], make: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make(timeout=30, open_timeout=10)
    content(client, "a")
    inside.lets_connections_rest(client, 1)
    server.answers(hangs(), PROMPT)
    with ends_within(NEVER):
        assert content(client, "b", **options) == "Hello, {{name}}!"
    assert (server.accepted, len(server.reads)) == (2, 3)
    assert clock.sleeps == []


def test_every_idle_connection_may_swallow_what_is_sent(make: Callable[..., ScopeClient], server: FaultServer) -> None:
    client = make(timeout=8)
    server.answers(each_dies(hangs()))
    with ends_within(3 * NEVER):
        for name in "abcd":
            assert content(client, name) == "Hello, {{name}}!"
            inside.lets_connections_rest(client, 30)
    assert (server.accepted, len(server.reads)) == (4, 7)


@pytest.mark.parametrize(("rested", "is_new"), [(59, False), (61, True), (400, True)])
def test_a_connection_that_was_idle_for_a_minute_is_not_used(
    rested: float, is_new: bool, make: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make()
    content(client, "a")
    inside.lets_connections_rest(client, rested)
    content(client, "b")
    assert server.accepted == 1 + is_new
    if is_new:
        server.wait_until_open(1)


def test_a_minute_that_passed_while_the_machine_slept_counts(
    make: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make()
    content(client, "a")
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + 61)
    content(client, "b")
    assert server.accepted == 2


def test_a_clock_that_is_set_back_makes_no_connection_look_used_just_now(
    make: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make()
    content(client, "a")
    inside.lets_connections_rest(client, 61)
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() - 3600)
    content(client, "b")
    assert server.accepted == 2


def answers_after(seconds: float) -> Reply:
    def answers(peer: Peer) -> None:
        peer.stopping.wait(seconds)
        peer.send(PROMPT)

    return answers


@pytest.mark.parametrize(("latency", "timeout"), [(0.7, 1.2), (0.4, 20)])
def test_a_platform_that_is_slow_and_well_is_asked_once(
    latency: float, timeout: float, make: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.answers(answers_after(latency))
    server.gives_tokens(token())
    client = make(timeout=timeout)
    for name in "abc":
        assert content(client, name) == "Hello, {{name}}!"
        inside.lets_connections_rest(client, 5)
    assert len(server.reads) == 3


def test_a_platform_that_becomes_slow_is_still_answered_by(
    make: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make(timeout=4)
    content(client, "a")
    inside.lets_connections_rest(client, 5)
    server.answers(answers_after(1.5))
    assert content(client, "b") == "Hello, {{name}}!"
    assert len(server.reads) == 3


def test_a_platform_that_stays_slow_is_asked_twice_once(make: Callable[..., ScopeClient], server: FaultServer) -> None:
    client = make(timeout=8)
    content(client, "a")
    server.answers(answers_after(1.3))
    for name in "bcd":
        inside.lets_connections_rest(client, 5)
        content(client, name)
    assert len(server.reads) == 5


def test_a_connection_that_was_used_just_now_has_the_whole_time(
    make: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make(timeout=1.5)
    server.answers(answers_after(1.1))
    assert content(client, "a") == "Hello, {{name}}!"
    assert len(server.reads) == 1


@pytest.mark.parametrize(
    "fault", [closes(PROMPT[:30]), resets(PROMPT[:30]), error(503)], ids=["cut off", "reset", "a 503"]
)
def test_an_answer_that_has_begun_says_something_about_the_platform(
    fault: Reply, make: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make()
    content(client, "a")
    server.answers(fault)
    with pytest.raises(Exception, match=r"503|broke off"):
        content(client, "b")
    assert len(server.reads) == 2


def test_a_new_connection_that_dies_says_something_about_the_platform(
    make: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make(max_retries=1)
    content(client, "a")
    server.answers(closes(), closes(), PROMPT)
    content(client, "b")
    assert len(clock.sleeps) == 1
    assert len(server.reads) == 4


def test_an_answer_that_drips_after_its_first_byte_has_the_whole_time(
    make: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make(timeout=5)
    content(client, "a")
    inside.lets_connections_rest(client, 5)
    server.answers(drips(PROMPT[:20], at_once=b"", pause=0.1), PROMPT)
    with pytest.raises(TimeoutError):
        content(client, "b", deadline=3)
    assert len(server.reads) == 2


def test_telemetry_tells_of_one_request(make: Callable[..., ScopeClient], server: FaultServer) -> None:
    client = make()
    content(client, "a")
    server.answers(closes(), PROMPT)
    told: list[str] = []
    Telemetry.on_request(lambda info: told.append(info.method))
    Telemetry.on_error(lambda info: told.append("error"))
    content(client, "b")
    assert told == ["GET"]


@pytest.mark.parametrize(
    "error", [builtins.TimeoutError("time is up"), ConnectionResetError(104, "time is up"), RuntimeError("time is up")]
)
def test_a_time_limit_of_the_callers_is_not_taken_for_a_dead_connection(
    error: Exception, make: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make(timeout=20)
    content(client, "a")
    inside.lets_connections_rest(client, 5)
    server.answers(hangs())
    with ends_within(NEVER), pytest.raises(type(error), match="time is up") as caught, TimeLimit(error, 0.3):
        content(client, "b")
    assert caught.value is error
    assert len(server.reads) == 2


def test_the_callers_own_requests_over_the_same_session_are_as_ever(
    make_client: Callable[..., ScopeClient], session: requests.Session, server: FaultServer
) -> None:
    client = make_client(session=session)
    content(client, "a")
    server.answers(closes(), PROMPT)
    with pytest.raises(requests.ConnectionError):
        session.get(f"{server.url}/by-hand")


def test_a_refusal_after_the_connection_was_replaced_is_that_of_the_platform(
    make: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make()
    content(client, "a")
    server.answers(closes(), error(500))
    with pytest.raises(ServerError) as caught:
        content(client, "b")
    assert caught.value.__context__ is None


def test_nginx_that_answers_nothing_on_a_connection_in_use(
    make: Callable[..., ScopeClient], nginx: Nginx, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    client = make(base_url=nginx.url, auth_api_url=nginx.url)
    for name in "abcdefgh":
        assert content(client, name) == "Hello, {{name}}!"
    assert clock.sleeps == []
    assert warnings(caplog) == []
