"""A process in a client's venv that does one job after another."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from . import venvs
from .roster import ALL, OURS, Peer

CLIENTS = Path(__file__).parent / "clients"
TTL = 3600
SIZE = 20_000


class Worker:
    def __init__(self, peer: Peer, arguments: list[str], ttl: int = TTL) -> None:
        self.peer = peer
        self._process = subprocess.Popen(
            [str(venvs.interpreter(peer)), *arguments],
            env=venvs.environ(peer, ttl),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, job: str, *arguments: object) -> Any:
        """What the job returns; RuntimeError where the process ended over it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([job, *arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.peer.title} ended over {job}{arguments}; what it said is above")
        return json.loads(answer)

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


def command(script: str, *arguments: object) -> list[str]:
    """What a venv's Python is to run."""
    return [str(CLIENTS / script), *map(str, arguments)]


@contextmanager
def team(url: str, peers: Sequence[Peer] = ALL, ttl: int = TTL) -> Iterator[list[Worker]]:
    """A worker of each client, `ttl` in seconds."""
    with ExitStack() as stack:
        workers = []
        for peer in peers:
            workers.append(Worker(peer, command("work.py", peer.adapter, url, ttl, SIZE), ttl))
            stack.callback(workers[-1].stop)
        yield workers


@contextmanager
def yardsticks(url: str) -> Iterator[Worker]:
    worker = Worker(OURS, command("yardsticks.py", *url.removeprefix("http://").split(":")))
    try:
        yield worker
    finally:
        worker.stop()
