"""Where the time goes: in cold fetches, and in cached renders."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable

from . import server

FETCHES, RENDERS, FUNCTIONS = 2_000, 20_000, 25


def profiled(what: str, times: int, call: Callable[[], object]) -> None:
    print(f"\n=== {times:,} {what}\n")
    with cProfile.Profile() as profile:
        for _ in range(times):
            call()
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(FUNCTIONS)


if __name__ == "__main__":
    with server.running() as url, server.client(url) as client:
        client.get_prompt_version("p")
        profiled("cold fetches", FETCHES, lambda: client.get_prompt_version("p", cache=False))
        profiled("cached renders", RENDERS, lambda: client.render_prompt("p", server.VALUES))
