"""Clients of a fault server and of a local platform, traced."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest
from faults.clock import ManualClock
from faults.server import FaultServer
from faults.traced import Traced
from opentelemetry import context

from scope_client import ApiKeyCredentials, ScopeClient
from scope_client import _watching as watching
from scope_client.otel import ScopeInstrumentor, instrument, uninstrument

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def may_break() -> None:
    """For a test in which OpenTelemetry raises."""


@pytest.fixture(autouse=True)
def nothing_breaks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is raised while a client is watched is logged and goes no further: a test would not see it."""
    monkeypatch.setattr(watching, "_has_failed", False)
    before = context.get_current()
    yield
    context.attach(before)  # some instrumentations of models leave their span the current one
    if ScopeInstrumentor().is_instrumented_by_opentelemetry:  # the test has failed in the middle
        uninstrument()
    assert watching._has_failed == ("may_break" in request.fixturenames)


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


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder in which the package is installed by its metadata, with the entry points of pyproject.toml."""
    project = (ROOT / "pyproject.toml").read_text()
    head = re.escape("[project.entry-points.opentelemetry_instrumentor]")
    found = re.search(rf"^{head}\n(.+?)\n\n", project, re.MULTILINE | re.DOTALL)
    assert found is not None
    metadata = tmp_path / "scope_prompts-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: scope-prompts\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[opentelemetry_instrumentor]\n{found[1].replace(chr(34), '')}\n")
    return tmp_path
