"""A real Redis on loopback, which can be stopped, started again, and held in the middle of what it does."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest
import redis
from faults.clock import eventually

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 10.0


class RedisServer:
    """Keeps its port when it is stopped and started; nothing is kept on disk."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("these tests need a real Redis: apt install redis-server")
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Returns once it answers; nothing where it is running already."""
        if self._process is None:
            options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self._folder.name}
            words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
            self._process = subprocess.Popen([self._program, *words], stdout=subprocess.DEVNULL)
            eventually(self._answers, PATIENCE)

    def stop(self) -> None:
        """At once, with everything it held."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(PATIENCE)

    def pause(self) -> None:
        """From now on it takes connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def reset(self) -> None:
        """Running, and empty."""
        self.start()
        self.resume()
        with self.connected() as connection:
            connection.flushall()

    def connected(self, **options: object) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=PATIENCE, **options)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "redis-server ended by itself"
        try:
            with self.connected() as connection:
                return bool(connection.ping())
        except redis.ConnectionError:
            return False
