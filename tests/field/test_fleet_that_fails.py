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
from faults.replies import error, hangs, prompt, resets
from faults.server import FaultServer

from scope_client import ApiKeyCredentials, Clock, MemoryStore, NotFoundError, RedisStore, ScopeClient
from scope_client._prompt.ref import PromptRef
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.redisserver import RedisServer
    from faults.server import Reply

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


class TestAPlatformThatSaysNothing:
    """Two processes, of which the second waits for the first; each has a token of its own."""

    @pytest.fixture
    def chance(self) -> float:
        return 0.5

    @pytest.fixture
    def fleet(self, chance: float, server: FaultServer, opened: contextlib.ExitStack) -> list[ScopeClient]:
        options: dict[str, Any] = {"timeout": 0.3, "max_retries": 4, "cache_store": MemoryStore()}
        options.update(base_url=server.url, auth_api_url=server.url, clock=Clock(chance=lambda: chance))
        keys = ApiKeyCredentials("org", "key", "secret")
        clients = [opened.enter_context(ScopeClient(credentials=keys, **options)) for _ in range(2)]
        for client in clients:
            client.get_prompt_version("another", cache=False)
        return clients

    @pytest.fixture
    def asked(self, server: FaultServer, fleet: list[ScopeClient]) -> Callable[[], list[int]]:
        """Whose requests came, in their order: 0 for the first process, 1 for the second."""
        tokens = [request.header("Authorization") for request in server.reads]
        return lambda: [tokens.index(request.header("Authorization")) for request in server.reads[len(tokens) :]]

    def read(self, fleet: list[ScopeClient], server: FaultServer) -> list[Any]:
        already = len(server.reads)
        first = Crowd(1, lambda: fleet[0].get_prompt_version("greeting").content)
        server.wait_for_reads(already + 1)
        second = Crowd(1, lambda: fleet[1].get_prompt_version("greeting").content)
        return [*first.outcomes(), *second.outcomes()]

    @pytest.mark.parametrize(
        ("silent", "most", "chance"), [(hangs(), 2, 0.5), (resets(), 4, 0.05)], ids=["hangs", "resets"]
    )
    def test_holds_the_second_up_for_no_more_than_an_attempt_or_two(
        self, silent: Reply, most: int, fleet: list[ScopeClient], server: FaultServer, asked: Callable[[], list[int]]
    ) -> None:
        """And not for the five attempts of the first, of which the first one asks twice: its connection was old."""
        server.answers(silent)
        for outcome in self.read(fleet, server):
            assert isinstance(outcome, (ConnectionError, TimeoutError))
        assert asked().index(1) <= most
        assert asked().count(0) >= 5

    @pytest.mark.parametrize(
        "replies",
        [
            (resets(), resets()),
            (error(503), error(503), error(503)),
            (error(429, Retry_After=0), error(500), error(502)),
        ],
        ids=["cut", "503", "several errors"],
    )
    def test_what_may_pass_costs_no_second_fetch(
        self,
        replies: tuple[Reply, ...],
        fleet: list[ScopeClient],
        server: FaultServer,
        asked: Callable[[], list[int]],
    ) -> None:
        server.answers(*replies, prompt("here"))
        assert self.read(fleet, server) == ["here", "here"]
        assert asked() == [0] * (len(replies) + 1)

    def test_what_the_first_finds_in_the_end_is_kept_for_all(
        self, fleet: list[ScopeClient], server: FaultServer, asked: Callable[[], list[int]]
    ) -> None:
        server.answers(hangs(), prompt("here"))
        assert self.read(fleet, server) == ["here", "here"]
        before = len(asked())
        assert [client.get_prompt_version("greeting").content for client in fleet] == ["here", "here"]
        assert len(asked()) == before
