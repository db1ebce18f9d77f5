"""What is said of a client of Redis is what it waits for: measured with limits of a moment, and servers that hang."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redis.backoff import ConstantBackoff, ExponentialBackoff, NoBackoff
from redis.retry import Retry

from scope_client.frameworks import patience_of

LIMIT_SECONDS = 0.1
RETRIES = {
    "none": Retry(NoBackoff(), 0),
    "one": Retry(NoBackoff(), 1),
    "three": Retry(NoBackoff(), 3),
    "two with pauses": Retry(ConstantBackoff(0.1), 2),
    "three with pauses that grow": Retry(ExponentialBackoff(cap=0.15, base=0.02), 3),
}


class Hanging:
    """A server that answers the first command, and then no other; if it is `cut`, it takes no connections either."""

    def __init__(self, *, cut: bool) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=0 if cut else 100)
        self.port = self._listening.getsockname()[1]
        self._opened: list[socket.socket] = []
        self.is_cut = cut
        self.ends = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        self._opened.append(connection)
        for _ in range(3 * self.is_cut):  # the kernel takes no more then
            waiting = socket.socket()
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", self.port))
            self._opened.append(waiting)
        with contextlib.suppress(OSError):
            while not self.ends.is_set():
                asked = connection.recv(10_000)
                if not self.ends.is_set():
                    connection.sendall(b"+OK\r\n" * asked.count(b"*"))

    def close(self) -> None:
        self.ends.set()
        for each in (self._listening, *self._opened):
            each.close()


@pytest.fixture(params=[False, True], ids=["hangs", "is cut"])
def server(request: pytest.FixtureRequest) -> Iterator[Hanging]:
    with contextlib.closing(Hanging(cut=request.param)) as started:
        yield started


@pytest.mark.parametrize("retry", RETRIES.values(), ids=RETRIES)
def test_a_call_takes_no_longer_than_is_said_and_about_as_long(retry: Retry, server: Hanging) -> None:
    limits: dict[str, Any] = {"socket_timeout": LIMIT_SECONDS, "socket_connect_timeout": LIMIT_SECONDS}
    with redis.Redis(
        port=server.port, **limits, retry=retry, retry_on_error=[redis.TimeoutError], protocol=2
    ) as client:
        said = patience_of(client)
        assert said is not None
        with contextlib.suppress(redis.RedisError):
            client.get("anything")
        server.ends.set()
        began = time.monotonic()
        with pytest.raises((redis.TimeoutError, redis.ConnectionError)):
            client.get("anything")
        took = time.monotonic() - began
    expected = (said.lost if server.is_cut else said.hanging).total
    assert 0.6 * expected < took < expected + 1
