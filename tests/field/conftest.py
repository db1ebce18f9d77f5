"""A client on a fault server, as the core's tests have it; and the machine of whoever runs the tests left out."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from core.conftest import (  # noqa: F401  # fixtures
    clock,
    closed_port,
    jumping,
    keys,
    make_client,
    make_session,
    no_proxy_of_this_machine,
    nothing_stays_registered,
    other_server,
    server,
    session,
)
from faults.secrets import Watch, World

import scope_client

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with contextlib.ExitStack() as opened:
        yield World(request.getfixturevalue, opened)
    scope_client.reset_configuration()


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture) -> Watch:
    return Watch(caplog)
