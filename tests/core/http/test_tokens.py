"""A token is fresh, stale (renewed by one thread while all use it) or dead (all wait for one outcome)."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
from typing import Any, Callable

import pytest
import requests
from faults.clock import ManualClock, eventually
from faults.crowd import Crowd, crowd
from faults.reading import is_idle, wait_until_idle
from faults.replies import PROMPT, Gate, answer, brief, closes, error, json_answer, prompt, token
from faults.server import FaultServer, Peer, Reply

from scope_client import (
    AuthenticationError,
    InvalidCredentialsError,
    PromptVersion,
    ScopeClient,
    TokenRefreshError,
)
from scope_client._attribute_names import STATUS, TOKEN_EXPIRES_IN

HOUR = 3600.0
DAY = 86_400.0


def read(client: ScopeClient, name: str = "greeting") -> PromptVersion:
    return client.get_prompt_version(name, cache=False)


def bearers(server: FaultServer) -> list[str]:
    return [request.header("Authorization") for request in server.reads]


def test_one_token_serves_many_reads(client: ScopeClient, server: FaultServer) -> None:
    for _ in range(5):
        read(client)
    assert bearers(server) == ["Bearer token-1"] * 5
    assert len(server.logins) == 1


def test_it_is_asked_for_in_json(client: ScopeClient, server: FaultServer) -> None:
    client.get_prompt_version("greeting")
    (login,) = server.logins
    assert login.header("Content-Type") == "application/json"
    assert isinstance(json.loads(login.body), dict)


def test_64_threads_without_a_token_buy_one(client: ScopeClient, server: FaultServer) -> None:
    names = map("prompt-{}".format, itertools.count())
    versions = crowd(64, lambda: client.get_prompt_version(next(names)))
    assert all(isinstance(version, PromptVersion) for version in versions)
    assert len(server.logins) == 1
    assert set(bearers(server)) == {"Bearer token-1"}


def test_64_threads_without_a_token_share_one_failure(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client, gate = make_client(max_retries=0), Gate()
    server.gives_tokens(gate.holds(error(403, "no such key")), token())
    names = map("prompt-{}".format, itertools.count())
    readers = Crowd(64, lambda: client.get_prompt_version(next(names)))
    readers.wait_until_waiting(63)
    gate.open()
    assert {type(outcome) for outcome in readers.outcomes()} == {InvalidCredentialsError}
    assert len(server.logins) == 1
    clock.passes(1)
    assert read(client).content == "Hello, {{name}}!"


@pytest.mark.parametrize(
    ("expires_in", "buffer", "fresh_until"),
    [(3600, 60, 3540), (100, 60, 80), (300, 60, 240), (3600, 0, 3600), (3600, 3600, 2880), (3600, 10**9, 2880)],
)
def test_it_is_renewed_the_buffer_before_its_end_or_a_fifth_of_its_life_where_that_is_shorter(
    expires_in: float,
    buffer: float,
    fresh_until: float,
    make_client: Callable[..., ScopeClient],
    server: FaultServer,
    clock: ManualClock,
) -> None:
    client = make_client(token_refresh_buffer=buffer)
    server.gives_tokens(token("token-1", expires_in=expires_in), token("token-2", expires_in=10**6))
    read(client)
    clock.passes(fresh_until - 0.5)
    read(client)
    wait_until_idle(client)
    assert len(server.logins) == 1
    clock.passes(1)
    read(client)
    server.wait_for_logins(2)
    eventually(lambda: read(client) and bearers(server)[-1] == "Bearer token-2")


def test_a_stale_token_is_used_while_one_thread_renews_it(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    gate = Gate()
    server.gives_tokens(token("token-1"), gate.holds(token("token-2")))
    read(client)
    clock.passes(HOUR - 30)
    crowd(16, lambda: read(client))
    server.wait_for_logins(2)
    assert bearers(server) == ["Bearer token-1"] * 17
    gate.open()
    eventually(lambda: read(client) and bearers(server)[-1] == "Bearer token-2")
    assert len(server.logins) == 2


def test_an_early_renewal_that_fails_is_logged_and_tried_later(
    make_client: Callable[..., ScopeClient],
    server: FaultServer,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(token("token-1"), error(500), error(403), token("token-2"))
    read(client)
    clock.passes(HOUR - 50)
    for failures in (1, 2):
        read(client)
        eventually(lambda failures=failures: len(caplog.records) == failures)
        assert caplog.records[-1].levelno == logging.WARNING
        assert caplog.records[-1].name == "scope_client.tokens"
        assert caplog.records[-1].getMessage().startswith("the token could not be renewed ahead of its end, ")
        facts = vars(caplog.records[-1])
        assert facts[TOKEN_EXPIRES_IN] == pytest.approx(70 - 20 * failures)
        assert facts[STATUS] == (500, 403)[failures - 1]
        for _ in range(5):
            read(client)
        wait_until_idle(client)
        assert len(server.logins) == 1 + failures
        clock.passes(20)
    eventually(lambda: read(client) and bearers(server)[-1] == "Bearer token-2")
    assert set(bearers(server)) == {"Bearer token-1", "Bearer token-2"}


@pytest.mark.parametrize(("left", "pause"), [(50, 5.0), (10, 5.0), (6, 3.0)])
def test_after_a_renewal_that_failed_the_next_is_in_five_seconds_or_halfway_to_the_end(
    left: float, pause: float, make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(token("token-1"), error(500), token("token-2"))
    read(client)
    clock.passes(HOUR - left)
    for passes, logins in ((0.0, 2), (pause - 0.01, 2), (0.02, 3)):
        clock.passes(passes)
        read(client)
        wait_until_idle(client)
        assert len(server.logins) == logins


@pytest.mark.parametrize("reply", [error(408), error(429), error(500), error(503), closes()])
def test_after_a_failure_that_may_pass_the_next_read_asks_at_once(
    reply: Reply, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(reply, token())
    with pytest.raises(TokenRefreshError):
        read(client)
    assert read(client).content == "Hello, {{name}}!"


@pytest.mark.parametrize(("characters", "is_taken"), [(65_536, True), (65_537, False)])
def test_a_token_may_have_65536_characters(
    characters: int, is_taken: bool, client: ScopeClient, server: FaultServer
) -> None:
    server.gives_tokens(token("x" * characters))
    with contextlib.nullcontext() if is_taken else pytest.raises(TokenRefreshError, match="usable access_token"):
        read(client)
    assert len(server.reads) == is_taken


def test_a_token_is_alive_to_its_last_moment_and_dead_at_its_end(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(token("token-1"), error(500), token("token-2"))
    read(client)
    clock.passes(HOUR - 0.5)
    assert client.status().token_expires_in == pytest.approx(0.5)
    read(client)
    wait_until_idle(client)
    assert bearers(server)[-1] == "Bearer token-1"
    clock.passes(0.5)
    assert client.status().token_expires_in is None
    read(client)
    assert bearers(server)[-1] == "Bearer token-2"


def test_an_early_renewal_that_got_no_time_to_run_is_tried_again_at_once_and_without_a_word(
    make_client: Callable[..., ScopeClient],
    server: FaultServer,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = make_client(max_retries=0, timeout=0.3)

    def is_asked_while_the_process_is_stopped(peer: Peer) -> None:
        clock.passes(2)
        peer.wait_for_its_end()

    server.gives_tokens(token("token-1"), is_asked_while_the_process_is_stopped, token("token-2"))
    read(client)
    clock.passes(HOUR - 50)
    read(client)
    eventually(lambda: len(server.logins) == 2 and is_idle(client))
    eventually(lambda: read(client) and bearers(server)[-1] == "Bearer token-2")
    assert len(server.logins) == 3
    assert caplog.text == ""


def test_a_token_that_dies_while_its_renewal_fails_makes_callers_wait_for_a_new_one(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(max_retries=0)
    server.gives_tokens(token("token-1"), error(500), token("token-2"))
    read(client)
    clock.passes(HOUR - 10)
    read(client)
    server.wait_for_logins(2)
    clock.passes(11)
    read(client)
    assert bearers(server)[-1] == "Bearer token-2"


def test_a_dead_token_is_never_sent(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    read(client)
    clock.passes(HOUR)
    read(client)
    assert bearers(server) == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    ("said", "life"),
    [
        *(('"expires_in": 3600', HOUR), ('"expires_in": "3600"', HOUR), ('"expires_in": 3600.0', HOUR)),
        *(('"other": 1', 300), ('"expires_in": null', 300), ('"expires_in": "soon"', 300), ('"expires_in": true', 300)),
        *(('"expires_in": "nan"', 300), ('"expires_in": [3600]', 300)),
        *(('"expires_in": {}', 300), ('"expires_in": ""', 300), ('"expires_in": false', 300)),
        *(('"expires_in": 1e12', DAY), ('"expires_in": "1e999"', DAY), (f'"expires_in": {"9" * 308}', DAY)),
    ],
)
def test_its_life_is_what_the_answer_says_as_far_as_that_makes_sense(
    said: str, life: float, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(answer('{"access_token": "token-1", ' + said + "}"), token("token-2"))
    read(client)
    clock.passes(life - 61)
    read(client)
    assert len(server.logins) == 1
    clock.passes(61)
    read(client)
    assert bearers(server) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("expires_in", [0, -1, -3600, "0", "-inf", -1e300])
def test_a_token_that_is_born_dead_serves_one_read(
    expires_in: object, client: ScopeClient, server: FaultServer
) -> None:
    body = f'{{"access_token": "token-1", "expires_in": {expires_in!r}}}'.replace("'", '"')
    server.gives_tokens(answer(body))
    read(client)
    read(client)
    assert bearers(server) == ["Bearer token-1"] * 2
    assert len(server.logins) == 2


@pytest.mark.parametrize(
    "text", [None, "", 5, True, ["token"], {"a": 1}, "two words", "a\r\nX-Evil: 1", "a\x00b", "tökén", "\ud800", "a\n"]
)
def test_an_access_token_that_is_no_header_is_an_error_and_is_not_sent(
    text: object, client: ScopeClient, server: FaultServer
) -> None:
    server.gives_tokens(token(text))
    with pytest.raises(TokenRefreshError, match="access_token") as caught:
        read(client)
    assert caught.value.http_status == 200
    assert server.reads == []


def test_the_facts_of_an_answer_without_a_token_are_told(client: ScopeClient, server: FaultServer) -> None:
    server.gives_tokens(json_answer({"jwt": "x"}, X_Request_ID="req-77"))
    with pytest.raises(TokenRefreshError) as caught:
        read(client)
    assert (caught.value.http_status, caught.value.request_id) == (200, "req-77")
    assert caught.value.__cause__ is not caught.value


@pytest.mark.parametrize("status", [401, 400, 503])
def test_an_error_of_the_token_endpoint_has_the_id_that_its_answer_gives(
    status: int, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.gives_tokens(error(status, X_Request_ID="req-77"))
    with pytest.raises(AuthenticationError) as caught:
        read(make_client(max_retries=0))
    assert caught.value.request_id == "req-77"


@pytest.mark.parametrize(
    ("reply", "kind", "status"),
    [
        (error(401), InvalidCredentialsError, 401),
        (error(403), InvalidCredentialsError, 403),
        (error(400), TokenRefreshError, 400),
        (error(404), TokenRefreshError, 404),
        (error(409), TokenRefreshError, 409),
        (error(429), TokenRefreshError, 429),
        (error(500), TokenRefreshError, 500),
        (error(302, Location="/v1/auth/elsewhere"), TokenRefreshError, 302),
        (answer("<html>", 403), InvalidCredentialsError, 403),
        (answer("<html>"), TokenRefreshError, 200),
        (answer(""), TokenRefreshError, 200),
        (json_answer(["token-1"]), TokenRefreshError, 200),
        (json_answer({}, 201), TokenRefreshError, 201),
        (token()[:-9], TokenRefreshError, 200),
        (b"", TokenRefreshError, None),
        (b"garbage\r\n\r\n", TokenRefreshError, None),
    ],
    ids=brief,
)
def test_what_the_token_endpoint_says_instead_is_told(
    reply: bytes,
    kind: type,
    status: int | None,
    make_client: Callable[..., ScopeClient],
    server: FaultServer,
) -> None:
    server.gives_tokens(closes(reply))
    with pytest.raises(AuthenticationError) as caught:
        read(make_client(max_retries=0))
    assert type(caught.value) is kind
    assert caught.value.http_status == status
    assert caught.value.request_id == server.logins[0].header("X-Request-ID")
    assert server.reads == []


def test_a_401_is_answered_with_one_new_token_and_one_more_attempt(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(401), PROMPT)
    read(client)
    read(client)
    assert bearers(server) == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]


def test_a_second_401_is_raised(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(401, "expired"), error(401, "still not"), PROMPT)
    with pytest.raises(AuthenticationError, match="still not") as caught:
        read(client)
    assert type(caught.value) is AuthenticationError
    assert bearers(server) == ["Bearer token-1", "Bearer token-2"]


def test_a_401_whose_renewal_fails_is_an_error_of_the_token(client: ScopeClient, server: FaultServer) -> None:
    server.gives_tokens(token(), error(403))
    server.answers(error(401), PROMPT)
    with pytest.raises(InvalidCredentialsError):
        read(client)
    assert len(server.reads) == 1


def test_a_403_is_no_reason_for_a_new_token(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(403), PROMPT)
    with pytest.raises(Exception, match="403"):
        read(client)
    read(client)
    assert len(server.logins) == 1


def test_a_late_401_does_not_discard_the_token_that_another_thread_bought(
    client: ScopeClient, server: FaultServer
) -> None:
    early, late = Gate(), Gate()
    read(client)
    server.answers(early.holds(error(401)), late.holds(error(401)), prompt())
    first = Crowd(1, lambda: read(client, "first"))
    server.wait_for_reads(2)
    second = Crowd(1, lambda: read(client, "second"))
    server.wait_for_reads(3)
    early.open()
    first.outcomes()
    late.open()
    second.outcomes()
    assert len(server.logins) == 2
    assert bearers(server)[-2:] == ["Bearer token-2"] * 2


def test_a_token_may_have_one_character(client: ScopeClient, server: FaultServer) -> None:
    server.gives_tokens(token("t"))
    read(client)
    assert bearers(server) == ["Bearer t"]


def test_a_bug_of_the_callers_session_in_an_early_renewal_is_in_the_log_with_its_traceback(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Session(requests.Session):
        is_broken = False

        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            if self.is_broken and request.method == "POST":
                raise RuntimeError("a bug of somebody's")
            return super().send(request, **options)

    with Session() as session:
        client = make_client(session=session, max_retries=0)
        server.gives_tokens(token(expires_in=1000))
        read(client)
        clock.passes(950)
        session.is_broken = True
        read(client)
        wait_until_idle(client)
    logged = [record for record in caplog.records if record.exc_info]
    assert [str(record.exc_info[1]) for record in logged] == ["a bug of somebody's"]
