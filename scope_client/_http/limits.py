"""Limits that cover a whole connect and a whole answer; urllib3's own are for each system call.

They hold for the requests of a thread while it has set `of_this_thread.limits`, and for no other user of a session.
"""

from __future__ import annotations

import contextlib
import functools
import http
import http.client
import io
import os
import socket
import threading
import weakref
from collections.abc import Iterable
from typing import Any, NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from .._clock import SYSTEM_CLOCK
from .._interrupts import pass_on

MAX_CONNECT_SECONDS = 1e6
TIMEOUT_SLACK_SECONDS = 0.01
ARRIVED_SECONDS = 0.25
_connections: weakref.WeakSet[Any] = weakref.WeakSet()


class Limits(NamedTuple):
    """An answer has to be there by `ends_at`, in monotonic seconds, with at most `max_bytes`, framing included."""

    ends_at: float
    max_bytes: int


class TimeLeft:
    """The seconds that are left until `ends_at`, and a moment more, once, to read what has arrived by then.

    Who is past the end while it reads was kept from reading: an answer that drips meets its end in a read.
    """

    __slots__ = ("_ends_at", "_is_past")

    def __init__(self, ends_at: float) -> None:
        self._ends_at = ends_at
        self._is_past = False

    def seconds(self) -> float:
        """Raises socket.timeout if none are left."""
        now = SYSTEM_CLOCK.now()
        if now >= self._ends_at and not self._is_past:
            self._is_past = True
            self._ends_at = now + ARRIVED_SECONDS
        if now >= self._ends_at:
            raise socket.timeout("timed out")
        return self._ends_at - now


class _OfThisThread(threading.local):
    limits: Limits | None = None
    is_connecting = False  # until the connect has ended well, TLS included


of_this_thread = _OfThisThread()


class TooLargeError(OSError):
    """More bytes came than the limits allow."""


def bound(pool: Any) -> None:
    """Makes the connections of a urllib3 pool, open ones included, heed the limits of the thread that uses them."""
    kind = pool.ConnectionCls
    if not issubclass(kind, _BoundedAnswers):
        pool.ConnectionCls = _bounded(kind)
    for connection in list(pool.pool.queue if pool.pool else ()):
        if connection is not None and not issubclass(type(connection), _BoundedAnswers):
            connection.response_class = _response_class(type(connection))


@functools.cache
def _bounded(kind: Any) -> Any:
    """A kind of connection that connects by itself, such as one through SOCKS, goes on doing so."""
    is_plain = getattr(kind, "_new_conn", None) is HTTPConnection._new_conn
    mixed_in = _BoundedConnect if is_plain else _BoundedAnswers
    return type(f"Bounded{kind.__name__}", (mixed_in, kind), {"response_class": _response_class(kind)})


def _response_class(kind: Any) -> Any:
    return _BoundedTlsResponse if issubclass(kind, HTTPSConnection) else _BoundedResponse


def abandon_connections() -> None:
    """In a forked child: closes its ends of the connections that its parent goes on using."""
    for connection in list(_connections):
        sock = getattr(connection, "sock", None)
        # Not by close(): that leaves the descriptor open for a thread of the parent's that was reading an answer.
        descriptor = -1 if sock is None else sock.detach()
        if descriptor >= 0:
            os.close(descriptor)
    _connections.clear()


def empty(pool: Any) -> None:
    """In a forked child: takes the parent's connections out of a urllib3 pool, whose lock a thread may have held."""
    waiting = pool.pool
    if waiting is not None:
        waiting.__init__(waiting.maxsize)
        for _ in range(waiting.maxsize):
            waiting.put_nowait(None)


