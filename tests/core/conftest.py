"""A client on a fault server, by a clock that stands still."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import types
from typing import TYPE_CHECKING, Callable

import pytest
import requests
import urllib3.util.timeout
from faults.clock import JumpingClock, ManualClock
from faults.replies import prompt
from faults.server import FaultServer

from scope_client import ApiKeyCredentials, ScopeClient, Telemetry
from scope_client._http import addresses, attempt, connections, limits

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOREIGN = ("_proxy", "_PROXY", "CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do their proxies, certificates and netrc."""
    for name in list(os.environ):
        if name.endswith(_FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp() / "nobody"))


@pytest.fixture(autouse=True)
def nothing_stays_registered() -> Iterator[None]:
    """The callbacks of one test hear nothing of the next."""
    yield
    Telemetry.clear_callbacks()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as started:
        yield started


@pytest.fixture
def other_server() -> Iterator[FaultServer]:
    with FaultServer() as started:
        yield started


@pytest.fixture
def numbered_answers(server: FaultServer) -> None:
    """The server's answers are "answer 1", "answer 2" and so on."""
    numbers = itertools.count(1)
    server.answers(lambda peer: peer.send(prompt(f"answer {next(numbers)}")))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def jumping(monkeypatch: pytest.MonkeyPatch) -> JumpingClock:
    """Connections are timed by it, by us and by urllib3."""
    jumping = JumpingClock()
    now = jumping.clock.now
    for room in (addresses, attempt, connections, limits):
        monkeypatch.setattr(room, "SYSTEM_CLOCK", jumping.clock)
    monkeypatch.setattr(urllib3.util.timeout, "time", types.SimpleNamespace(monotonic=now))
    monkeypatch.setattr(urllib3.util.timeout, "current_time", now, raising=False)  # of urllib3 1.26
    return jumping


@pytest.fixture
def keys() -> ApiKeyCredentials:
    return ApiKeyCredentials(org_id="org-1", api_key="key-1", api_secret="secret-1")


@pytest.fixture
def make_client(
    server: FaultServer, clock: ManualClock, keys: ApiKeyCredentials
) -> Iterator[Callable[..., ScopeClient]]:
    """Clients of `server`, by `clock`, unless the options say otherwise."""
    with contextlib.ExitStack() as opened:

        def make(**options: object) -> ScopeClient:
            usual = {"credentials": keys, "base_url": server.url, "auth_api_url": server.url, "clock": clock.clock}
            return opened.enter_context(ScopeClient(**{**usual, **options}))

        yield make


@pytest.fixture
def client(make_client: Callable[..., ScopeClient]) -> ScopeClient:
    return make_client()


class Heard:
    """What telemetry told, in its order."""

    def __init__(self) -> None:
        self.requests: list = []
        self.responses: list = []
        self.errors: list = []


@pytest.fixture
def heard() -> Iterator[Heard]:
    events = Heard()
    with contextlib.ExitStack() as registered:
        registered.callback(Telemetry.on_request(events.requests.append))
        registered.callback(Telemetry.on_response(events.responses.append))
        registered.callback(Telemetry.on_error(events.errors.append))
        yield events


@pytest.fixture
def make_session() -> Iterator[Callable[[], requests.Session]]:
    """Sessions of a caller's."""
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(requests.Session())


@pytest.fixture
def session(make_session: Callable[[], requests.Session]) -> requests.Session:
    return make_session()


@pytest.fixture
def closed_port() -> int:
    """A port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
