"""A certificate that is not trusted ends the call at once; one that is trusted is all it takes."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pytest
import requests
from faults.certificate import certificate
from faults.clock import JumpingClock, ManualClock, ends_within
from faults.replies import PROMPT, answer, closes, drips, hangs, prompt, resets
from faults.server import FaultServer, Peer
from faults.tunnels import Impeded

from scope_client import ConnectionError, ScopeClient, TimeoutError, TokenRefreshError
from scope_client._http import limits

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def secure() -> Iterator[FaultServer]:
    with FaultServer(tls=True) as started:
        yield started


def refused(client: ScopeClient) -> ConnectionError:
    with pytest.raises(ConnectionError, match="TLS") as caught:
        client.get_prompt_version("greeting")
    assert not isinstance(caught.value, TimeoutError)
    return caught.value


@pytest.mark.parametrize("own_session", [False, True])
def test_a_self_signed_certificate_is_refused_and_not_tried_again(
    own_session: bool, make_client: Callable, session: requests.Session, secure: FaultServer, clock: ManualClock
) -> None:
    error = refused(make_client(base_url=secure.url, session=session if own_session else None))
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert clock.sleeps == []
    assert secure.accepted == 1
    assert secure.requests == []


def test_a_self_signed_certificate_of_the_auth_host_sends_the_secret_nowhere(
    make_client: Callable, secure: FaultServer, clock: ManualClock
) -> None:
    with pytest.raises(TokenRefreshError, match="TLS"):
        make_client(auth_api_url=secure.url).get_prompt_version("greeting")
    assert clock.sleeps == []
    assert secure.requests == []


def test_a_server_that_speaks_no_tls_is_refused_and_not_tried_again(make_client: Callable, clock: ManualClock) -> None:
    with FaultServer(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n") as plain:
        refused(make_client(base_url=plain.url.replace("http:", "https:")))
    assert clock.sleeps == []
    assert plain.accepted == 1


def test_a_ca_bundle_of_the_callers_session_is_used(
    make_client: Callable, session: requests.Session, secure: FaultServer
) -> None:
    session.verify = str(certificate().authority)
    client = make_client(base_url=secure.url, auth_api_url=secure.url, session=session)
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_ca_bundle_of_the_environment_is_used(
    variable: str, make_client: Callable, secure: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(certificate().authority))
    client = make_client(base_url=secure.url, auth_api_url=secure.url)
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert len(secure.requests) == 2


@pytest.fixture
def trusted(make_client: Callable, secure: FaultServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ScopeClient]:
    """Clients of the secure server that trust its certificate."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate().authority))
    return lambda **options: make_client(**{"base_url": secure.url, "auth_api_url": secure.url, **options})


@pytest.mark.parametrize(
    "fault",
    [closes(), resets(), closes(PROMPT[:-10]), resets(PROMPT[:-10]), closes(b"HTTP/1.1 200 OK\r\nContent-Le")],
    ids=["closed", "reset", "closed in the body", "reset in the body", "closed in the headers"],
)
def test_a_connection_that_breaks_once_tls_is_agreed_is_tried_again(
    fault: object, trusted: Callable[..., ScopeClient], secure: FaultServer
) -> None:
    secure.answers(fault, PROMPT)
    assert trusted().get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert len(secure.reads) == 2


@pytest.mark.parametrize(
    "fault", [drips(PROMPT, pause=0.1), drips(PROMPT[-50:], at_once=PROMPT[:-50], pause=0.1), hangs()]
)
def test_an_answer_that_drips_over_tls_is_a_time_out(
    fault: object, trusted: Callable[..., ScopeClient], secure: FaultServer
) -> None:
    secure.answers(fault)
    with ends_within(8), pytest.raises(TimeoutError):
        trusted(timeout=1.5, max_retries=0).get_prompt_version("greeting")


