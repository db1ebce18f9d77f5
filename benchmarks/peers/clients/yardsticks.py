"""The plain thing beside which the clients are held: `yardsticks.py HOST PORT`."""

from __future__ import annotations

import http.client
import json
import sys
import time

from jobs import LASTING, resident
from lines import answer

BATCH = 1000


class Yardsticks:
    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port)

    def look_up(self) -> float:
        """Seconds for a dictionary look-up and a look at the clock, in the loop itself."""
        cache = {"greeting": (time.monotonic() + 3600, "Hello!")}
        key, monotonic, times, spent, started = "greeting", time.monotonic, 0, 0.0, time.perf_counter()
        while spent < LASTING:
            for _ in range(BATCH):
                entry = cache.get(key)
                entry[0] > monotonic()  # noqa: B015  # just what is measured
            times += BATCH
            spent = time.perf_counter() - started
        return spent / times

    def exchange(self, path: str, times: int) -> float:
        """Seconds for a request, its answer and its JSON, on a kept-alive connection."""
        self._get(path)
        started = time.perf_counter()
        for _ in range(times):
            self._get(path)
        return (time.perf_counter() - started) / times

    def texts(self, count: int, size: int) -> int:
        """Bytes of memory for so many texts of this length."""
        before = resident()
        kept = [f"{number:x<{size}}" for number in range(count)]
        return resident() - before if kept else 0

    def _get(self, path: str) -> object:
        self._connection.request("GET", path)
        return json.loads(self._connection.getresponse().read())


if __name__ == "__main__":
    answer(Yardsticks(sys.argv[1], int(sys.argv[2])))
