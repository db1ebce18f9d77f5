"""An error names the limit that was met, and a limit or a setting that a user gave is the one that holds."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Callable

import pytest
import requests
from faults.certificate import certificate
from faults.clock import ManualClock, ends_within
from faults.crowd import Crowd
from faults.reading import warnings
from faults.replies import Gate, answer, closes, error, hangs, head, prompt
from faults.server import FaultServer

from scope_client import ApiError, ConnectionError, ScopeClient, ScopeError, TimeoutError, TokenRefreshError

if TYPE_CHECKING:
    from collections.abc import Iterator

FAR = "scope.example"
NEVER = 5.0


@pytest.fixture(params=["our session", "the caller's session"])
def make_either(
    request: pytest.FixtureRequest, make_client: Callable[..., ScopeClient], make_session: Callable
) -> Callable[..., ScopeClient]:
    """Clients over a session of their own, or over one of the caller's."""
    session = None if request.param == "our session" else make_session()
    return lambda **options: make_client(**{"session": session, "max_retries": 0, **options})


@pytest.fixture
def secure() -> Iterator[FaultServer]:
    with FaultServer(tls=True) as started:
        yield started


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


def time_out(client: ScopeClient) -> str:
    with ends_within(NEVER), pytest.raises((TimeoutError, TokenRefreshError)) as caught:
        client.get_prompt_version("greeting")
    return str(caught.value)


def test_a_connect_that_hangs_names_the_open_timeout(make_either: Callable[..., ScopeClient], full_port: int) -> None:
    url = f"http://127.0.0.1:{full_port}"
    for options in ({"base_url": url}, {"auth_api_url": url}):
        said = time_out(make_either(open_timeout=0.35, timeout=21, **options))
        assert f"no connection to {url} within 0.35 seconds (open_timeout)" in said
        assert "21" not in said.replace(url, "")


def test_a_tls_handshake_that_hangs_names_the_open_timeout(
    make_either: Callable[..., ScopeClient], server: FaultServer
) -> None:
    url = server.url.replace("http:", "https:")
    assert "within 0.35 seconds (open_timeout)" in time_out(make_either(base_url=url, open_timeout=0.35, timeout=21))


