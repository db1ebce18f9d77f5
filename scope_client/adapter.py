"""A requests adapter whose timeouts bound the whole connect and the whole answer, not each system call."""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

_IDLE_CONNECTIONS = 64


class BoundedAdapter(HTTPAdapter):
    """One per session of ours; a server that drips its answer byte by byte does not outlast the read timeout."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=_IDLE_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class BoundedReads(io.RawIOBase):
    """Reads of a socket's stream, each given only the time that is left until `ends_at` (monotonic seconds)."""

    def __init__(self, stream: Any, sock: Any, ends_at: float) -> None:
        self._stream = stream
        self._read_once = getattr(stream, "readinto1", stream.readinto)
        self._sock = sock
        self._ends_at = ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise socket.timeout("the answer took too long")
        if self._sock is not None:
            self._sock.settimeout(left)
        count: int | None = self._read_once(buffer)
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
            self.fp = io.BufferedReader(BoundedReads(stream, sock, time.monotonic() + limit))


def bound_reads(response: Any, ends_at: float) -> None:
    """Bounds the rest of an answer that came through an adapter of somebody else's, as far as its socket is known."""
    answer = getattr(response.raw, "_original_response", None)
    stream = getattr(answer, "fp", None)
    if isinstance(stream, io.BufferedReader) and not isinstance(stream.raw, BoundedReads):
        sock = getattr(stream.raw, "_sock", None)
        answer.fp = io.BufferedReader(BoundedReads(stream, sock, ends_at))  # type: ignore[union-attr]  # not None here


class _BoundedConnection:
    response_class = _BoundedResponse

    def _new_conn(self: Any) -> socket.socket:
        """Tries the host's addresses in turn, all within one connect timeout, which the TLS handshake shares."""
        ends_at = time.monotonic() + (self.timeout or _FOREVER)
        failure: OSError | None = None
        try:
            addresses = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"the address of {self.host} was not found: {error}") from error
        for family, kind, protocol, _, address in addresses:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(max(ends_at - time.monotonic(), 0.001))
                sock.connect(address)
                sock.settimeout(max(ends_at - time.monotonic(), 0.001))
                return sock
            except OSError as error:
                sock.close()
                failure = error
        if isinstance(failure, socket.timeout):
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from failure
        raise NewConnectionError(self, f"no connection to {self.host}: {failure}") from failure


_FOREVER = 1e6


class _HTTPPool(HTTPConnectionPool):
    class ConnectionCls(_BoundedConnection, HTTPConnectionPool.ConnectionCls):  # type: ignore[misc, valid-type]  # dynamic in urllib3
        pass


class _HTTPSPool(HTTPSConnectionPool):
    class ConnectionCls(_BoundedConnection, HTTPSConnectionPool.ConnectionCls):  # type: ignore[misc, valid-type]  # dynamic in urllib3
        pass


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}
