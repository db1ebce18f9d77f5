"""`deadline` bounds a whole call: token, attempts, the pauses between them, and waiting for another thread."""

from __future__ import annotations

import builtins
import pickle
from typing import Any, Callable

import pytest
from faults.clock import ManualClock, ends_within
from faults.crowd import Crowd, crowd
from faults.reading import content
from faults.replies import PROMPT, Gate, closes, drips, error, hangs, head, prompt
from faults.server import FaultServer

from scope_client import (
    Clock,
    Configuration,
    ConfigurationError,
    ConnectionError,
    ScopeClient,
    TimeoutError,
    ValidationError,
)

Make = Callable[..., ScopeClient]
LONG = 8.0  # far below the time-out of an attempt, 30
SLOW = {"hangs": hangs(), "drips": drips(b"x" * 999, at_once=head(Content_Length=999), pause=0.05)}


@pytest.fixture
def client(make_client: Make) -> ScopeClient:
    """By the real clock: what these tests let it wait for is real."""
    return make_client(clock=Clock())


def times_out(client: ScopeClient, **options: object) -> TimeoutError:
    with ends_within(LONG), pytest.raises(TimeoutError) as caught:
        content(client, **options)
    assert caught.value.is_deadline
    return caught.value


@pytest.mark.parametrize("slow", SLOW)
@pytest.mark.parametrize("retries", [0, 3])
@pytest.mark.parametrize("where", ["answers", "gives_tokens"])
def test_it_ends_an_attempt_that_hangs(
    where: str, retries: int, slow: str, make_client: Make, server: FaultServer
) -> None:
    getattr(server, where)(SLOW[slow])
    raised = times_out(make_client(clock=Clock(), max_retries=retries), deadline=0.3)
    assert isinstance(raised, builtins.TimeoutError)
    assert pickle.loads(pickle.dumps(raised)).is_deadline


def test_a_refused_connection_is_told_as_one_by_whoever_has_time_for_no_other(
    make_client: Make, closed_port: int
) -> None:
    client = make_client(base_url=f"http://127.0.0.1:{closed_port}", max_retries=0)
    with pytest.raises(ConnectionError, match="refused") as caught:
        content(client, deadline=1)
    assert not isinstance(caught.value, TimeoutError)


