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
    """A connected socket that waits for `seconds` in all for what answers one `sendall`.

    What its reader does between two reads is not counted: a cluster begins with a list of 90 kB, and a busy process may
    take longer to understand that than the server may take to send it. A read that does not wait is left as it is, and
    so is one before which nobody has asked for anything.
    """

    def __init__(self, plain: socket.socket, seconds: float, now: Callable[[], float] = time.perf_counter) -> None:
        self._plain = plain
        self._seconds = seconds
        self._now = now
        self._left: float | None = None

    def sendall(self, data: bytes) -> None:
        self._left = self._seconds
        self._plain.sendall(data)

    def recv(self, *arguments: Any) -> bytes:
        return self._in_time(self._plain.recv, arguments)

    def recv_into(self, *arguments: Any) -> int:
        return self._in_time(self._plain.recv_into, arguments)

    def _in_time(self, read: Callable[..., _Result], arguments: tuple[Any, ...]) -> _Result:
        limit, left = self._plain.gettimeout(), self._left
        if not limit or left is None:
            return read(*arguments)
        if left <= 0:
            raise socket.timeout("timed out")
        is_shorter = left < limit  # not with the first read, which spares most answers two calls of the system
        began = self._now()
        if is_shorter:
            self._plain.settimeout(left)
        try:
            return read(*arguments)
        finally:
            self._left = left - (self._now() - began)
            if is_shorter:
                self._plain.settimeout(limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)
