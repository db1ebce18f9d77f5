"""Where the time and the memory go: an import, cold fetches, cached renders and what a cache holds."""

from __future__ import annotations

import cProfile
import os
import pstats
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

from scope_client import ApiKeyCredentials, ScopeClient

from . import server

IMPORTS = 15
FUNCTIONS = 25
FETCHES = 2_000
RENDERS = 20_000
PROMPTS = 1_000
LINES = 10


def main() -> None:
    slowest_imports()
    with server.running() as url:
        client = ScopeClient(credentials=ApiKeyCredentials("org", "key", "secret"), base_url=url, auth_api_url=url)
        values = dict.fromkeys(client.get_prompt_version("p").variables, "value")
        profiled(f"{FETCHES:,} cold fetches", FETCHES, lambda: client.get_prompt_version("p", cache=False))
        profiled(f"{RENDERS:,} cached render_prompt", RENDERS, lambda: client.render_prompt("p", values))
        largest_allocations(client)


def slowest_imports() -> None:
    title(f"import scope_client: the {IMPORTS} slowest modules by their own microseconds")
    command = [sys.executable, "-X", "importtime", "-c", "import scope_client"]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(2):  # the first one leaves the byte code
        report = subprocess.run(command, env=environ, stderr=subprocess.PIPE, text=True, check=True).stderr
    heading, *lines = report.splitlines()
    lines.sort(key=lambda line: int(line.split(":")[1].split("|")[0]), reverse=True)
    print("\n".join([heading, *lines[:IMPORTS]]))


def profiled(what: str, times: int, call: Callable[[], object]) -> None:
    title(what)
    with cProfile.Profile() as profile:
        for _ in range(times):
            call()
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(FUNCTIONS)


def largest_allocations(client: ScopeClient) -> None:
    title(f"{PROMPTS:,} cached prompts of 2 kB: the {LINES} lines that hold most")
    tracemalloc.start()
    for number in range(PROMPTS):
        client.get_prompt_version(f"name-{number}")
    for line in tracemalloc.take_snapshot().statistics("lineno")[:LINES]:
        print(line)
    tracemalloc.stop()


def title(text: str) -> None:
    print(f"\n=== {text}\n", flush=True)


if __name__ == "__main__":
    main()
