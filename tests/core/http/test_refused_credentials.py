"""Refused credentials are tried again after a pause that grows to a minute, however often a client reads."""

from __future__ import annotations

import itertools
from typing import Callable

import pytest
from faults.child import in_a_child
from faults.clock import ManualClock
from faults.crowd import crowd
from faults.reading import content, wait_until_idle, warnings
from faults.replies import answer, error, prompt, token
from faults.server import FaultServer

from scope_client import (
    AuthenticationError,
    InvalidCredentialsError,
    ScopeClient,
    ServerError,
    Telemetry,
    TokenRefreshError,
)

Make = Callable[..., ScopeClient]
PAUSES = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


@pytest.fixture
def client(make_client: Make) -> ScopeClient:
    return make_client(cache_ttl=100)


def refusal(client: ScopeClient, name: str = "greeting", **options: object) -> InvalidCredentialsError:
    with pytest.raises(InvalidCredentialsError) as caught:
        content(client, name, **options)
    return caught.value


@pytest.mark.parametrize("status", [401, 403])
def test_a_loop_posts_once_a_pause(status: int, client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    server.gives_tokens(error(status, "no such key", "bad_key"))
    posted_at = []
    started = clock.time
    while clock.time < started + sum(PAUSES) - 1:
        before = len(server.logins)
        found = refusal(client)
        assert (found.http_status, found.error_code) == (status, "bad_key")
        if len(server.logins) > before:
            posted_at.append(clock.time - started)
        clock.passes(0.25)
    assert posted_at == [0.0, *itertools.accumulate(PAUSES[:-1])]
    assert (server.reads, client.status().is_down) == ([], False)


def test_the_error_says_when_the_next_try_is(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    server.gives_tokens(error(401, "no such key"))
    first = refusal(client)
    clock.passes(1)
    refusal(client)
    clock.passes(0.5)
    again = refusal(client)
    assert str(again) == again.message == f"{first}; this client tries them again in 2 s"
    assert again.http_body == first.http_body


def test_the_pause_holds_for_all_prompts_past_the_cache_and_after_a_clear(
    client: ScopeClient, server: FaultServer
) -> None:
    server.gives_tokens(error(401))
    refusal(client)
    refusal(client, "other")
    refusal(client, label="latest")
    refusal(client, cache=False)
    refusal(client, cache_ttl=0)
    refusal(client, fallback="stand-in")
    client.clear_cache()
    client.close()
    refusal(client)
    assert not client.prefetch(["a", "b", "c"]).is_complete
    assert len(server.logins) == 1


def test_it_ends_with_a_new_client(make_client: Make, server: FaultServer) -> None:
    server.gives_tokens(error(401), token())
    refusal(make_client())
    assert content(make_client()) == "Hello, {{name}}!"


def test_a_success_ends_it_and_the_next_one_begins_small(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(error(401), error(401), token("good"), error(401))
    for pause in PAUSES[:2]:
        refusal(client)
        clock.passes(pause)
    assert content(client) == "Hello, {{name}}!"
    server.answers(error(401), prompt("never"))  # the token is revoked
    assert len(server.logins) == 3
    refusal(client, "other")
    clock.passes(0.99)
    refusal(client, "other")
    assert len(server.logins) == 4
    clock.passes(0.01)
    refusal(client, "other")
    assert len(server.logins) == 5


def test_many_threads_post_once_a_pause(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client, names = make_client(), map("prompt-{}".format, itertools.count())
    server.gives_tokens(error(401))
    for logins in (1, 2):
        errors = crowd(16, lambda: [refusal(client, next(names)) for _ in range(5)])
        assert len({id(each) for found in errors for each in found}) == 80
        assert len(server.logins) == logins
        clock.passes(1)


def test_while_a_token_is_alive_it_is_used_and_its_early_renewal_keeps_the_pauses(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(token(expires_in=1000), error(401))
    content(client, cache=False)
    clock.passes(945)  # within the buffer of a minute
    tried_at = []
    for seconds in range(54):
        before = len(server.logins)
        assert content(client, cache=False) == "Hello, {{name}}!"
        wait_until_idle(client)
        if len(server.logins) > before:
            tried_at.append(seconds)
        clock.passes(1)
    assert len(tried_at) <= 6
    clock.passes(2)
    refusal(client, cache=False)


def test_a_version_that_is_fresh_is_served_meanwhile(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(token(expires_in=10), error(401))
    content(client)
    clock.passes(50)
    refusal(client, "other")
    assert [content(client) for _ in range(3)] == ["Hello, {{name}}!"] * 3


def test_only_what_was_asked_is_counted_and_told(client: ScopeClient, server: FaultServer) -> None:
    told: list[object] = []
    unregister = Telemetry.on_error(told.append)
    server.gives_tokens(error(401))
    for _ in range(5):
        refusal(client)
    unregister()
    assert len(told) == client.status().counters["errors"] == 1


def test_a_forked_child_keeps_the_pause(client: ScopeClient, server: FaultServer) -> None:
    server.gives_tokens(error(401))
    refusal(client)
    assert in_a_child(lambda: type(refusal(client))) is InvalidCredentialsError
    assert len(server.logins) == 1


def test_an_endpoint_that_is_down_is_no_refusal_and_does_not_end_the_pauses(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(error(401), error(503), error(401))
    refusal(client)
    clock.passes(1)
    assert content(client, fallback="stand-in") == "stand-in"
    refusal(client)
    clock.passes(1.99)
    refusal(client)
    assert len(server.logins) == 3


def replaced_at(client: ScopeClient, server: FaultServer, clock: ManualClock, seconds: float) -> list[float]:
    """When a loop of reads that are refused bought a token, in seconds from now on."""
    found, started = [], clock.time
    while clock.time < started + seconds:
        before = len(server.logins)
        with pytest.raises(AuthenticationError):
            content(client, f"name-{clock.time}", cache=int(clock.time) % 2 == 0)
        if len(server.logins) > before:
            found.append(clock.time - started)
        clock.passes(0.25)
    return found


def test_a_platform_that_takes_no_token_is_bought_one_a_pause(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    content(client)
    server.gives_tokens(*[token(f"token-{number}") for number in range(2, 20)])
    server.answers(error(401))
    assert replaced_at(client, server, clock, 60.0) == [0.0, *itertools.accumulate(PAUSES[:5])]


def test_a_crowd_of_names_buys_few_tokens_a_pause(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client, names = make_client(), map("prompt-{}".format, itertools.count())
    content(client)
    server.answers(error(401))

    def read() -> None:
        with pytest.raises(AuthenticationError):
            content(client, next(names))

    for pauses in (1, 2):
        crowd(16, lambda: [read() for _ in range(3)])
        # One, and what is bought before the first of them is refused: without the pause there would be 48.
        assert 1 + pauses <= len(server.logins) <= 1 + 4 * pauses
        clock.passes(1)


def test_a_token_that_is_revoked_is_replaced_at_once_however_often(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(*[token(f"token-{number}") for number in range(1, 6)])
    server.answers(*[error(401), prompt()] * 4)
    for _ in range(4):
        assert content(client, cache=False) == "Hello, {{name}}!"
    assert len(server.logins) == 5


def test_a_prompt_that_is_always_refused_takes_no_token_from_the_others_for_longer_than_a_second(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(lambda peer: peer.send(error(401) if "/odd/" in peer.request.line else prompt()))
    for _ in range(8):
        with pytest.raises(AuthenticationError):
            content(client, "odd", cache=False)
        assert content(client, cache=False) == "Hello, {{name}}!"
        clock.passes(0.5)
    assert len(server.logins) == 1 + 4


@pytest.mark.parametrize(
    "reply", [error(400), error(404), error(410), error(422), error(302, Location="/x"), answer("<html>"), token("")]
)
def test_a_token_endpoint_that_answers_oddly_is_asked_once_a_second(
    reply: bytes, make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(reply)
    names = map("prompt-{}".format, itertools.count())
    for count in (1, 2, 3):
        for _ in range(4):
            with pytest.raises(TokenRefreshError):
                content(client, next(names))
            clock.passes(0.24)
        assert len(server.logins) == count
        clock.passes(0.05)
    server.gives_tokens(token())
    clock.passes(1)
    assert content(client, next(names)) == "Hello, {{name}}!"


@pytest.mark.parametrize(("asked_to_wait", "waits"), [(20, 20.0), (300, 30.0)])
def test_a_token_endpoint_that_asks_to_wait_is_asked_by_nobody_meanwhile(
    asked_to_wait: int, waits: float, make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(error(429, Retry_After=asked_to_wait), token())
    names = map("prompt-{}".format, itertools.count())

    def told() -> float | None:
        with pytest.raises(TokenRefreshError) as caught:
            content(client, next(names), cache=False)
        return caught.value.retry_after

    assert told() == asked_to_wait
    clock.passes(5)
    assert crowd(8, told) == [asked_to_wait - 5] * 8
    assert content(client, "other", fallback="stand-in") == "stand-in"
    clock.passes(waits - 5.01)
    assert told() == pytest.approx(asked_to_wait - waits + 0.01)
    assert len(server.logins) == 1
    clock.passes(0.01)
    assert content(client, next(names)) == "Hello, {{name}}!"


def test_a_renewal_that_is_asked_to_wait_does(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(token(expires_in=1000), error(429, Retry_After=20), token("token-2"))
    content(client, cache=False)
    clock.passes(945)  # within the buffer of a minute
    for _ in range(19):
        assert content(client, cache=False) == "Hello, {{name}}!"
        wait_until_idle(client)
        clock.passes(1)
    assert len(server.logins) == 2
    clock.passes(2)
    content(client, cache=False)
    wait_until_idle(client)
    assert len(server.logins) == 3


def test_a_token_that_could_not_be_tried_is_not_one_in_vain(make_client: Make, server: FaultServer) -> None:
    """The platform fails just when it has sold a new token, starts anew, and knows that one no longer."""
    client = make_client(max_retries=0)
    content(client)
    server.answers(error(401), error(503), error(401), prompt("new"))
    with pytest.raises(ServerError):
        content(client, "another")
    assert content(client, "a third") == "new"


def test_one_that_is_asked_to_wait_says_when_it_asks_and_takes_nobody_for_refused(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(error(429, "slow down", Retry_After=20))
    with pytest.raises(TokenRefreshError):
        content(client)
    clock.passes(5)
    with pytest.raises(TokenRefreshError, match=r"; this client asks again in 15 s$"):
        content(client, cache=False)
    assert not client.status().is_refused


def test_an_early_renewal_that_was_refused_is_not_tried_in_its_pause(
    make_client: Make, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(cache_ttl=1, max_retries=0)
    server.gives_tokens(token(expires_in=1000), error(429, Retry_After=30))
    content(client)
    clock.passes(950)
    content(client)
    wait_until_idle(client)
    for passes in (6, 6, 6, 6, 5.9):
        clock.passes(passes)
        content(client, cache=False)
        wait_until_idle(client)
    assert (len(server.logins), len(warnings(caplog, "scope_client.tokens"))) == (2, 1)
    clock.passes(0.1)
    content(client, cache=False)
    wait_until_idle(client)
    assert len(server.logins) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_the_error_has_the_facts_of_the_answer(status: int, make_client: Make, server: FaultServer) -> None:
    server.gives_tokens(error(status, "no such key", "bad_key"))
    with pytest.raises(TokenRefreshError if status >= 404 else InvalidCredentialsError) as caught:
        content(make_client(max_retries=0))
    found = caught.value
    said = "could not get a token: " if status >= 404 else "the platform refused these credentials, check the "
    assert str(found).startswith(said)
    assert "no such key" in str(found.http_body)
    assert (found.http_status, found.error_code) == (status, "bad_key")
    assert found.request_id == server.logins[0].header("X-Request-ID")
