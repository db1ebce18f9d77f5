"""Clocks that another program stops, moves or replaces, also in the middle of a read."""

from __future__ import annotations

import datetime
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Callable

import freezegun
import pytest
import time_machine
from faults.clock import ends_within
from faults.crowd import Crowd

from scope_client import RedisStore
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.redisserver import RedisServer

LATER = datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)
EARLIER = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
STOPS = {
    "freezegun": freezegun.freeze_time,
    "freezegun that ticks": lambda moment: freezegun.freeze_time(moment, tick=True),
    "time-machine": lambda moment: time_machine.travel(moment, tick=False),
}


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"a": "A", "b": "B", "c": "C"}) as started:
        yield started


@pytest.mark.parametrize("moment", [LATER, EARLIER], ids=["later", "earlier"])
@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_reads_go_on_while_time_stands_still_and_afterwards(
    stop: Callable, moment: datetime.datetime, platform: LocalPlatform
) -> None:
    client = platform.client(cache_ttl=0.2, max_retries=0)
    client.get_prompt_version("a")
    with ends_within(20):
        with stop(moment):
            assert client.get_prompt_version("a").content == "A"
            assert client.get_prompt_version("b").content == "B"
            with platform.client(max_retries=0) as made_meanwhile:
                assert made_meanwhile.get_prompt_version("c").content == "C"
                assert not made_meanwhile.status().is_down
            assert not client.status().is_down
        platform.publish("a", "new")
        time.sleep(0.25)
        client.get_prompt_version("a")
        client.prefetch(["b", "c"], strict=True)
        while client.get_prompt_version("a").content != "new":
            time.sleep(0.05)
        assert not client.status().is_down


@pytest.mark.parametrize("moment", [LATER, EARLIER], ids=["later", "earlier"])
@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_a_read_in_the_middle_of_which_time_stops_or_goes_on_ends_well(
    stop: Callable, moment: datetime.datetime, platform: LocalPlatform
) -> None:
    client = platform.client(max_retries=0, timeout=10)
    client.get_prompt_version("a")
    platform.latency = 0.6
    stops = Crowd(1, lambda: client.get_prompt_version("b").content)
    time.sleep(0.3)
    with stop(moment):
        goes_on = Crowd(1, lambda: client.get_prompt_version("c").content)
        assert stops.outcomes() == ["B"]
        time.sleep(0.3)
    assert goes_on.outcomes() == ["C"]
    assert not client.status().is_down


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_waits_end_while_time_stands_still(stop: Callable, platform: LocalPlatform, redis_server: RedisServer) -> None:
    """Those for a fleet's lock, for a deadline, for the pause between attempts, and for another thread."""
    store = RedisStore(redis_server.url)
    holder = platform.client(cache_store=store)
    holder.get_prompt_version("a")
    with stop(LATER), ends_within(30):
        client = platform.client(cache_store=store, deadline=1, retry_base_delay=0.2)
        platform.fail(503, times=1)
        assert client.get_prompt_version("b").content == "B"
        platform.latency = 20
        late = [thread_reads(client, "c") for _ in range(2)]
        assert {type(outcome).__name__ for crowd in late for outcome in crowd.outcomes()} == {"TimeoutError"}


def thread_reads(client: object, name: str) -> Crowd:
    return Crowd(1, lambda: client.get_prompt_version(name))


GEVENT_COMES_LATE = """
import sys, time
from scope_client import ApiKeyCredentials, ScopeClient
client = ScopeClient(credentials=ApiKeyCredentials.from_env(), cache_ttl=0.5)
client.get_prompt_version("a")
print("ready", flush=True)
input()
import gevent.monkey; gevent.monkey.patch_all()
import gevent
turns = []
def beside():
    while True:
        turns.append(time.monotonic())
        gevent.sleep(0.01)
gevent.spawn(beside)
job = gevent.spawn(client.get_prompt_version, "b")
jobs = [job, *(gevent.spawn(client.get_prompt_version, "c") for _ in range(20))]
gevent.joinall(jobs, timeout=20, raise_error=True)
print(max(later - earlier for earlier, later in zip(turns, turns[1:])) < 0.7)
print(*sorted({job.value.content for job in jobs}))
gevent.sleep(0.6)
print(client.get_prompt_version("a").content, client.status().is_down)
"""


def test_a_monkey_patch_after_the_import_lets_others_run_while_a_read_waits(platform: LocalPlatform) -> None:
    platform.latency = 0.1
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", GEVENT_COMES_LATE],
        env={**platform.environ, "PYTHONPATH": ":".join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "ready\n"
    platform.fail(503, times=1, retry_after=1)
    said, _ = child.communicate("go\n", timeout=60)
    assert said == "True\nB C\nA False\n"
