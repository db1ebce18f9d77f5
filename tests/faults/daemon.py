"""A server of the system's, on loopback, which can be stopped, started again, and paused."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest
from faults.clock import eventually

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 10.0


class Daemon:
    """Keeps its port when it is stopped and started; nothing is kept on disk."""

    program: str
    package: str

    def __init__(self) -> None:
        found = shutil.which(self.program)
        if found is None:
            pytest.fail(f"these tests need a real {self.program}: apt install {self.package}")
        self._found = found
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]

    def words(self, folder: str) -> list[str]:
        """The arguments of the program."""
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def empty(self) -> None:
        raise NotImplementedError

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
            self._process = subprocess.Popen([self._found, *self.words(self._folder.name)], stdout=subprocess.DEVNULL)
            eventually(self._is_up, PATIENCE)

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
        self.empty()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.program} ended by itself"
        return self.answers()