class _BoundedReads(io.RawIOBase):
    """Reads of a socket's stream, each given only the time that is left."""

    def __init__(self, stream: Any, sock: Any, limits: Limits) -> None:
        self._stream = stream
        self._sock = sock
        self._time = TimeLeft(limits.ends_at)
        self._bytes_left = limits.max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._time.seconds()
        waits = self._sock.gettimeout()
        if waits is None or abs(waits - left) > TIMEOUT_SLACK_SECONDS:  # setting it takes a system call
            self._sock.settimeout(left)
        count: int = self._stream.readinto(buffer)
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise TooLargeError("the answer is too large")
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        limits = of_this_thread.limits
        if limits is not None:
            stream = self.fp.detach()  # a BufferedReader, nothing read yet
            self.fp = io.BufferedReader(_BoundedReads(stream, sock, limits))

    def begin(self) -> None:
        super().begin()
        # urllib3 logs broken headers as they came, and a server may echo the token there: it is told of none.
        self.has_broken_headers = bool(self.msg.defects)
        if self.has_broken_headers:
            self.msg.defects = []
            self.msg.set_payload("")
        if not self.chunked and _ends_in_chunks(self.msg.get_all("Transfer-Encoding", ())):
            self.chunked, self.chunk_left, self.length = True, None, None
            self.will_close = self._check_close()  # type: ignore[attr-defined]  # not in the stubs
        if self.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
            self.will_close = True

    def _read_status(self) -> Any:
        """Passes over 1xx answers, of which http.client knows 100 only (RFC 9110, 15.2)."""
        status_line = super()._read_status()  # type: ignore[misc]  # not in the stubs
        while 100 < status_line[1] < 200 and status_line[1] != http.HTTPStatus.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            status_line = super()._read_status()  # type: ignore[misc]  # not in the stubs
        return status_line


class _BoundedTlsResponse(_BoundedResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._its_socket = sock

    def _close_conn(self) -> None:
        """At the end of the body, when the connection is about to serve others.

        TLS may hold more bytes, which nobody asked for, and the next answer would begin with them. urllib3 looks only
        at the socket below before it uses a connection again, so this makes the socket look dropped.
        """
        super()._close_conn()  # type: ignore[misc]  # not in the stubs
        pending = getattr(self._its_socket, "pending", None)  # a TLS connection within another has a socket without
        if pending is not None and pending():
            with contextlib.suppress(OSError):  # the peer has gone: it looks dropped already
                self._its_socket.shutdown(socket.SHUT_RDWR)


def _ends_in_chunks(codings: Iterable[str]) -> bool:
    """Whether that is what the fields say (RFC 9112, 6.1); http.client knows no other word beside "chunked"."""
    return ",".join(codings).rpartition(",")[2].strip().lower() == "chunked"


class _BoundedAnswers:
    def connect(self: Any) -> None:
        _connections.add(self)
        of_this_thread.is_connecting = of_this_thread.limits is not None
        super().connect()  # type: ignore[misc]  # of the class that this is mixed into
        of_this_thread.is_connecting = False


class _BoundedConnect(_BoundedAnswers):
    def _new_conn(self: Any) -> socket.socket:
        """Tries the host's addresses in turn, all within one connect timeout, which the TLS handshake shares."""
        if of_this_thread.limits is None:
            return super()._new_conn()  # type: ignore[misc, no-any-return]  # of the class that this is mixed into
        connect_by = SYSTEM_CLOCK.now() + (self.timeout or MAX_CONNECT_SECONDS)
        failure: OSError | None = None
        try:
            addresses = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"{self.host} has no address: {error}") from error
        for family, kind, protocol, _, address in addresses:
            try:
                sock: socket.socket = self._connected(socket.socket(family, kind, protocol), address, connect_by)
            except OSError as error:  # noqa: PERF203  # the next address may do
                pass_on(error)
                failure = error
            else:
                return sock
        if isinstance(failure, socket.timeout):
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from failure
        raise NewConnectionError(self, f"no connection to {self.host}: {failure}") from failure

    def _connected(self: Any, sock: socket.socket, address: Any, connect_by: float) -> socket.socket:
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(_seconds_left(connect_by))
            if self.source_address:
                sock.bind(self.source_address)
            sock.connect(address)
            sock.settimeout(_seconds_left(connect_by))
        except OSError:
            sock.close()
            raise
        return sock


def _seconds_left(ends_at: float) -> float:
    return max(ends_at - SYSTEM_CLOCK.now(), 0.001)
