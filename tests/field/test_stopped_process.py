"""A process that gets no time between its reads (SIGSTOP, a frozen Lambda), and a machine that slept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

TTL = 6  # a read at 3 x 1.7 seconds finds it due, and its renewal is cut off by the next stop
TIMEOUT = 0.5
STOPPED_SECONDS = 1.7  # past the time of an attempt by so much that it proves nothing
MAX_READS = 14
READER = f"""
import logging, sys
from scope_client import ApiKeyCredentials, ScopeClient
logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
client = ScopeClient(
    credentials=ApiKeyCredentials.from_env(), cache_ttl={TTL}, timeout={TIMEOUT}, token_refresh_buffer=60
)
for _ in sys.stdin:
    print(client.get_prompt_version("greeting").content, client.status().is_down, flush=True)
"""


class Reader:
    """A process that is stopped but for the time of its reads."""

    def __init__(self, platform: LocalPlatform) -> None:
        environ = {**os.environ, **platform.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-c", READER],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read(self) -> tuple[str, bool]:
        """The content, and whether the client thinks that the platform is down."""
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        content, is_down = self._process.stdout.readline().split()
        self._process.send_signal(signal.SIGSTOP)
        return content, is_down == "True"

    def seconds_until(self, content: str) -> float:
        started = time.monotonic()
        for _ in range(MAX_READS):
            time.sleep(STOPPED_SECONDS)
            if self.read()[0] == content:
                return time.monotonic() - started
        raise AssertionError(f"{content} never came")

    def end(self) -> str:
        """What it wrote in its log."""
        self._process.kill()
        return self._process.communicate()[1]


@contextmanager
def stopped_reader(platform: LocalPlatform) -> Iterator[Reader]:
    reader = Reader(platform)
    try:
        yield reader
    finally:
        reader.end()


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "old"}, latency=0.3) as started:
        yield started


def test_it_gets_a_new_version_when_the_old_one_ends_and_sees_no_outage(platform: LocalPlatform) -> None:
    with stopped_reader(platform) as reader:
        assert reader.read() == ("old", False)
        platform.publish("greeting", "new")
        assert reader.seconds_until("new") < 2 * TTL + 3 * STOPPED_SECONDS
        assert reader.read() == ("new", False)
        assert reader.end() == ""


def test_its_token_is_renewed_without_a_warning() -> None:
    with LocalPlatform({"greeting": "old"}, latency=0.3, token_ttl=6) as platform, stopped_reader(platform) as reader:
        for _ in range(6):
            assert reader.read() == ("old", False)
            time.sleep(STOPPED_SECONDS)
        tokens = [request for request in platform.requests if request.method == "POST"]
        assert len(tokens) > 1
        assert reader.end() == ""


def test_it_notices_the_end_of_an_outage(platform: LocalPlatform) -> None:
    with stopped_reader(platform) as reader:
        reader.read()
        platform.fail(503)
        for _ in range(MAX_READS):
            time.sleep(STOPPED_SECONDS)
            content, is_down = reader.read()
            assert content == "old"
            if is_down:
                break
        assert is_down
        platform.publish("greeting", "new")
        platform.recover()
        assert reader.seconds_until("new") < 2 * TTL + 3 * STOPPED_SECONDS


def test_time_that_passed_while_the_machine_slept_counts(platform: LocalPlatform) -> None:
    """The wall clock is set ahead, and the monotonic one is not."""
    slept = [0.0]
    real = time.time
    with pytest.MonkeyPatch.context() as patched, platform.client() as client:
        assert client.get_prompt_version("greeting").content == "old"
        assert client.get_prompt_version("greeting").content == "old"
        platform.publish("greeting", "new")
        patched.setattr(time, "time", lambda: real() + slept[0])
        slept[0] = 4500
        ends_at = time.monotonic() + 9
        while client.get_prompt_version("greeting").content == "old":
            assert time.monotonic() < ends_at, "never noticed"
            time.sleep(0.2)
        assert not client.status().is_down
