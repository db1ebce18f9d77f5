"""Runs a soak and prints its table: `python -m tests.soak`; exits with 1 if a bound is broken."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from faults.redisserver import RedisServer
from faults.tunnels import Impeded

from .board import READERS, Board
from .conductor import Conductor
from .platform import LIES
from .processes import Platform, Process, Reader, Redis
from .verdict import Soak, broken, table

SECONDS_BETWEEN_NEWS = 30.0


def soaked(seconds: float, seed: int, ttl: float, slowest_ms: float, lie: str) -> Soak:
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, RedisServer() as server, Impeded(server.port) as way:
        path = Path(folder, "board")
        board, platform, readers = Board(path), Platform(path, lie), []
        try:
            platform.start()
            for number in range(READERS):
                # One of them asks Redis itself, so that its connects are refused while it is down.
                redis = f"redis://127.0.0.1:{way.port}/0" if number else server.url
                process = Process("reader", path, number, seed, ttl, platform.url, redis)
                readers.append(Reader(board, number, process))
            for reader in readers:
                reader.process.wait_until_ready()
            conductor = Conductor(
                board, platform=platform, redis=Redis(server, way), readers=readers, chance=random.Random(seed), ttl=ttl
            )
            conductor.conduct(seconds, News())
            conductor.settle()
            board.end()
            reports = [reader.process.report() for reader in readers]
            return Soak(seconds, slowest_ms, reports, conductor, board.requests)
        finally:
            for reader in readers:
                reader.process.end()
            platform.kill()


class News:
    """A word now and then, so that nobody thinks that it hangs."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def __call__(self, seconds_left: float) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + SECONDS_BETWEEN_NEWS
            print(f"{seconds_left:.0f} seconds to go", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--ttl", type=float, default=12.0, help="seconds for which a version is fresh")
    parser.add_argument("--slowest-ms", type=float, default=20.0, help="the bound of a process's p99.9")
    parser.add_argument("--lie", choices=LIES, default="", help="have the platform lie, to see that it is noticed")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("the soak was ended"))  # and ends what it has started
    print(f"a soak of {given.seconds:g} seconds, seed {given.seed}", flush=True)
    soak = soaked(given.seconds, given.seed, given.ttl, given.slowest_ms, given.lie)
    print(table(soak))
    bounds = broken(soak)
    print("\n".join(f"BROKEN: {bound}" for bound in bounds) or "all bounds hold")
    return 1 if bounds else 0


if __name__ == "__main__":
    sys.exit(main())
