"""In real time: whatever the platform does, no reader waits for it, none sees an error, and few requests are made."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable

from faults.crowd import Crowd
from faults.reading import content

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from core.conftest import Heard

    from scope_client import ScopeClient

READERS = 8
PAUSE = 0.005
TTL = 1.5
LATENCY = 0.4  # longer than what is left of a life when its renewal starts
SHORT = 0.2  # whoever waits for the platform, or for another reader who does, takes longer
BREAKS_AFTER = 0.1
SECONDS = 4.5
MOST_REQUESTS = 6  # one for each life, or after pauses that grow
BREAKS: dict[str, Callable[[LocalPlatform], None]] = {
    "well": lambda platform: None,
    "refusing": LocalPlatform.stop,
    "failing": lambda platform: platform.fail(503),
    "hanging": lambda platform: setattr(platform, "latency", 30.0),
}


def test_nobody_waits_for_a_platform_that_is_slow_or_gone(heard: Heard) -> None:
    """The four platforms live side by side, each with a prompt of its own name."""
    with ThreadPoolExecutor(len(BREAKS)) as pool:
        outcomes = dict(zip(BREAKS, pool.map(outcomes_of_reading, BREAKS)))
    assert {name: errors for name, seen in outcomes.items() if (errors := failures(seen))} == {}
    assert {name: worst for name, seen in outcomes.items() if (worst := max(seen)) > SHORT} == {}
    requests = {name: sum(f"/prompts/{name}/" in request.url for request in heard.requests) for name in BREAKS}
    assert {name: count for name, count in requests.items() if not 2 <= count <= MOST_REQUESTS} == {}


def outcomes_of_reading(name: str) -> list[Any]:
    """For each reader, its slowest read in seconds, or what it raised."""
    with LocalPlatform({name: "Hello!"}, latency=LATENCY) as platform, platform.client(cache_ttl=TTL) as client:
        content(client, name)
        readers = Crowd(READERS, lambda: slowest_read(client, name))
        time.sleep(BREAKS_AFTER)
        BREAKS[name](platform)
        return readers.outcomes()


def slowest_read(client: ScopeClient, name: str) -> float:
    worst, pause = 0.0, threading.Event()
    ends_at = time.monotonic() + SECONDS
    while (began := time.monotonic()) < ends_at:
        assert content(client, name) == "Hello!"
        worst = max(worst, time.monotonic() - began)
        pause.wait(PAUSE)
    return worst


def failures(outcomes: list[Any]) -> list[BaseException]:
    return [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
