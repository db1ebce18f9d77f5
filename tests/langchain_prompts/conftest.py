"""A platform with a text prompt and a chat prompt, and a client of it under a clock that stands still."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from faults.clock import ManualClock

import scope_client
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scope_client import ScopeClient

CHAT = [
    {"role": "system", "content": "You are {{who}}."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]


# LangChain 1.0, whose agents have middleware, needs Python 3.10.
collect_ignore = ["test_middleware.py"] if sys.version_info < (3, 10) else []


@pytest.fixture(autouse=True)
def no_configuration_outlives_a_test() -> Iterator[None]:
    scope_client.reset_configuration()
    yield
    scope_client.reset_configuration()


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform() as started:
        started.publish("greeting", "Good {{time_of_day}}, {{name}}!", tags=["warm"])
        started.publish("chat", CHAT)
        yield started


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(platform: LocalPlatform, clock: ManualClock) -> Iterator[ScopeClient]:
    with platform.client(clock=clock.clock, cache_ttl=100, max_retries=0) as opened:
        yield opened