def test_the_handshake_has_a_moment_although_the_process_was_stopped_after_the_connect(
    trusted: Callable[..., ScopeClient], secure: FaultServer, jumping: JumpingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ARRIVED_SECONDS", 5.0)  # for a busy machine
    with Impeded(secure.port) as way, monkeypatch.context() as patched:
        plain, way.delay, at = socket.socket.connect, 0.1, ("127.0.0.1", way.port)

        def connect(sock: socket.socket, address: tuple[str, int]) -> None:
            plain(sock, address)
            jumping.passes(20 if address == at else 0)

        patched.setattr(socket.socket, "connect", connect)
        url = f"https://127.0.0.1:{way.port}"
        client = trusted(base_url=url, auth_api_url=url, open_timeout=10, timeout=90, max_retries=0)
        assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"


def test_many_reads_over_tls_share_a_connection(trusted: Callable[..., ScopeClient], secure: FaultServer) -> None:
    client = trusted()
    for number in range(5):
        client.get_prompt_version(f"prompt-{number}")
    assert secure.accepted == 1
    client.close()
    secure.wait_until_all_have_left()


def test_a_certificate_of_another_host_is_refused(
    make_client: Callable, secure: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate().authority))
    refused(make_client(base_url=secure.url.replace("127.0.0.1", "localhost")))
    assert secure.requests == []


def test_a_ca_bundle_that_is_not_there_is_an_error_of_ours_that_is_not_tried_again(
    make_client: Callable, secure: FaultServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    error = refused(make_client(base_url=secure.url))
    assert "check the path of the CA bundle, or of the client certificate (" in str(error)
    assert "/nowhere/ca.pem" in str(error)
    assert clock.sleeps == []


@pytest.fixture
def of_another() -> tuple[Path, Path]:
    """A certificate of an authority that the server does not trust, and its key."""
    made = certificate()
    return made.stranger, made.strangers_key


CERTIFICATES: dict[str, tuple[Callable[[Path, Path], Any], str]] = {
    "not there": (lambda cert, key: "/nowhere/c.pem", "the path of the CA bundle, or of the client certificate"),
    "its key is not there": (lambda cert, key: (str(cert), "/nowhere/c.key"), "the path of the CA bundle, or of"),
    "without a key": (lambda cert, key: str(cert), "the client certificate and its key"),
    "the key of another": (lambda cert, key: (str(cert), str(certificate().server)), "the client certificate and its"),
    "not trusted": (lambda cert, key: (str(cert), str(key)), "the client certificate and its key"),
}


@pytest.mark.parametrize(("given", "advice"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_client_certificate_that_does_not_work_is_what_the_advice_is_about(
    given: Callable[[Path, Path], Any],
    advice: str,
    make_client: Callable,
    session: requests.Session,
    secure: FaultServer,
    of_another: tuple[Path, Path],
    clock: ManualClock,
) -> None:
    secure.wants_a_client_certificate()
    session.verify, session.cert = str(certificate().authority), given(*of_another)
    with pytest.raises(TokenRefreshError, match=f"check {advice}"):
        make_client(base_url=secure.url, auth_api_url=secure.url, session=session).get_prompt_version("greeting")
    assert clock.sleeps == []


def test_a_certificate_that_is_not_trusted_is_not_laid_to_the_clients_own(
    make_client: Callable, session: requests.Session, secure: FaultServer, of_another: tuple[Path, Path]
) -> None:
    session.cert = tuple(map(str, of_another))
    error = refused(make_client(base_url=secure.url, session=session))
    assert "check the URL and the CA bundle (" in str(error)


def test_bytes_that_nobody_asked_for_are_not_the_next_answer(
    trusted: Callable[..., ScopeClient], secure: FaultServer
) -> None:
    plain = answer(json.dumps({"content": ""}))
    filled = answer(json.dumps({"content": "x" * (8192 - len(plain) - 2)}))  # a read of this size ends with the answer
    assert len(filled) == 8192
    secure.answers(filled + prompt("the rest"), prompt("the next"))
    client = trusted()
    client.get_prompt_version("greeting")
    assert client.get_prompt_version("next").content == "the next"


def test_an_answer_that_is_whole_counts_although_the_connection_is_reset_behind_it(
    trusted: Callable[..., ScopeClient], secure: FaultServer
) -> None:
    def sends_more_than_was_asked_for_and_resets(peer: Peer) -> None:
        peer.send(prompt("whole") + b"j" * 12_000)
        peer.reset()

    secure.answers(sends_more_than_was_asked_for_and_resets)
    for _ in range(4):  # each over a connection of its own
        assert trusted(max_retries=0).get_prompt_version("greeting").content == "whole"
