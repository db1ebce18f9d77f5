"""Six processes of eight threads that share a Redis: how often they ask the platform for one prompt."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from scope_client import ApiKeyCredentials, RedisStore, ScopeClient
from scope_client.local import LocalPlatform

from . import redisserver
from .measure import Row

PROCESSES = 6
THREADS = 8
TTL = 2.0
SECONDS = 20.0
PAUSE = 0.005
SHARE = 1.2


def rows() -> list[Row]:
    with redisserver.running() as url, LocalPlatform({"greeting": "Hello!"}) as platform:
        command = [sys.executable, "-m", __name__, url]
        running = [subprocess.Popen(command, env=platform.environ, stdin=subprocess.PIPE) for _ in range(PROCESSES)]
        for process in running:
            process.communicate()
            assert process.returncode == 0
        asked = sum("/prompts/" in request.path for request in platform.requests)
    periods = SECONDS / TTL
    what = f"{PROCESSES} processes x {THREADS} threads, {SECONDS:g} s"
    return [Row(what, f"{asked} requests", f"{periods:g} periods of the TTL", asked / periods, SHARE)]


def work(url: str) -> None:
    client = ScopeClient(credentials=ApiKeyCredentials.from_env(), cache_ttl=TTL, cache_store=RedisStore(url))
    ends_at = time.monotonic() + SECONDS

    def read() -> None:
        while time.monotonic() < ends_at:
            client.get_prompt_version("greeting")
            time.sleep(PAUSE)

    threads = [threading.Thread(target=read) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    work(sys.argv[1])
