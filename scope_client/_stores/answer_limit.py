"""AnswerLimit: a server's whole answer has the time that redis-py gives to each part of one."""

from __future__ import annotations

import math
import socket
import time
from typing import Any, Callable, TypeVar

from .._interrupts import pass_on

ALL_LOOKS_SECONDS = 0.25  # in all, of the looks of a reader whose time is over
ONE_LOOK_SECONDS = 0.001

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
    take longer to understand that than the server may take to send it. A read counts for no longer than it was told to
    wait: what is beyond is the process's own, which was stopped or waited for its turn. For the same reason what has
    arrived is read when the time is over. A read that does not wait is left as it is, and so is one before which nobody
    has asked for anything.
    """

    def __init__(self, plain: socket.socket, seconds: float, now: Callable[[], float] = time.perf_counter) -> None:
        self._plain = plain
        self._seconds = seconds
        self._now = now
        self._left = math.inf

    def sendall(self, data: bytes) -> None:
        self._left = self._seconds
        self._plain.sendall(data)

    def recv(self, *arguments: Any) -> bytes:
        return self._in_time(self._plain.recv, arguments)

    def recv_into(self, *arguments: Any) -> int:
        return self._in_time(self._plain.recv_into, arguments)

    def _in_time(self, read: Callable[..., _Result], arguments: tuple[Any, ...]) -> _Result:
        limit = self._plain.gettimeout()
        if not limit:
            return read(*arguments)
        if self._left > 0:
            try:
                return self._within(self._left, limit, read, arguments)
            except socket.timeout as error:  # by TLS, and after a signal, without a look at what has arrived
                pass_on(error)
        if self._left <= -ALL_LOOKS_SECONDS:
            raise socket.timeout("timed out")
        return self._within(ONE_LOOK_SECONDS, limit, read, arguments)

    def _within(
        self, seconds: float, limit: float, read: Callable[..., _Result], arguments: tuple[Any, ...]
    ) -> _Result:
        is_shorter = seconds < limit  # not with the first read, which spares most answers two calls of the system
        given = min(seconds, limit)
        began = self._now()
        if is_shorter:
            self._plain.settimeout(given)
        try:
            return read(*arguments)
        finally:
            self._left -= min(given, self._now() - began)
            if is_shorter:
                self._plain.settimeout(limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)
