"""How long a fleet takes over a name that nobody knows, with a store and without: `python -m tests.soak.fleet`.

Each row has so many clients, eight to a process, has each of them buy its token, and lets all of them read at the same
moment.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from functools import partial

from faults.crowd import crowd
from faults.reading import reads
from faults.redisserver import RedisServer

from scope_client import ApiKeyCredentials, NotFoundError, RedisStore, ScopeClient
from scope_client.local import LocalPlatform

WORKERS = (8, 24, 64)
CLIENTS_OF_A_PROCESS = 8
LATENCY_SECONDS = 0.1


def main() -> None:
    known = {"known": "x", **{f"cold-{size}-{has_store}": "x" for size in WORKERS for has_store in (True, False)}}
    print(f"{'workers':>8}  {'name':14}  {'over':8}  {'median':>8}  {'worst':>8}  {'requests':>8}")
    with LocalPlatform(known, latency=LATENCY_SECONDS) as platform, RedisServer() as server:
        for size in WORKERS:
            for what in ("misspelt", "cold"):
                for has_store in (False, True):
                    before = reads(platform)
                    took = fleet(size, platform, server.url if has_store else "", f"{what}-{size}-{has_store}")
                    asked = reads(platform) - before - size  # each has asked for the one that is known
                    over = "Redis" if has_store else "nothing"
                    middle, worst = statistics.median(took), max(took)
                    print(f"{size:8}  {what:14}  {over:8}  {middle:6.2f} s  {worst:6.2f} s  {asked:8}", flush=True)


def fleet(size: int, platform: LocalPlatform, store: str, name: str) -> list[float]:
    """Seconds of the read of each client."""
    command = [sys.executable, "-m", "tests.soak.fleet", store, name]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    start = partial(subprocess.Popen, command, env=platform.environ, text=True, **pipes)
    with ExitStack() as running:
        workers = [running.enter_context(start()) for _ in range(size // CLIENTS_OF_A_PROCESS)]
        for worker in workers:
            worker.stdout.readline()  # type: ignore[union-attr]  # it is a pipe
        for worker in workers:
            worker.stdin.write("go\n")  # type: ignore[union-attr]
            worker.stdin.flush()  # type: ignore[union-attr]
        return [seconds for worker in workers for seconds in json.loads(worker.communicate()[0])]


def work(store: str, name: str) -> None:
    with ExitStack() as opened:
        clients = [
            opened.enter_context(
                ScopeClient(credentials=ApiKeyCredentials.from_env(), cache_store=RedisStore(store) if store else None)
            )
            for _ in range(CLIENTS_OF_A_PROCESS)
        ]
        for client in clients:
            client.get_prompt_version("known", cache=False)
        waiting = iter(clients)
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(crowd(len(clients), lambda: seconds_of(next(waiting), name))))


def seconds_of(client: ScopeClient, name: str) -> float:
    started = time.perf_counter()
    with suppress(NotFoundError):
        client.get_prompt_version(name)
    return time.perf_counter() - started


if __name__ == "__main__":
    work(*sys.argv[1:]) if sys.argv[1:] else main()
