"""Prompts that are read all the time are renewed behind their readers, more of them too than there are threads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from faults.crowd import crowd
from faults.replies import hangs, prompt
from faults.server import FaultServer, Peer

from scope_client import ApiKeyCredentials, RedisStore, ScopeClient, Telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.redisserver import RedisServer

NAMES = [f"prompt-{number}" for number in range(40)]
TTL_SECONDS = 4.0
SECONDS = 9.0
LATENCY_SECONDS = 0.15


def slow(peer: Peer) -> None:
    time.sleep(LATENCY_SECONDS)
    peer.send(prompt())


@pytest.fixture
def asked_by() -> Iterator[list[str]]:
    """The names of the threads that have asked the platform."""
    found: list[str] = []
    stop = Telemetry.on_request(lambda request: found.append(threading.current_thread().name))
    yield found
    stop()


@pytest.mark.parametrize("has_store", [False, True], ids=["alone", "over Redis"])
@pytest.mark.parametrize("platform", ["slow", "hangs"])
def test_no_reader_asks_the_platform(
    platform: str, has_store: bool, asked_by: list[str], redis_server: RedisServer
) -> None:
    options: dict[str, Any] = {"cache_store": RedisStore(redis_server.url)} if has_store else {}
    with (
        FaultServer() as server,
        ScopeClient(
            credentials=ApiKeyCredentials("org", "key", "secret"),
            base_url=server.url,
            auth_api_url=server.url,
            cache_ttl=TTL_SECONDS,
            **options,
        ) as client,
    ):
        client.prefetch(NAMES, strict=True)
        asked_by.clear()
        server.answers(slow if platform == "slow" else hangs())
        ends_at = time.monotonic() + SECONDS

        def read_on() -> int:
            count = 0
            while time.monotonic() < ends_at:
                for name in NAMES:
                    client.get_prompt_version(name)
                    count += 1
                time.sleep(0.2)
            return count

        assert min(crowd(4, read_on)) > len(NAMES)
        assert asked_by
        assert set(asked_by) == {"scope-background"}
        if platform == "slow":
            assert client.status().counters["refreshes"] >= len(NAMES)
