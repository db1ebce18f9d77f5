"""A fleet over one store learns of a failure as soon as one process alone would, and asks as often as one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from faults.clock import ends_within
from faults.crowd import Crowd
from faults.inside import hold_lock, shared
from faults.reading import reads
from faults.replies import hangs, prompt
from faults.server import FaultServer

from scope_client import ApiKeyCredentials, MemoryStore, NotFoundError, RedisStore, ScopeClient
from scope_client._prompt.ref import PromptRef
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.redisserver import RedisServer

PROCESSES = 24
LATENCY_SECONDS = 0.1
PATIENCE_SECONDS = 1.5  # of a read that takes 0.3; waiting in turn takes 24 times as long
ONE_THAT_DIES = """
import sys
from scope_client import ApiKeyCredentials, RedisStore, ScopeClient

url, redis = sys.argv[1:]
keys = ApiKeyCredentials("org", "key", "secret")
client = ScopeClient(credentials=keys, base_url=url, auth_api_url=url, cache_store=RedisStore(redis))
client.get_prompt_version("greeting")
"""


@pytest.fixture
def opened() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("kind", ["MemoryStore", "RedisStore"])
def test_a_misspelt_name_is_asked_for_once_and_holds_nobody_up(
    kind: str, opened: contextlib.ExitStack, redis_server: RedisServer
) -> None:
    platform = opened.enter_context(LocalPlatform({"known": "x"}, latency=LATENCY_SECONDS))
    one = MemoryStore()
    stores = [one if kind == "MemoryStore" else RedisStore(redis_server.url) for _ in range(PROCESSES)]
    clients = [opened.enter_context(platform.client(cache_store=store)) for store in stores]
    for client in clients:
        client.get_prompt_version("known", cache=False)  # so that each has its token
    waiting = iter(clients)
    before = reads(platform)

    def misspell() -> float:
        client, started = next(waiting), time.monotonic()
        with pytest.raises(NotFoundError, match="knwon"):
            client.get_prompt_version("knwon")
        return time.monotonic() - started

    took = Crowd(PROCESSES, misspell).outcomes()
    assert max(took) < PATIENCE_SECONDS
    assert reads(platform) - before <= 1 + max(took)  # one a second


@pytest.fixture
def server(opened: contextlib.ExitStack) -> FaultServer:
    return opened.enter_context(FaultServer())


@pytest.fixture
def reader(server: FaultServer, redis_server: RedisServer, opened: contextlib.ExitStack) -> ScopeClient:
    """It knows how long a fetch takes here."""
    usual: dict[str, Any] = {"base_url": server.url, "auth_api_url": server.url}
    keys = ApiKeyCredentials("org", "key", "secret")
    client = opened.enter_context(ScopeClient(credentials=keys, cache_store=RedisStore(redis_server.url), **usual))
    client.get_prompt_version("another")
    return client


def test_a_process_that_is_killed_while_it_fetches_holds_nobody_up(
    server: FaultServer, reader: ScopeClient, redis_server: RedisServer
) -> None:
    server.answers(hangs())
    command = [sys.executable, "-c", ONE_THAT_DIES, server.url, redis_server.url]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, env=environment) as dying:
        server.wait_for_reads(2)
        dying.send_signal(signal.SIGKILL)
    server.answers(prompt("here"))
    with ends_within(2):  # the lock lives for five seconds
        assert reader.get_prompt_version("greeting").content == "here"


def test_nor_does_a_lock_that_nobody_holds(server: FaultServer, reader: ScopeClient) -> None:
    """As a Redis leaves it that carries out an order when who gave it has gone on without."""
    hold_lock(shared(reader), PromptRef("greeting"), 5)
    server.answers(prompt("here"))
    with ends_within(2):
        assert reader.get_prompt_version("greeting").content == "here"
