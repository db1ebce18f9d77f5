"""Thirty threads that each read a prompt which nobody knows yet: they wait for the platform, not for each other."""

from __future__ import annotations

import contextlib
import itertools
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import certifi
import pytest
import requests
from faults.certificate import certificate
from faults.clock import ends_within
from faults.crowd import crowd
from faults.replies import prompt
from faults.server import FaultServer, Peer

from scope_client import ApiKeyCredentials, ScopeClient, TokenRefreshError
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.redisserver import RedisServer

READERS = 30
LATENCY_SECONDS = 0.5
PATIENCE_SECONDS = 2.5  # it takes 0.6; one after another they would take 15, and eight at a time as many as two
CREDENTIALS = ApiKeyCredentials("org", "key", "secret")


def read_together(client: ScopeClient) -> list[Any]:
    """All of them at once, after one that has bought the token."""
    client.get_prompt_version("first")
    numbers = itertools.count()
    with ends_within(PATIENCE_SECONDS):
        return crowd(READERS, lambda: client.get_prompt_version(f"cold-{next(numbers)}").content)


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    names = ("first", *(f"cold-{number}" for number in range(READERS)))
    with LocalPlatform(dict.fromkeys(names, "Hello"), latency=LATENCY_SECONDS) as started:
        yield started


@pytest.mark.parametrize("kind", ["memory", "store", "folder"])
def test_thirty_cold_names_take_as_long_as_one(
    kind: str, platform: LocalPlatform, redis_server: RedisServer, tmp_path: Path
) -> None:
    with redis_server.store() as store:
        options: dict[str, Any] = {"store": {"cache_store": store}, "folder": {"prompt_dir": tmp_path}}.get(kind, {})
        with platform.client(**options) as client:
            assert read_together(client) == ["Hello"] * READERS


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Each time that certificates are loaded into a TLS context."""
    loaded: list[object] = []
    theirs = ssl.SSLContext.load_verify_locations

    def load(context: ssl.SSLContext, *arguments: Any, **options: Any) -> None:
        loaded.append(arguments[:1])
        theirs(context, *arguments, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    return loaded


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As large as the real ones, and with the certificate of the tests."""
    file = tmp_path / "bundle.pem"
    file.write_text(Path(certifi.where()).read_text() + certificate().authority.read_text())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    return file


@pytest.fixture
def make_session() -> Iterator[Callable[[], requests.Session]]:
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(requests.Session())


@pytest.fixture
def server() -> Iterator[FaultServer]:
    def late(peer: Peer) -> None:
        peer.stopping.wait(LATENCY_SECONDS)
        peer.send(prompt("Hello"))

    with FaultServer(tls=True) as started:
        started.answers(late)
        yield started


@pytest.fixture
def make_client(server: FaultServer) -> Callable[[], ScopeClient]:
    return lambda: ScopeClient(
        credentials=CREDENTIALS, base_url=server.url, auth_api_url=server.url, max_retries=0, cache_enabled=False
    )


def test_over_tls_they_load_the_certificates_once(
    make_client: Callable[[], ScopeClient], server: FaultServer, bundle: Path, loads: list[object]
) -> None:
    with make_client() as client, make_client() as other:
        assert read_together(client) == ["Hello"] * READERS
        assert server.accepted >= READERS
        other.get_prompt_version("first")
    assert len(loads) == 1


def test_a_bundle_that_was_changed_is_loaded_by_the_next_connection(
    make_client: Callable[[], ScopeClient], bundle: Path
) -> None:
    with make_client() as client:
        client.get_prompt_version("first")
    bundle.write_text(Path(certifi.where()).read_text())
    with make_client() as client, pytest.raises(TokenRefreshError, match="TLS"):
        client.get_prompt_version("first")
    bundle.write_text(certificate().authority.read_text())
    with make_client() as client:
        client.get_prompt_version("first")


def test_a_bundle_that_cannot_be_used_is_an_error_as_before(
    make_client: Callable[[], ScopeClient], bundle: Path
) -> None:
    bundle.write_text("no certificate")
    with make_client() as client, pytest.raises(TokenRefreshError, match="TLS"):
        client.get_prompt_version("first")


def test_a_connection_with_a_client_certificate_shares_nothing(
    server: FaultServer, bundle: Path, loads: list[object], make_session: Callable[[], requests.Session]
) -> None:
    for _ in range(2):
        session = make_session()
        session.cert = str(certificate().server)
        with ScopeClient(
            credentials=CREDENTIALS, base_url=server.url, auth_api_url=server.url, session=session
        ) as client:
            assert client.get_prompt_version("first").content == "Hello"
    assert len(loads) == 2
