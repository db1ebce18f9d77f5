"""Time limits that cover a whole connect and a whole answer, where urllib3 limits each system call."""

from __future__ import annotations

import functools
import http.client
import io
import socket
import time
from typing import Any

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

_FOREVER = 1e6


def bound(pool: Any) -> None:
    """From its next connection on, a server that drips bytes does not outlast the time-outs of this urllib3 pool."""
    kind = pool.ConnectionCls
    if not issubclass(kind, _BoundedAnswers):
        pool.ConnectionCls = _bounded(kind)


@functools.cache
def _bounded(kind: Any) -> Any:
    """A connection that finds its way by itself, through SOCKS say, goes on doing so."""
    is_plain = getattr(kind, "_new_conn", None) is HTTPConnection._new_conn
    return type(f"Bounded{kind.__name__}", (_BoundedConnect if is_plain else _BoundedAnswers, kind), {})


class _BoundedReads(io.RawIOBase):
    """Reads of a socket's stream, each given only the time that is left until `ends_at` (monotonic seconds)."""

    def __init__(self, stream: Any, sock: Any, ends_at: float) -> None:
        self._stream = stream
        self._sock = sock
        self._ends_at = ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self._sock.settimeout(left)
        count: int | None = self._stream.readinto(buffer)
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    """Takes the socket's timeout at its start as the time in which all of it must have arrived."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        limit = sock.gettimeout()
        if limit is not None:
            stream = self.fp.detach()  # a BufferedReader, nothing read yet
            self.fp = io.BufferedReader(_BoundedReads(stream, sock, time.monotonic() + limit))


class _BoundedAnswers:
    response_class = _BoundedResponse


class _BoundedConnect(_BoundedAnswers):
    def _new_conn(self: Any) -> socket.socket:
        """Tries the host's addresses in turn, all within one connect timeout, which the TLS handshake shares."""
        ends_at = time.monotonic() + (self.timeout or _FOREVER)
        failure: OSError | None = None
        try:
            addresses = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"{self.host} has no address: {error}") from error
        for family, kind, protocol, _, address in addresses:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(_left(ends_at))
                if self.source_address:
                    sock.bind(self.source_address)
                sock.connect(address)
                sock.settimeout(_left(ends_at))
                return sock
            except OSError as error:
                sock.close()
                failure = error
        if isinstance(failure, socket.timeout):
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from failure
        raise NewConnectionError(self, f"no connection to {self.host}: {failure}") from failure


def _left(ends_at: float) -> float:
    return max(ends_at - time.monotonic(), 0.001)
