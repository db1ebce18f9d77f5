"""A Redis of the benchmarks' own, on loopback, that keeps nothing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .measure import SERVER, on_core

PATIENCE = 10.0


@contextmanager
def running() -> Iterator[str]:
    """The URL of the server while it runs."""
    program = shutil.which("redis-server")
    assert program, "these benchmarks need a Redis: apt install redis-server"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with on_core(SERVER):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    ends_at = time.monotonic() + PATIENCE
    while not _is_open(port):
        assert time.monotonic() < ends_at, "redis-server did not start"
        time.sleep(0.02)


def _is_open(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
