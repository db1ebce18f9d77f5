"""Clients of a fault server and of a local platform, traced."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Callable

import pytest
from faults.clock import ManualClock
from faults.server import FaultServer
from faults.traced import Traced

from scope_client import ApiKeyCredentials, ScopeClient
from scope_client.otel import instrument, uninstrument

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def traced() -> Iterator[Traced]:
    made = Traced()
    instrument(made.tracer_provider, made.meter_provider)
    yield made
    uninstrument()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as started:
        yield started


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make_client(server: FaultServer, clock: ManualClock) -> Iterator[Callable[..., ScopeClient]]:
    """Clients of `server`, by `clock`, unless the options say otherwise."""
    keys = ApiKeyCredentials(org_id="org-1", api_key="key-1", api_secret="secret-1")
    with contextlib.ExitStack() as opened:

        def make(**options: object) -> ScopeClient:
            usual = {"credentials": keys, "base_url": server.url, "auth_api_url": server.url, "clock": clock.clock}
            return opened.enter_context(ScopeClient(**{**usual, **options}))

        yield make


@pytest.fixture
def client(make_client: Callable[..., ScopeClient]) -> ScopeClient:
    return make_client()


@pytest.fixture
def closed_port() -> int:
    """A port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def other_server() -> Iterator[FaultServer]:
    with FaultServer() as started:
        yield started
