"""Where the platform cannot answer, readers get the last known good version and hardly wait for it."""

from __future__ import annotations

import threading
from typing import Callable

import pytest
from faults.clock import ManualClock, ends_within, eventually
from faults.crowd import Crowd, crowd
from faults.reading import content, counted, is_idle, wait_until_idle, warnings
from faults.replies import PROMPT, Gate, answer, closes, drips, error, hangs, head, json_answer, prompt, resets
from faults.server import FaultServer

from scope_client import (
    ApiError,
    AuthenticationError,
    AuthorizationError,
    Clock,
    ConnectionError,
    InvalidCredentialsError,
    NotFoundError,
    RateLimitError,
    ScopeClient,
    ServerError,
    TimeoutError,
)

Make = Callable[..., ScopeClient]
LONG = 20.0
OUTAGES = {
    **{str(status): error(status) for status in (408, 429, 500, 502, 503, 504, 599)},
    "closed": closes(),
    "reset": resets(),
    "cut short": closes(head(Content_Length=100) + b"{"),
    "an empty 200": answer(""),
    "HTML": answer("<html>", Content_Type="text/html"),
    "a list": json_answer([]),
    "no content": json_answer({"id": "v_1"}),
    "a redirect": head(302, Location="http://127.0.0.1:1/", Content_Length=0),
    "a Retry-After of an hour": error(503, Retry_After=3600),
}


@pytest.fixture
def client(make_client: Make) -> ScopeClient:
    return make_client(cache_ttl=100)


def expired(client: ScopeClient, server: FaultServer, clock: ManualClock, *replies: object) -> None:
    """What is known of `greeting` is past its end, and the platform answers so from now on."""
    server.answers(prompt("known"))
    content(client)
    clock.passes(101)
    server.answers(*replies)


