"""A callback, a log handler or credentials that use the client they belong to: an error in good time, never a hang."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.replies import PROMPT, error
from faults.server import FaultServer

from scope_client import ConfigurationError, ScopeClient, ScopeError, ServerError, Telemetry, TokenRefreshError

if TYPE_CHECKING:
    pass


@pytest.mark.parametrize("register", [Telemetry.on_request, Telemetry.on_response])
def test_a_callback_that_asks_for_the_prompt_under_way_is_told_so(
    register: Callable, client: ScopeClient, server: FaultServer
) -> None:
    told: list[Any] = []

    def ask(_: object) -> None:
        try:
            told.append(client.get_prompt_version("greeting"))
        except ScopeError as failure:
            told.append(failure)

    register(ask)
    server.answers(PROMPT)
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert isinstance(told[0], ConfigurationError)
    assert len(server.reads) == 1


def test_a_callback_of_an_error_that_asks_again_neither_hangs_nor_asks_for_ever(
    make_client: Callable, server: FaultServer
) -> None:
    client = make_client(max_retries=0)
    Telemetry.on_error(lambda _: client.get_prompt_version("greeting"))
    server.answers(error(500), error(500))
    with pytest.raises(ServerError):
        client.get_prompt_version("greeting")
    assert len(server.reads) == 1


def test_credentials_that_use_their_own_client_are_an_error(make_client: Callable, server: FaultServer) -> None:
    class Circular:
        org_id = "org-1"
        token_path = "/v1/auth/own"

        def token_body(self) -> dict[str, str]:
            return {"secret": client.render_prompt("secret")}

    client = make_client(credentials=Circular())
    with pytest.raises(TokenRefreshError) as caught:
        client.get_prompt_version("greeting")
    assert isinstance(caught.value.__cause__, ConfigurationError)
    assert server.reads == []


def test_a_log_handler_that_reads_a_prompt_does_not_hang(
    client: ScopeClient, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "scope_client.http")
    told: list[Any] = []

    class Reading(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                told.append(client.get_prompt_version("greeting"))
            except ScopeError as failure:
                told.append(failure)

    logger = logging.getLogger("scope_client.http")
    handler = Reading()
    logger.addHandler(handler)
    try:
        server.answers(error(503), PROMPT)
        assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    finally:
        logger.removeHandler(handler)
    assert isinstance(told[0], ConfigurationError)
