"""Processes that share a Redis ask the platform as often as one of them would."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from faults.clock import eventually
from faults.reading import reads

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from faults.redisserver import RedisServer

PROCESSES = 6
TTL = 1.0
SHORTEST_LIFE = 0.87 * TTL  # renewed in its last tenth, and shorter by up to 3 % of jitter
SECONDS = 4.0
LATENCY = 0.05  # long enough for others to find it due as well
WORKER = f"""
import sys, threading
from scope_client import ApiKeyCredentials, RedisStore, ScopeClient

client = ScopeClient(
    credentials=ApiKeyCredentials.from_env(), cache_ttl={TTL}, cache_local_ttl=0.1, cache_store=RedisStore(sys.argv[1])
)
is_over = threading.Event()

def read_on():
    while not is_over.wait(0.005):
        client.get_prompt_version("greeting")
        counts.append(1)

counts = []
threads = [threading.Thread(target=read_on) for _ in range(8)]
for thread in threads:
    thread.start()
sys.stdin.read()
is_over.set()
for thread in threads:
    thread.join()
print(len(counts))
"""


def test_six_processes_make_one_request_for_each_life_of_a_version(redis_server: RedisServer) -> None:
    command = [sys.executable, "-c", WORKER, redis_server.url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with LocalPlatform({"greeting": "Hello!"}, latency=LATENCY) as platform, contextlib.ExitStack() as running:
        start = partial(subprocess.Popen, command, env=platform.environ, text=True, **pipes)
        workers = [running.enter_context(start()) for _ in range(PROCESSES)]
        eventually(lambda: reads(platform) == 1)
        began = time.monotonic()
        time.sleep(SECONDS)
        printed = [worker.communicate("") for worker in workers]
        asked, lives = reads(platform), 1 + (time.monotonic() - began) / SHORTEST_LIFE
    assert [errors for _, errors in printed] == [""] * PROCESSES
    assert all(int(count) > 100 for count, _ in printed)
    assert SECONDS / TTL - 1 <= asked <= lives + 1
