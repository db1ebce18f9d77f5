"""How many requests 64 threads make that ask for one cold name at the same moment."""

from __future__ import annotations

import threading

from scope_client.local import LocalPlatform

from .measure import Row

THREADS = 64


def rows() -> list[Row]:
    with LocalPlatform({"greeting": "Hello!"}, latency=0.2) as platform:
        client = platform.client()
        gate = threading.Barrier(THREADS)

        def read() -> None:
            gate.wait()
            client.get_prompt_version("greeting")

        threads = [threading.Thread(target=read) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        asked = sum("/prompts/" in request.path for request in platform.requests)
    return [Row(f"{THREADS} threads, one cold name", f"{asked} request", "one each: 64", asked, 1, unit="requests")]
