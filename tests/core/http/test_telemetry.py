"""Telemetry tells what happens in frozen, redacted values, and never gets in the way."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Callable

import pytest
from faults.clock import ManualClock
from faults.crowd import crowd
from faults.replies import PROMPT, brief, closes, error, json_answer
from faults.server import FaultServer

from scope_client import (
    ConnectionError,
    InvalidCredentialsError,
    NoProductionVersionError,
    NotFoundError,
    RequestInfo,
    ScopeClient,
    ServerError,
    Telemetry,
    ValidationError,
)

if TYPE_CHECKING:
    from core.conftest import Heard

REGISTER = (Telemetry.on_request, Telemetry.on_response, Telemetry.on_error)


def fails(client: ScopeClient, **options: object) -> Exception:
    with pytest.raises(Exception, match=r".") as caught:
        client.get_prompt_version("greeting", **options)
    return caught.value


def test_a_cold_read_is_two_requests_and_two_responses_of_one_request_id(
    client: ScopeClient, server: FaultServer, heard: Heard
) -> None:
    client.get_prompt_version("greeting")
    assert [(info.method, info.url) for info in heard.requests] == [
        ("POST", f"{server.url}/v1/auth/sdk-token"),
        ("GET", f"{server.url}/api/v1/prompts/greeting/production"),
    ]
    assert [info.status_code for info in heard.responses] == [200, 200]
    assert {info.request_id for info in [*heard.requests, *heard.responses]} == {server.reads[0].header("X-Request-ID")}
    assert heard.errors == []


def test_a_cached_read_tells_nothing(client: ScopeClient, heard: Heard) -> None:
    client.get_prompt_version("greeting")
    told = len(heard.requests)
    for _ in range(5):
        client.get_prompt_version("greeting")
    assert (len(heard.requests), len(heard.responses)) == (told, told)


def test_what_is_told_cannot_be_changed(client: ScopeClient, server: FaultServer, heard: Heard) -> None:
    server.answers(error(403))
    fails(client)
    for info in (*heard.requests, *heard.responses, *heard.errors):
        for name in (*info.__slots__, "other"):
            with pytest.raises(AttributeError):
                setattr(info, name, "x")
            with pytest.raises(AttributeError):
                delattr(info, name)
    for info in (*heard.requests, *heard.responses):
        with pytest.raises(TypeError):
            info.headers["Authorization"] = "x"


def test_what_authorizes_is_redacted(client: ScopeClient, server: FaultServer, heard: Heard) -> None:
    server.answers(json_answer({"content": "x"}, Set_Cookie="session=hush", X_Served_By="node-1"))
    client.get_prompt_version("greeting")
    sent, received = heard.requests[-1].headers, heard.responses[-1].headers
    assert "token-1" not in str(sent)
    assert sent["Authorization"]
    assert sent["X-Scope-Environment"] == "production"
    assert "hush" not in str(received)
    assert received["Set-Cookie"]
    assert received["X-Served-By"] == "node-1"
    assert server.reads[0].header("Authorization") == "Bearer token-1"


def test_every_attempt_is_told(client: ScopeClient, server: FaultServer, heard: Heard) -> None:
    server.answers(error(503), closes(), closes(), PROMPT)  # the first to close is only a connection that was dead
    client.get_prompt_version("greeting")
    assert [info.method for info in heard.requests] == ["POST", "GET", "GET", "GET"]
    assert [info.status_code for info in heard.responses] == [200, 503, 200]
    assert heard.errors == []


def test_elapsed_ms_is_that_of_the_attempt_and_of_the_whole_call(
    make_client: Callable[..., ScopeClient], server: FaultServer, heard: Heard, clock: ManualClock
) -> None:
    def slow(reply: bytes) -> object:
        def reply_after_a_while(peer: object) -> None:
            clock.passes(0.25)
            peer.send(reply)

        return reply_after_a_while

    server.answers(slow(error(500)))
    fails(make_client(max_retries=2))
    assert [info.elapsed_ms for info in heard.responses[1:]] == [pytest.approx(250)] * 3
    assert [info.elapsed_ms for info in heard.errors] == [pytest.approx(3 * 250 + 500 + 1000)]


@pytest.mark.parametrize(
    ("token_reply", "reply", "kind"),
    [
        (None, error(500), ServerError),
        (None, closes(), ConnectionError),
        (None, error(404, "Prompt not found"), NotFoundError),
        (None, error(404, "no production version"), NoProductionVersionError),
        (error(401), PROMPT, InvalidCredentialsError),
    ],
    ids=brief,
)
def test_an_error_is_told_once_and_is_the_one_that_the_caller_gets(
    token_reply: bytes | None,
    reply: object,
    kind: type,
    client: ScopeClient,
    server: FaultServer,
    heard: Heard,
) -> None:
    if token_reply is not None:
        server.gives_tokens(token_reply)
    server.answers(reply)
    caught = fails(client)
    (info,) = heard.errors
    assert type(caught) is kind
    assert info.error is caught
    assert info.request_id == server.requests[0].header("X-Request-ID") == heard.requests[0].request_id


def test_a_call_that_was_never_made_is_no_error_of_the_platform(client: ScopeClient, heard: Heard) -> None:
    assert isinstance(fails(client, label="staging"), ValidationError)
    assert heard.requests == heard.errors == []


@pytest.mark.parametrize("register", REGISTER)
def test_a_callback_that_raises_is_logged_once_and_harms_nobody(
    register: Callable, client: ScopeClient, server: FaultServer, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(info: object) -> None:
        raise RuntimeError("the callback is broken")

    register(broken)
    later: list = []
    register(later.append)
    server.answers(PROMPT, error(404, "Prompt not found"))
    client.get_prompt_version("greeting")
    for name in ("one", "two"):
        with pytest.raises(NotFoundError):
            client.get_prompt_version(name)
    (record,) = [record for record in caplog.records if record.exc_info]
    assert "the callback is broken" in caplog.text
    assert record.name.startswith("scope_client")
    assert later
    assert len(heard.requests) == 4
    assert len(heard.errors) == 2


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_callback_reaches_the_caller(interrupt: type, client: ScopeClient) -> None:
    def interrupts(info: object) -> None:
        raise interrupt

    unregister = Telemetry.on_request(interrupts)
    with pytest.raises(interrupt):
        client.get_prompt_version("greeting")
    unregister()
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"


def test_a_callback_is_unregistered_alone_and_as_often_as_one_likes(client: ScopeClient) -> None:
    heard: list = []
    unregister_first, _ = Telemetry.on_request(heard.append), Telemetry.on_request(heard.append)
    unregister_first()
    unregister_first()
    client.get_prompt_version("greeting")
    assert len(heard) == 2


def test_clear_callbacks_forgets_all(client: ScopeClient, server: FaultServer, heard: Heard) -> None:
    server.answers(error(403))
    Telemetry.clear_callbacks()
    fails(client)
    assert heard.requests == heard.responses == heard.errors == []


def test_a_callback_may_unregister_itself(client: ScopeClient) -> None:
    heard: list[RequestInfo] = []

    def once(info: RequestInfo) -> None:
        heard.append(info)
        unregister()

    unregister = Telemetry.on_request(once)
    client.get_prompt_version("greeting")
    assert len(heard) == 1


def test_a_callback_may_read_another_prompt(client: ScopeClient) -> None:
    read: list[str] = []

    def reads(info: RequestInfo) -> None:
        if "greeting" in info.url:
            read.append(client.get_prompt_version("other").content)

    Telemetry.on_request(reads)
    (outcome,) = crowd(1, lambda: client.get_prompt_version("greeting").content)
    assert outcome == "Hello, {{name}}!"
    assert read == [outcome]


def test_a_callback_runs_in_the_thread_of_the_call(client: ScopeClient) -> None:
    threads: list[int] = []
    Telemetry.on_request(lambda info: threads.append(threading.get_ident()))
    client.get_prompt_version("greeting")
    assert set(threads) == {threading.get_ident()}


def test_telemetry_enabled_false_tells_nothing(
    make_client: Callable[..., ScopeClient], server: FaultServer, heard: Heard
) -> None:
    server.answers(error(403))
    fails(make_client(telemetry_enabled=False))
    assert heard.requests == heard.responses == heard.errors == []


@pytest.mark.parametrize("register", REGISTER)
@pytest.mark.parametrize("callback", [None, "print", 5])
def test_what_cannot_be_called_is_a_type_error(register: Callable, callback: object) -> None:
    with pytest.raises(TypeError, match="callable"):
        register(callback)


def test_registering_from_many_threads_loses_none(client: ScopeClient) -> None:
    heard: list = []
    crowd(32, lambda: Telemetry.on_request(heard.append))
    client.get_prompt_version("greeting")
    assert len(heard) == 2 * 32


def test_retries_are_logged_under_our_name_and_the_ordinary_call_only_for_debugging(
    client: ScopeClient, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="scope_client")
    server.answers(error(503, "try later"), PROMPT)
    client.get_prompt_version("greeting")
    ours = [record for record in caplog.records if record.name.startswith("scope_client")]
    assert any(record.levelno == logging.INFO and "try later" in record.getMessage() for record in ours)
    assert all(record.levelno <= logging.INFO for record in ours)