def test_an_attempt_that_outlasts_it_ends_the_call_though_it_was_not_cut_short(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    def outlasts(peer: Any) -> None:
        clock.passes(10)
        hangs()(peer)

    server.answers(outlasts)
    with ends_within(LONG), pytest.raises(TimeoutError) as caught:
        content(make_client(timeout=0.3, max_retries=0), deadline=5)
    assert caught.value.is_deadline


def test_a_deadline_of_the_configuration_holds_for_every_call(make_client: Make, server: FaultServer) -> None:
    client = make_client(clock=Clock(), deadline=0.3)
    server.answers(hangs())
    times_out(client)
    times_out(client, cache=False)
    times_out(client, deadline=0.2)


def test_a_deadline_of_the_call_takes_the_place_of_that_of_the_configuration(
    make_client: Make, server: FaultServer
) -> None:
    server.answers(drips(PROMPT[-8:], at_once=PROMPT[:-8], pause=0.05))
    assert content(make_client(clock=Clock(), deadline=0.1), deadline=20) == "Hello, {{name}}!"


@pytest.mark.parametrize("where", ["answers", "gives_tokens"])
def test_it_never_sleeps_past_it(where: str, make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    getattr(server, where)(error(503))
    client = make_client(deadline=3.4, max_retries=20)
    started = clock.time
    raised = times_out(client)
    assert clock.sleeps == [0.5, 1.0]  # the next one is 2
    assert clock.time < started + 3.4
    assert raised.http_status == 503
    assert "said the server" in str(raised)
    assert raised.__cause__ is not None


def test_a_retry_after_past_it_is_not_slept_on(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(429, Retry_After=20))
    assert times_out(client, deadline=5).http_status == 429
    assert len(server.reads) == 1


def test_it_bounds_the_wait_for_another_threads_call(client: ScopeClient, server: FaultServer) -> None:
    gate = Gate()
    server.answers(gate.holds(PROMPT))
    patient = Crowd(1, lambda: content(client))
    server.wait_for_reads(1)
    times_out(client, deadline=0.2)
    gate.open()
    assert patient.outcomes() == ["Hello, {{name}}!"]
    assert len(server.reads) == 1


def test_it_bounds_the_wait_for_another_threads_token(client: ScopeClient, server: FaultServer) -> None:
    gate = Gate()
    server.gives_tokens(gate.holds(error(403)))
    patient = Crowd(1, lambda: content(client))
    server.wait_for_logins(1)
    times_out(client, name="other", deadline=0.2)
    gate.open()
    patient.outcomes()
    assert len(server.logins) == 1


@pytest.mark.parametrize("retries", [0, 3])
@pytest.mark.parametrize("where", ["answers", "gives_tokens"])
def test_a_caller_in_haste_does_not_spoil_it_for_a_patient_one(
    where: str, retries: int, make_client: Make, server: FaultServer
) -> None:
    client = make_client(clock=Clock(), max_retries=retries)
    good = PROMPT if where == "answers" else server.gives_tokens.next()
    getattr(server, where)(hangs(), good)
    hasty = Crowd(1, lambda: content(client, deadline=1.0))
    (server.wait_for_reads if where == "answers" else server.wait_for_logins)(1)
    patient = Crowd(8, lambda: content(client))
    assert patient.outcomes() == ["Hello, {{name}}!"] * 8
    assert [getattr(outcome, "is_deadline", outcome) for outcome in hasty.outcomes()] == [True]


@pytest.mark.parametrize("retries", [0, 3])
def test_a_caller_in_haste_proves_no_outage(retries: int, make_client: Make, server: FaultServer) -> None:
    client = make_client(clock=Clock(), max_retries=retries)
    server.answers(hangs())
    times_out(client, deadline=0.2)
    assert not client.status().is_down


def test_a_caller_in_haste_gets_the_last_known_good(client: ScopeClient, server: FaultServer) -> None:
    server.answers(prompt("known"), hangs())
    content(client)
    with ends_within(LONG):
        assert content(client, cache_ttl=0, deadline=0.1) == "known"


def test_a_caller_in_haste_gets_the_fallback(client: ScopeClient, server: FaultServer) -> None:
    server.answers(hangs())
    with ends_within(LONG):
        assert content(client, deadline=0.1, fallback="stand-in") == "stand-in"
        assert content(client, deadline=0.1, fallback="stand-in", cache=False) == "stand-in"


def test_many_callers_in_haste_are_all_done_in_time(client: ScopeClient, server: FaultServer) -> None:
    server.answers(hangs())
    with ends_within(LONG):
        outcomes = crowd(16, lambda: content(client, deadline=0.3))
    assert {(type(outcome), outcome.is_deadline) for outcome in outcomes} == {(TimeoutError, True)}


def test_what_is_fresh_is_there_in_any_time(client: ScopeClient, server: FaultServer) -> None:
    content(client)
    assert content(client, deadline=1e-9) == "Hello, {{name}}!"
    times_out(client, name="other", deadline=1e-9)
    assert len(server.reads) == 1


def test_an_error_that_comes_in_time_stays_what_it_is(make_client: Make, server: FaultServer) -> None:
    server.answers(closes())
    with pytest.raises(Exception, match="could not be reached") as caught:
        content(make_client(max_retries=2, deadline=60))
    assert not getattr(caught.value, "is_deadline", False)


@pytest.mark.parametrize("deadline", [1e10, 1e308])
def test_a_huge_deadline_is_none_even_while_another_thread_is_waited_for(
    deadline: float, client: ScopeClient, server: FaultServer
) -> None:
    gate = Gate()
    server.answers(gate.holds(PROMPT))
    leader = Crowd(1, lambda: content(client, deadline=deadline))
    server.wait_for_reads(1)
    waiter = Crowd(1, lambda: content(client, deadline=deadline))
    waiter.wait_until_waiting(1)
    gate.open()
    assert leader.outcomes() + waiter.outcomes() == ["Hello, {{name}}!"] * 2


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "5", [], pytest.param(10**400, id="huge")])
def test_a_deadline_that_is_no_time_is_refused(value: Any, client: ScopeClient, server: FaultServer) -> None:
    for options in ({}, {"cache": False}):
        with pytest.raises(ValidationError, match="deadline must be a positive number"):
            content(client, deadline=value, **options)
    with pytest.raises(ValidationError, match="deadline must be"):
        client.prefetch(["greeting"], deadline=value)
    with pytest.raises(ConfigurationError, match="deadline must be"):
        Configuration(deadline=value)
    assert server.requests == []


@pytest.mark.parametrize("bad", [0, -1, "5", float("nan"), True, b"1", [1]])
def test_a_deadline_that_is_none_is_refused_where_the_answer_is_cached_too(bad: object, client: ScopeClient) -> None:
    client.get_prompt_version("greeting")
    with pytest.raises(ValidationError, match="deadline"):
        client.get_prompt_version("greeting", deadline=bad)  # type: ignore[arg-type]
