"""In real time: whatever the platform does, no reader waits for it, none sees an error, and few requests are made."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Callable

from faults.crowd import Crowd
from faults.reading import content

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from core.conftest import Heard

    from scope_client import ScopeClient

READERS = 8
PAUSE = 0.005
TTL = 1.0
LATENCY = 0.6
SHORT = 0.4  # of a read: whoever waits for the platform, or for a reader who does, takes longer
BREAKS_AFTER = 0.3
SECONDS = 4.5
BREAKS: dict[str, Callable[[LocalPlatform], None]] = {
    "well": lambda platform: None,
    "refusing": LocalPlatform.stop,
    "failing": lambda platform: platform.fail(503),
    "hanging": lambda platform: setattr(platform, "latency", 30.0),
}
MOST_REQUESTS = 8  # five periods of the TTL; in an outage, pauses that grow


def reads_on(client: ScopeClient, name: str, ends_at: float) -> Callable[[], float]:
    """Reads until then, and returns the seconds of the slowest read."""
    pause = threading.Event()

    def read_on() -> float:
        worst = 0.0
        while (began := time.monotonic()) < ends_at:
            assert content(client, name) == "Hello!"
            worst = max(worst, time.monotonic() - began)
            pause.wait(PAUSE)
        return worst

    return read_on


def test_nobody_waits_for_a_platform_that_is_slow_or_gone(heard: Heard) -> None:
    crowds = {}
    with contextlib.ExitStack() as opened:
        platforms = {name: opened.enter_context(LocalPlatform({name: "Hello!"}, latency=LATENCY)) for name in BREAKS}
        clients = {name: platform.client(cache_ttl=TTL) for name, platform in platforms.items()}
        for name, client in clients.items():
            content(client, name)
        ends_at = time.monotonic() + SECONDS
        for name, client in clients.items():
            crowds[name] = Crowd(READERS, reads_on(client, name, ends_at))
        time.sleep(BREAKS_AFTER)
        for name, platform in platforms.items():
            BREAKS[name](platform)
        outcomes = {name: crowd.outcomes() for name, crowd in crowds.items()}
    assert [each for of_one in outcomes.values() for each in of_one if isinstance(each, BaseException)] == []
    assert {name: worst for name, of_one in outcomes.items() if (worst := max(of_one)) > SHORT} == {}
    requests = {name: sum(f"/prompts/{name}/" in request.url for request in heard.requests) for name in BREAKS}
    assert {name: count for name, count in requests.items() if not 3 <= count <= MOST_REQUESTS} == {}
