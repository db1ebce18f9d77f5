"""A loopback server in a process of its own that answers from memory, so that what is measured is the client."""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from .measure import SERVER, on_core

TOKEN = {"access_token": "token", "expires_in": 3600}
LITERAL = "x" * 490
KEPT = 1000
LOG_PATH = b"/log"


@contextmanager
def running(latency: float = 0.0) -> Iterator[str]:
    """The URL of the server while it runs, which waits for so many seconds before it answers for a prompt."""
    command = [sys.executable, "-m", __name__, str(latency)]
    with on_core(SERVER):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def serve(latency: float) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    desk = Desk(latency)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_converse, args=(connection, desk), daemon=True).start()


class Desk:
    """A token for a POST; for a GET the prompt of any name, or else the log: each answer's name and monotonic time."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._token = _answer(TOKEN)
        self._log: list[tuple[str, float]] = []

    def answer(self, connection: socket.socket, head: bytes) -> None:
        method, path, _ = head.split(b" ", 2)
        if method == b"POST":
            return connection.sendall(self._token)
        if path == LOG_PATH:
            return connection.sendall(_answer(self._log))
        if self._latency:
            time.sleep(self._latency)
        name = path.split(b"/")[4].decode()
        answer = _prompt(name)
        self._log.append((name, time.monotonic()))
        return connection.sendall(answer)


def version(name: str) -> dict[str, object]:
    """A prompt of 2 kB with three variables; whatever can differ from one prompt to the next does."""
    number = zlib.crc32(name.encode())
    created, updated = (_timestamp(1_700_000_000 + number % 10**7 + later) for later in (0, 86_400))
    return {
        "id": f"v_{name}_{number}",
        "prompt_id": f"prompt_{name}_{number}",
        "name": name,
        "version_number": 1 + number % 9999,
        "content": f"{name} {LITERAL} {{{{first}}}} {LITERAL} {{{{second}}}} {LITERAL} {{{{third}}}} {LITERAL}",
        "status": "published",
        "metadata": {"owner": f"owner-{number}", "model": f"model-{number % 977}"},
        "tags": [f"tag-{number % 991}", f"group-{number}"],
        "created_at": created,
        "updated_at": updated,
    }


def _timestamp(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def _converse(connection: socket.socket, desk: Desk) -> None:
    with connection:
        while True:
            request = b""
            while b"\r\n\r\n" not in request:
                received = connection.recv(65536)
                if not received:
                    return
                request += received
            head, _, body = request.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
            while len(body) < length:
                body += connection.recv(65536)
            desk.answer(connection, head)


@functools.lru_cache(maxsize=KEPT)
def _prompt(name: str) -> bytes:
    return _answer(version(name))


def _answer(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


if __name__ == "__main__":
    serve(float(sys.argv[1]))
