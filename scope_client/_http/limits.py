"""Limits of one attempt: of its connect, of the wait for an answer, of the answer; urllib3's are for each system call.

They hold for the requests of a thread while it has set `of_this_thread.limits`, and for no other user of a session.
"""

from __future__ import annotations

import functools
import http
import http.client
import math
import socket
import threading
from collections.abc import Iterable
from typing import Any

from .._clock import SYSTEM_CLOCK

_Theirs: Any = object  # a class of http.client's, or of a tool's, comes after ours
TIMEOUT_SLACK_SECONDS = 0.01
ARRIVED_SECONDS = 0.25
RESTED_SECONDS = 0.25  # nothing on the way forgets a connection that was idle for less
PATIENCE_SECONDS = 1.0
PATIENCE_FACTOR = 4.0


class Limits:
    """An answer has to be there by `ends_at`, in monotonic seconds, with at most `max_bytes`, framing included.

    That is `seconds` from now, and later by what looking up a name takes, but never later than `at_most` from now.
    What is known of the connection that the attempt uses is kept here as well.
    """

    connect_by: float | None = None
    """The end of the connect that is under way, TLS included."""
    left_out = 0.0
    """Seconds that have passed and do not count."""
    idle_for: float | None = None
    """How long the connection had been idle, None for a new one."""
    usual_wait = 0.0
    """Seconds until the first byte of an answer of this host."""
    wait: float | None = None
    """The same of this answer, None until it has begun."""
    is_silent = False
    """The connection had been idle, and no answer began in its share of the time."""
    wants_new = False
    """A connection that was idle is not to be used."""

    def __init__(self, seconds: float, max_bytes: int, at_most: float = math.inf) -> None:
        now = SYSTEM_CLOCK.now()
        self.seconds = seconds
        self.ends_at = now + seconds
        self.max_bytes = max_bytes
        self._ends_at_most = now + at_most

    def leave_out(self, seconds: float) -> None:
        """Of the connect that is under way, the seconds that a look-up took."""
        left_out = min(seconds, self._ends_at_most - self.ends_at)
        self.seconds -= seconds - left_out
        self.left_out += left_out
        self.ends_at += left_out
        if self.connect_by is not None:
            self.connect_by = min(self.connect_by + seconds, self.ends_at)

    def patience(self, left: float) -> float:
        """Seconds to wait for the first byte of an answer, of those that are left.

        What is sent over a connection that was idle may vanish: a NAT or a load balancer has forgotten it. So it gets
        a second, or a quarter of what is left if that is less, or four times the usual wait if that is more; a new
        connection gets the rest, at least half. A host so slow that half would not do is not asked twice.
        """
        if self.idle_for is None or self.idle_for < RESTED_SECONDS or 2 * self.usual_wait > left:
            return left
        return min(left / 2, max(min(PATIENCE_SECONDS, left / 4), PATIENCE_FACTOR * self.usual_wait))


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


of_this_thread = _OfThisThread()


class TooLargeError(OSError):
    """More bytes came than the limits allow."""


@functools.cache
def _bounded_stream(kind: Any) -> Any:
    return type(kind.__name__, (_BoundedReads, kind), {"__module__": kind.__module__})


class _BoundedReads(_Theirs):  # type: ignore[misc]  # it is Any
    """Reads of a socket's stream, each given only the time that is left."""

    _sock: Any

    def heed(self, limits: Limits) -> None:
        """To be called before the first of them."""
        self._limits = limits
        # The socket of pyOpenSSL sets its timeout on the one below, and cannot tell it.
        self._timed = self._sock if hasattr(self._sock, "gettimeout") else self._sock.socket
        self._time = TimeLeft(limits.ends_at if limits.connect_by is None else limits.connect_by)
        self._bytes_left = limits.max_bytes
        self._asked_at = SYSTEM_CLOCK.now()
        self._has_begun = False

    def readinto(self, buffer: Any) -> int:
        limits, sock, has_begun = self._limits, self._timed, self._has_begun
        left = self._time.seconds()
        seconds = left if has_begun or limits.idle_for is None else limits.patience(left)
        waits = sock.gettimeout()
        if waits is None or abs(waits - seconds) > TIMEOUT_SLACK_SECONDS:  # setting it takes a system call
            sock.settimeout(seconds)
        try:
            count: int = super().readinto(buffer)
        except socket.timeout:
            # It may also come from a signal handler of the user's.
            is_over = SYSTEM_CLOCK.now() - self._asked_at >= seconds - TIMEOUT_SLACK_SECONDS
            limits.is_silent = is_over and seconds < left
            raise
        if not has_begun and count:
            self._has_begun = True
            limits.wait = SYSTEM_CLOCK.now() - self._asked_at
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise TooLargeError("the answer is too large")
        return count


@functools.cache
def bounded_kind(kind: Any) -> Any:
    """Of a class of answers, http.client's or made of it, one that heeds the limits; any other stays as it is."""
    is_of_http_client = any(each.__module__ == http.client.__name__ for each in kind.__mro__)
    return type(kind.__name__, (_BoundedResponse, kind), {}) if is_of_http_client else kind


class _BoundedResponse(_Theirs):  # type: ignore[misc]  # it is Any
    fp: Any
    chunked: Any

    def begin(self) -> None:
        super().begin()
        # urllib3 logs broken headers as they came, and a server may echo the token there: it is told of none.
        self.has_broken_headers = bool(self.msg.defects)
        if self.has_broken_headers:
            self.msg.defects = []
            self.msg.set_payload("")
        if not self.chunked and _ends_in_chunks(self.msg.get_all("Transfer-Encoding", ())):
            self.chunked, self.chunk_left, self.length = True, None, None
            self.will_close = self._check_close()
        if self.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
            self.will_close = True

    def _read_status(self) -> Any:
        """Passes over 1xx answers, of which http.client knows 100 only (RFC 9110, 15.2).

        It is the first that reads, in the answer of a proxy to CONNECT too, which has no `begin`.
        """
        limits, stream = of_this_thread.limits, getattr(self.fp, "raw", None)
        if limits is not None and isinstance(stream, socket.SocketIO) and not isinstance(stream, _BoundedReads):
            bounded: Any = stream
            bounded.__class__ = _bounded_stream(type(stream))
            bounded.heed(limits)
        status_line = super()._read_status()
        while 100 < status_line[1] < 200 and status_line[1] != http.HTTPStatus.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            status_line = super()._read_status()
        return status_line


def _ends_in_chunks(codings: Iterable[str]) -> bool:
    """Whether that is what the fields say (RFC 9112, 6.1); http.client knows no other word beside "chunked"."""
    return ",".join(codings).rpartition(",")[2].strip().lower() == "chunked"