def test_a_proxy_that_makes_no_tunnel_in_time_names_the_open_timeout(
    make_either: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", server.url)
    server.answers(hangs())
    client = make_either(base_url=f"https://{FAR}", open_timeout=0.35, timeout=21)
    assert "within 0.35 seconds (open_timeout)" in time_out(client)


def test_a_tls_handshake_that_hangs_behind_a_proxy_names_the_open_timeout(
    make_either: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", server.url)
    server.answers(hangs(head(200)))
    client = make_either(base_url=f"https://{FAR}", open_timeout=0.35, timeout=21)
    assert "within 0.35 seconds (open_timeout)" in time_out(client)


def test_an_answer_that_hangs_names_the_timeout(make_either: Callable[..., ScopeClient], server: FaultServer) -> None:
    server.answers(hangs())
    said = time_out(make_either(open_timeout=0.2, timeout=0.45))
    assert "did not answer in full within 0.45 seconds" in said
    assert "open_timeout" not in said


@pytest.mark.parametrize("status", [407, 403, 400])
def test_a_proxy_that_refuses_a_tunnel_is_not_asked_again(
    status: int,
    make_either: Callable[..., ScopeClient],
    server: FaultServer,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", server.url.replace("://", "://me:hush@"))
    server.answers(closes(answer("", status, Proxy_Authenticate="Basic")))
    client = make_either(auth_api_url=f"https://{FAR}", max_retries=3)
    with pytest.raises(TokenRefreshError, match=f"the proxy on the way to https://{FAR} refuses.* {status} ") as caught:
        client.get_prompt_version("greeting")
    assert [request.line.split(" HTTP")[0] for request in server.requests] == [f"CONNECT {FAR}:443"]
    assert clock.sleeps == []
    assert "hush" not in str(caught.value)
    assert ("the name and the password in its URL" in str(caught.value)) == (status == 407)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_cannot_make_a_tunnel_just_now_is_asked_again(
    status: int,
    make_either: Callable[..., ScopeClient],
    server: FaultServer,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", server.url)
    server.answers(closes(answer("", status)))
    with pytest.raises(TokenRefreshError, match=f" {status} "):
        make_either(auth_api_url=f"https://{FAR}", max_retries=2).get_prompt_version("greeting")
    assert len(server.requests) == 3
    assert len(clock.sleeps) == 2


def test_a_407_of_a_proxy_without_a_tunnel_is_not_retried(
    make_either: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    server.answers(answer("", 407))
    client = make_either(base_url=f"http://{FAR}", auth_api_url=f"http://{FAR}", allow_insecure=True, max_retries=3)
    with pytest.raises(ApiError, match="the proxy on the way refuses") as caught:
        client.get_prompt_version("greeting")
    assert caught.value.http_status == 407
    assert len(server.reads) == 1
    assert clock.sleeps == []


@pytest.mark.parametrize("threads", [70])
def test_more_fetches_at_once_than_a_pool_keeps_connections_write_no_warning(
    threads: int, make_client: Callable[..., ScopeClient], server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    server.answers(gate.holds(prompt("one of many")))
    client = make_client()
    names = iter(f"name-{number}" for number in range(threads))
    readers = Crowd(threads, lambda: client.get_prompt_version(next(names)).content)
    server.wait_for_reads(threads)
    gate.open()
    assert readers.outcomes() == ["one of many"] * threads
    assert warnings(caplog) == []
    server.wait_until_open(64)


def secure_client(make_client: Callable[..., ScopeClient], secure: FaultServer, **options: object) -> ScopeClient:
    return make_client(base_url=secure.url, auth_api_url=secure.url, max_retries=0, **options)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("verifies", [True, False])
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_verify_of_a_session_wins_over_the_environment(
    verifies: bool,
    variable: str,
    make_client: Callable[..., ScopeClient],
    session: requests.Session,
    secure: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, requests.certs.where())
    session.verify = str(certificate().authority) if verifies else False
    client = secure_client(make_client, secure, session=session)
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_of_the_environment_is_used_by_a_session_that_was_given_none(
    variable: str, make_either: Callable[..., ScopeClient], secure: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(certificate().authority))
    assert secure_client(make_either, secure).get_prompt_version("greeting").content == "Hello, {{name}}!"


@pytest.mark.parametrize("folders", ["{}", "/nowhere:{}"])
def test_a_folder_of_certificates_of_the_environment_is_used(
    folders: str,
    make_either: Callable[..., ScopeClient],
    secure: FaultServer,
    hashed_certificates: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", folders.format(hashed_certificates))
    assert secure_client(make_either, secure).get_prompt_version("greeting").content == "Hello, {{name}}!"


@pytest.fixture
def hashed_certificates(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder in which OpenSSL finds the server's certificate: by the hash of its subject."""
    import subprocess

    folder = tmp_path_factory.mktemp("certificates")
    words = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(certificate().authority)]
    name = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    (folder / f"{name}.0").write_bytes(certificate().authority.read_bytes())
    return str(folder)


def test_a_bundle_for_requests_wins_over_one_for_openssl(
    make_either: Callable[..., ScopeClient], secure: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", requests.certs.where())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate().authority))
    assert secure_client(make_either, secure).get_prompt_version("greeting").content == "Hello, {{name}}!"


def test_a_session_that_trusts_no_environment_does_not_use_its_bundle(
    make_client: Callable[..., ScopeClient],
    session: requests.Session,
    secure: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate().authority))
    session.trust_env = False
    with pytest.raises(TokenRefreshError, match="TLS"):
        secure_client(make_client, secure, session=session).get_prompt_version("greeting")


def test_a_bundle_that_is_not_there_is_named(
    make_either: Callable[..., ScopeClient], secure: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(ConnectionError, match=r"/nowhere/ca\.pem"):
        make_either(base_url=secure.url).get_prompt_version("greeting")


@pytest.mark.parametrize("key", ["http", "all", f"http://{FAR}"])
def test_a_proxy_of_a_session_wins_over_one_of_the_environment(
    key: str,
    make_client: Callable[..., ScopeClient],
    session: requests.Session,
    server: FaultServer,
    other_server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", other_server.url)
    session.proxies[key] = server.url
    far = {"base_url": f"http://{FAR}", "auth_api_url": f"http://{FAR}", "allow_insecure": True}
    make_client(session=session, **far).get_prompt_version("greeting")
    assert len(server.requests) == 2
    assert other_server.accepted == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"params": {"team": "blue"}}, "params of"),
        ({"auth": ("me", "hush")}, "auth of"),
        ({"cookies": {"route": "hush"}}, "cookies of"),
        ({"params": {"a": "b"}, "cookies": {"c": "hush"}, "auth": ("me", "hush")}, "params and cookies and auth of"),
    ],
    ids=["params", "auth", "cookies", "all"],
)
def test_what_of_a_session_is_left_out_is_said_once(
    given: dict[str, object],
    named: str,
    make_client: Callable[..., ScopeClient],
    session: requests.Session,
    server: FaultServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, value in given.items():
        getattr(session, name).update(value) if name == "cookies" else setattr(session, name, value)
    for name in ("a", "b"):
        make_client(session=session).get_prompt_version(name)
    (said,) = warnings(caplog, "scope_client.http")
    assert said.startswith(named)
    assert "hush" not in said
    assert not [request for request in server.requests if "?" in request.target or request.header("Cookie")]


def test_a_session_of_which_nothing_is_left_out_is_not_warned_of_nor_are_cookies_of_the_platforms(
    make_client: Callable[..., ScopeClient],
    session: requests.Session,
    server: FaultServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    session.headers["X-Team"] = "blue"
    server.answers(answer(b'{"content": "hi"}', Set_Cookie="route=1"))
    for name in ("a", "b"):
        make_client(session=session).get_prompt_version(name)
    assert session.cookies
    assert warnings(caplog) == []


def test_an_error_of_another_kind_names_no_limit(make_either: Callable[..., ScopeClient], server: FaultServer) -> None:
    server.answers(error(500))
    with pytest.raises(ScopeError) as caught:
        make_either(open_timeout=7, timeout=8).get_prompt_version("greeting")
    assert "seconds" not in str(caught.value)
