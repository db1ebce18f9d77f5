"""A loopback server in a process of its own that speaks every client's protocol, and counts the reads of each name."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

from ..measure import SERVER, on_core
from . import protocols

CONNECTIONS = "GET /connections "
TOKEN = "POST /v1/auth/"
SLOW = "slow-"
SLOW_SECONDS = 0.2
COUNT = re.compile(r"GET /count/([^/]+) ")
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Server:
    """`stop` may be called early, as a platform may go down."""

    def __init__(self) -> None:
        with on_core(SERVER):
            self._process = subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def count(self, name: str) -> int:
        """How often the prompt was asked for."""
        return self._ask(f"/count/{name}")

    def connections(self) -> int:
        """How many were opened, that of this question included."""
        return self._ask("/connections")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, path: str) -> int:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
        with contextlib.closing(connection):
            connection.request("GET", path)
            return int(connection.getresponse().read())


@contextlib.contextmanager
def running() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.stop()


class Desk:
    """Answers the first line of a request; `slow-...` names after a while, so that many ask for one at once."""

    def __init__(self) -> None:
        self.connections = 0
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, line: str) -> bytes:
        for number, (pattern, _) in enumerate(protocols.READS):
            if found := pattern.match(line):
                return self._read(number, found[1])
        if counted := COUNT.match(line):
            return _http("200 OK", self._asked[counted[1]])
        if line.startswith(CONNECTIONS):
            return _http("200 OK", self.connections)
        return _http("200 OK", protocols.TOKEN) if line.startswith(TOKEN) else _http("404 Not Found", {})

    def _read(self, protocol: int, name: str) -> bytes:
        with self._lock:
            self._asked[name] += 1
        if name.startswith(SLOW):
            time.sleep(SLOW_SECONDS)
        return _prompt(protocol, name)


def serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    desk = Desk()
    while True:
        connection, _ = listener.accept()
        desk.connections += 1
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_converse, args=(connection, desk), daemon=True).start()


def _converse(connection: socket.socket, desk: Desk) -> None:
    with connection:
        while line := _request(connection):
            connection.sendall(desk.answer(line))


def _request(connection: socket.socket) -> str:
    """The first line of the next request, which is read to its end; empty when there is none."""
    request = b""
    while b"\r\n\r\n" not in request:
        received = connection.recv(65536)
        if not received:
            return ""
        request += received
    head, _, body = request.partition(b"\r\n\r\n")
    found = LENGTH.search(head)
    missing = int(found[1]) - len(body) if found else 0
    while missing > 0:
        missing -= len(connection.recv(65536))
    return head.partition(b"\r\n")[0].decode()


@functools.lru_cache(maxsize=100)
def _prompt(protocol: int, name: str) -> bytes:
    return _http("200 OK", protocols.READS[protocol][1](name))


def _http(status: str, value: object) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    serve()
