"""The processes of a soak: started, stopped, woken, and ended by their numbers, whatever happens."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scope_client._cache.fleet_locks import LOCK_SECONDS, first_lock
from scope_client._cache.shared_entry import lock_text, parsed

if TYPE_CHECKING:
    from faults.redisserver import RedisServer
    from faults.tunnels import Impeded

    from .board import Board

ROOT = Path(__file__).resolve().parents[2]
SLOW_ANSWER_SECONDS = 0.3
DRIP_SECONDS = 0.1
START_SECONDS = 60.0
END_SECONDS = 30.0
PR_SET_PDEATHSIG = 1
# glibc would keep the place of one answer of ten megabytes for the next, in each thread; that would look like a leak.
RETURNS_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "262144"}


def end_with_parent() -> None:
    """Called in a process that a soak starts: it ends when the soak does, in whatever way, even if it is stopped."""
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError("prctl failed")


class Process:
    """A room of this package that runs by itself; what it prints first says that it is ready."""

    def __init__(self, room: str, *arguments: object) -> None:
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"tests.soak.{room}", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **RETURNS_MEMORY, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = ""

    def wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        self.said = self._process.stdout.readline().strip()
        assert self.said, "a process of the soak ended before it began; its error is above"

    def report(self) -> Any:
        """What it prints last."""
        return json.loads(self._process.communicate(timeout=END_SECONDS)[0])

    def signal(self, number: int) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    def end(self) -> None:
        """At once, even if it is stopped."""
        self.signal(signal.SIGKILL)
        self._process.wait(END_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()


class Platform:
    """Keeps its port when it is killed and starts again, and the truth, which is on the board."""

    def __init__(self, board_path: Path, lie: str) -> None:
        self._arguments = (board_path, lie)
        self._process: Process | None = None
        self._port = "0"

    def start(self) -> None:
        if self._process is None:
            path, lie = self._arguments
            self._process = Process("platform", path, self._port, lie)
            self._process.wait_until_ready()
            self._port = self._process.said

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def stop(self) -> None:
        assert self._process is not None
        self._process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.signal(signal.SIGCONT)


class Reader:
    """A reader process, and its part of the board."""

    def __init__(self, board: Board, number: int, process: Process) -> None:
        self._board = board
        self._number = number
        self.process = process

    @property
    def is_stopped(self) -> bool:
        return self._board.stops[self._number] % 2 == 1

    def stop(self) -> None:
        # The board first: a read during which it changes is not measured.
        self._board.stops[self._number] += 1
        self.process.signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._board.woken_at[self._number] = time.monotonic_ns()
        self.process.signal(signal.SIGCONT)
        self._board.stops[self._number] += 1


class Redis:
    """A real server, what is done to it, and the way to it that may be slow."""

    def __init__(self, server: RedisServer, way: Impeded) -> None:
        self._server = server
        self._way = way

    def turn(self, trouble: str) -> None:
        """Into this trouble, from none."""
        if trouble == "killed":
            self._server.stop()
        elif trouble == "emptied":
            self._server.empty()
        elif trouble == "paused":
            self._server.pause()
        elif trouble == "full":
            self._limit(1)
        elif trouble == "slow":
            self._way.delay = SLOW_ANSWER_SECONDS
        elif trouble == "dripping":
            self._way.pause = DRIP_SECONDS
        elif trouble == "locked by the dead":
            self._lock_all()
        elif trouble == "forged":
            self._forge_all()

    def mend(self, trouble: str) -> None:
        if trouble == "killed":
            self._server.start()
        elif trouble == "paused":
            self._server.resume()
        elif trouble == "full":
            self._limit(0)
        self._way.delay, self._way.pause = 0.0, None

    def _lock_all(self) -> None:
        """As if each prompt were being renewed by a process that has just been killed."""
        with self._server.connected() as connection:
            for key in connection.scan_iter("scope:*"):
                text = connection.get(key)
                entry = parsed(text.decode(errors="replace")) if text else None
                lock = first_lock(key.decode(), entry)
                connection.set(lock.key, lock_text(lock.holder), px=int(LOCK_SECONDS * 1000), nx=True)

    def _forge_all(self) -> None:
        """What somebody writes there who knows the keys, and a generation from the far future."""
        forged = itertools.cycle(["", "null", "{", '{"schema": 1}', '{"schema": 1, "version": {}}', "9" * 19])
        with self._server.connected() as connection:
            for key in connection.scan_iter("scope:*"):
                connection.set(key, next(forged), px=int(LOCK_SECONDS * 1000))

    def _limit(self, octets: int) -> None:
        with self._server.connected() as connection:
            connection.config_set("maxmemory", octets)