@pytest.mark.parametrize("fault", OUTAGES)
def test_readers_get_the_last_known_good(
    fault: str, client: ScopeClient, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    expired(client, server, clock, OUTAGES[fault])
    assert [content(client) for _ in range(5)] == ["known"] * 5
    assert client.status().is_down
    assert client.status().is_serving_stale
    assert len(warnings(caplog, "scope_client.outage")) == 1


def test_refused_connections_are_an_outage(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    expired(client, server, clock, PROMPT)
    server.__exit__()
    assert content(client) == content(client) == "known"
    with pytest.raises(ConnectionError):
        content(client, "other")


@pytest.mark.parametrize("reply", [error(503), error(404), closes(), answer("no token")])
def test_a_token_endpoint_that_is_down_is_an_outage(
    reply: object, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    expired(client, server, clock, prompt("new"))
    clock.passes(4000)
    server.gives_tokens(reply)
    assert content(client) == content(client) == "known"
    assert client.status().is_down


@pytest.mark.parametrize("hanging", [hangs(), hangs(b"HTTP/1.1 200 OK\r\n"), drips(PROMPT * 99, pause=0.1)])
def test_the_first_reader_of_a_server_that_hangs_waits_about_a_second_and_the_later_ones_not_at_all(
    hanging: object, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    content(client, "other")
    expired(client, server, clock, hanging)
    with ends_within(8):  # the time-out is 30
        assert content(client) == "known"
    with ends_within(5):
        assert [content(client) for _ in range(200)] == ["known"] * 200
        assert content(client, "other") == "Hello, {{name}}!"


def test_an_attempt_that_gets_no_answer_in_its_time_is_an_outage(
    make_client: Make, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(timeout=0.3, max_retries=0)
    server.answers(hangs())
    with pytest.raises(TimeoutError) as caught:
        content(client)
    assert not caught.value.is_deadline
    assert client.status().is_down
    # What a client of an earlier test has left behind may tell of its own server meanwhile.
    assert len([told for told in warnings(caplog, "scope_client.outage") if server.url in told]) == 1


def test_many_first_readers_make_one_request(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    expired(client, server, clock, hangs())
    with ends_within(8):
        assert crowd(32, lambda: content(client)) == ["known"] * 32
    assert len(server.reads) <= 3


def test_it_is_asked_again_only_after_a_pause_that_grows(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    expired(client, server, clock, error(503))
    content(client)
    for pause in (1, 2, 4, 8, 16, 30, 30):
        asked = len(server.reads)
        clock.passes(pause - 0.1)
        content(client)
        assert len(server.reads) == asked
        failed = counted(client, "errors")
        clock.passes(0.1)
        content(client)
        eventually(lambda failed=failed: counted(client, "errors") == failed + 1)
        wait_until_idle(client)
        assert len(server.reads) == asked + 1


def test_jitter_halves_the_pause_at_most(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    clock.chance = 0.0
    expired(client, server, clock, error(503))
    content(client)
    asked = len(server.reads)
    clock.passes(0.49)
    content(client)
    assert len(server.reads) == asked
    clock.passes(0.01)
    content(client)
    server.wait_for_reads(asked + 1)


@pytest.mark.parametrize(("asked_for", "pause"), [(20, 20), (30, 30), (3600, 30)])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_up_to_retry_max_delay(
    status: int, asked_for: int, pause: float, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    content(client, "other")
    expired(client, server, clock, error(status, Retry_After=asked_for), prompt("new"))
    content(client)
    clock.passes(pause - 0.1)
    content(client)
    content(client, "other", cache_ttl=0)
    assert len(server.reads) == 3
    clock.passes(0.2)
    content(client)
    eventually(lambda: content(client) == "new")


def test_a_long_retry_after_is_not_cut_short_by_another_failure(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    content(client, "other")
    expired(client, server, clock, error(429, Retry_After=20), error(503))
    content(client)
    with pytest.raises(ServerError):
        content(client, "cold")
    asked = len(server.reads)
    clock.passes(15)
    content(client, "other")
    wait_until_idle(client)
    assert len(server.reads) == asked


def test_a_renewal_that_waits_its_turn_is_given_up_when_the_platform_turns_out_to_be_down(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    names, gate = [f"prompt-{number}" for number in range(20)], Gate()
    for name in names:
        content(client, name)
    server.answers(gate.holds(error(503)))
    clock.passes(90)
    for name in names:
        content(client, name)
    server.wait_for_reads(22)
    gate.open()
    wait_until_idle(client)
    assert len(server.reads) <= 24


def test_an_outage_is_logged_once_and_the_next_one_again(
    client: ScopeClient, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("one", "two"):
        content(client, name)
    for outages in (1, 2):
        expired(client, server, clock, error(503, "out of order"))
        for name in ("greeting", "one", "two") * 3:
            content(client, name)
            clock.passes(0.1)
        assert len(warnings(caplog, "scope_client.outage")) == outages
        assert "out of order" in warnings(caplog, "scope_client.outage")[-1]
        wait_until_idle(client)
        server.answers(prompt("back"))
        clock.passes(40)
        content(client)
        eventually(lambda: content(client) == "back")
        clock.passes(101)


@pytest.mark.parametrize(
    ("reply", "kind"), [(error(404, "Prompt not found"), NotFoundError), (error(503), ServerError)]
)
def test_an_outage_is_logged_even_if_it_is_first_seen_on_a_prompt_that_failed_the_day_before(
    reply: bytes,
    kind: type,
    make_client: Make,
    server: FaultServer,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    server.answers(reply, PROMPT)
    with pytest.raises(kind):
        content(client, "unlucky")
    content(client)
    caplog.clear()
    clock.passes(86_000)
    server.answers(error(503))
    with pytest.raises(ServerError):
        content(client, "unlucky")
    assert content(client) == "Hello, {{name}}!"
    assert len(warnings(caplog, "scope_client.outage")) == 1


def test_recovery_brings_the_new_version_without_a_restart(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    expired(client, server, clock, hangs(), prompt("new"))
    assert content(client) == "known"
    eventually(lambda: content(client) == "new")
    assert not client.status().is_down
    assert not client.status().is_serving_stale


def test_stale_if_error_bounds_it(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100, stale_if_error=1000, max_retries=0)
    clock.chance = 0.0
    expired(client, server, clock, error(503))
    clock.passes(998.9)
    assert content(client) == "known"
    clock.passes(0.2)
    with pytest.raises(ServerError):
        content(client)


def test_stale_if_error_0_switches_it_off(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100, stale_if_error=0, max_retries=0)
    expired(client, server, clock, error(429), prompt("new"))
    with pytest.raises(RateLimitError):
        content(client)
    assert content(client) == "new"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(401), AuthenticationError),
        (error(403), AuthorizationError),
        (error(404, "Prompt not found"), NotFoundError),
        (error(410), NotFoundError),
        (error(400), ApiError),
    ],
)
@pytest.mark.parametrize("is_down_first", [False, True])
def test_what_the_platform_refuses_is_raised(
    reply: bytes, kind: type, is_down_first: bool, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    expired(client, server, clock, error(503) if is_down_first else reply)
    if is_down_first:
        assert content(client) == "known"
        server.answers(reply)
        clock.passes(2)
        failed = counted(client, "errors")
        assert content(client) == "known"
        eventually(lambda: counted(client, "errors") == failed + 1)
        wait_until_idle(client)
    with pytest.raises(kind):
        content(client)


def test_a_refusal_that_comes_while_a_stale_version_is_being_served_is_not_forgotten(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    """The renewal is over before the reader, who asked for it, has its answer."""
    reader, client = threading.get_ident(), None

    def now() -> float:
        if client is not None and threading.get_ident() == reader and not is_idle(client):
            eventually(lambda: client._rooms.counters.counts["errors"] == failed + 1 and is_idle(client))
        return clock.time

    client = make_client(cache_ttl=100, clock=Clock(now=now, sleep=clock.passes, chance=lambda: 1.0))
    expired(client, server, clock, error(503))
    content(client)
    server.answers(error(403))
    clock.passes(2)
    failed = counted(client, "errors")
    assert content(client) == "known"
    with pytest.raises(AuthorizationError):
        content(client)


def test_credentials_that_are_refused_are_raised(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    expired(client, server, clock, PROMPT)
    clock.passes(4000)
    server.gives_tokens(error(401))
    with pytest.raises(InvalidCredentialsError):
        content(client)


def test_cache_false_sees_none_of_it(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    expired(client, server, clock, error(503))
    content(client)
    for _ in range(3):
        asked = len(server.reads)
        with pytest.raises(ServerError):
            content(client, cache=False)
        assert len(server.reads) == asked + 1


def test_a_prompt_that_always_fails_does_not_hold_up_the_others(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    server.answers(lambda peer: peer.send(error(500) if "broken" in peer.request.target else PROMPT))
    for number in range(10):
        with pytest.raises(ServerError):
            content(client, "broken")
        assert content(client, f"fine-{number}") == "Hello, {{name}}!"
    server.answers(lambda peer: peer.send(error(500) if "broken" in peer.request.target else prompt("new")))
    clock.passes(101)
    with pytest.raises(ServerError):
        content(client, "broken")
    content(client, "fine-1")
    clock.passes(0.5)
    content(client, "fine-1")
    eventually(lambda: content(client, "fine-1") == "new")


def test_a_cache_ttl_of_the_call_gets_the_last_known_good_too(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("known"), error(503))
    content(client)
    clock.passes(10)
    assert content(client, cache_ttl=5) == content(client, cache_ttl=0) == content(client, cache_ttl=20) == "known"
    assert not client.status().is_serving_stale


def test_clear_cache_forgets_the_last_known_good(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    expired(client, server, clock, error(503))
    content(client)
    client.clear_cache()
    with pytest.raises(ServerError):
        content(client)


def test_clear_cache_in_the_middle_of_an_outage_leaves_readers_who_wait_their_version(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    gate = Gate()
    expired(client, server, clock, gate.holds(prompt("new")))
    early = Crowd(4, lambda: content(client))
    server.wait_for_reads(2)
    client.clear_cache()
    gate.open()
    assert set(early.outcomes()) <= {"known", "new"}
    assert client.status().prompts == () or content(client) == "new"
