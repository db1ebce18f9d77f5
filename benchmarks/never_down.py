"""Eight readers while a prompt expires over and over, and while its platform is refusing, failing or hanging."""

from __future__ import annotations

import logging
import threading
import time
from typing import Callable

from scope_client import ScopeError
from scope_client.local import LocalPlatform

from .measure import Row

READERS = 8
PAUSE = 0.005
TTL = 1.0
LATENCY = 0.1
BREAKS_AFTER = 3.0
WORST_MS = 20.0


class Watch:
    """What the readers saw."""

    def __init__(self) -> None:
        self.worst = 0.0
        self.reads = 0
        self.errors = 0


def rows() -> list[Row]:
    logging.getLogger("scope_client").setLevel(logging.ERROR)  # the one warning is expected here
    return [
        *_scenario("expiring", 6.0, 8, lambda platform: None),
        *_scenario("refusing", 10.0, 12, LocalPlatform.stop),
        *_scenario("answering 503", 10.0, 12, lambda platform: platform.fail(503)),
        *_scenario("hanging", 10.0, 12, _hang),
    ]


def _hang(platform: LocalPlatform) -> None:
    platform.latency = 30.0


def _scenario(name: str, seconds: float, most_requests: int, breaks: Callable[[LocalPlatform], None]) -> list[Row]:
    with LocalPlatform({"greeting": "Hello!"}, latency=LATENCY) as platform:
        client = platform.client(cache_ttl=TTL)
        client.get_prompt_version("greeting")
        watch = Watch()
        ends_at = time.monotonic() + seconds
        threads = [threading.Thread(target=_read, args=(client, ends_at, watch)) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        time.sleep(BREAKS_AFTER)
        breaks(platform)
        for thread in threads:
            thread.join()
        requests = len(platform.requests)
    what = f"{READERS} readers for {seconds:g} s, {name}"
    reads = f"of {watch.reads:,} reads"
    return [
        Row(f"{what}: worst read", f"{watch.worst * 1000:.2f} ms", reads, watch.worst * 1000, WORST_MS, unit="ms"),
        Row(f"{what}: requests", f"{requests} requests", "", requests, most_requests, unit="requests"),
        Row(f"{what}: errors", f"{watch.errors} errors", reads, watch.errors, 0, unit="errors"),
    ]


def _read(client: object, ends_at: float, watch: Watch) -> None:
    read = client.get_prompt_version  # type: ignore[attr-defined]  # a ScopeClient
    while time.monotonic() < ends_at:
        started = time.monotonic()
        try:
            read("greeting")
        except ScopeError:
            watch.errors += 1
        watch.worst = max(watch.worst, time.monotonic() - started)
        watch.reads += 1
        time.sleep(PAUSE)
