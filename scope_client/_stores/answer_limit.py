"""AnswerLimit: a server's whole answer has the time that redis-py gives to each part of one."""

from __future__ import annotations

import socket
import time
from typing import Any, Callable, TypeVar

_Result = TypeVar("_Result")


def limit_answers(connection: Any) -> None:
    """For the option `redis_connect_func` of redis-py: all that `connection` reads from now on is limited."""
    plain = getattr(connection, "_sock", None)
    if plain is not None and connection.socket_timeout is not None:
        connection._sock = AnswerLimit(plain, connection.socket_timeout)
    if connection.redis_connect_func is limit_answers:
        connection.on_connect()
    else:  # that of a cluster, which has made the handshake and calls this one then
        connection._parser.on_connect(connection)  # which takes the socket


class AnswerLimit:
    """A connected socket whose reads, from one `sendall` to the next, end together, `seconds` after it.

    A read that does not wait is left as it is, and so is one after which nobody has asked for anything.
    """

    def __init__(self, plain: socket.socket, seconds: float) -> None:
        self._plain = plain
        self._seconds = seconds
        self._ends_at: float | None = None
        self._has_read = False

    def sendall(self, data: bytes) -> None:
        self._ends_at, self._has_read = time.perf_counter() + self._seconds, False
        self._plain.sendall(data)

    def recv(self, *arguments: Any) -> bytes:
        return self._in_time(self._plain.recv, arguments)

    def recv_into(self, *arguments: Any) -> int:
        return self._in_time(self._plain.recv_into, arguments)

    def _in_time(self, read: Callable[..., _Result], arguments: tuple[Any, ...]) -> _Result:
        # The first read has no more than the socket's own time, which spares most answers two calls of the system.
        is_first, self._has_read = not self._has_read, True
        before = self._plain.gettimeout()
        if is_first or not before or self._ends_at is None:
            return read(*arguments)
        left = self._ends_at - time.perf_counter()
        if left <= 0:
            raise socket.timeout("timed out")
        self._plain.settimeout(min(before, left))
        try:
            return read(*arguments)
        finally:
            self._plain.settimeout(before)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)
