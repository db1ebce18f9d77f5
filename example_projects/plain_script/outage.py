"""A program that reads a prompt again and again while its platform goes away and comes back."""

from __future__ import annotations

import logging
import time

from scope_client import ScopeClient
from scope_client.local import LocalPlatform

PAUSE_SECONDS = 0.5


class Log:
    """Prints lines with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._started:5.1f} s  {text}", flush=True)

    def watch(self, name: str) -> None:
        """Prints the warnings of a logger as well."""
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: self.say(f"{record.levelname}: {record.getMessage()}")  # type: ignore[method-assign]
        logging.getLogger(name).addHandler(handler)


def read(client: ScopeClient, log: Log) -> str:
    started = time.perf_counter()
    text = client.render_prompt("greeting", {"name": "Alice"})
    took_ms = (time.perf_counter() - started) * 1000
    known = client.status().prompts[0]
    log.say(
        f"{text!r:24} version {known.version_number}, {known.state}, {known.age:.1f} s old, read in {took_ms:.2f} ms"
    )
    return text


def main() -> None:
    log = Log()
    log.watch("scope_client")
    with LocalPlatform({"greeting": "Good morning, {{name}}!"}) as platform:
        client = platform.client(cache_ttl=2)
        for _ in range(7):
            read(client, log)
            time.sleep(PAUSE_SECONDS)
        platform.stop()
        log.say("--- the platform is gone")
        for _ in range(9):
            read(client, log)
            time.sleep(PAUSE_SECONDS)
        platform.publish("greeting", "Good evening, {{name}}!")
        platform.start()
        log.say("--- the platform is back, with a new version in production")
        ends_at = time.monotonic() + 30
        while "evening" not in read(client, log) and time.monotonic() < ends_at:
            time.sleep(PAUSE_SECONDS)
        counters = client.status().counters
        log.say(f"--- {counters['stale']} reads were served from the last known good version, none failed")


if __name__ == "__main__":
    main()
