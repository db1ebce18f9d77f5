"""One connection to the local platform: its requests, each read within limits of time and size."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from werkzeug.serving import WSGIRequestHandler

from .._clock import SYSTEM_CLOCK
from ._bodies import GENERATIONS, as_json, error_body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from ._server import LoopbackServer


class Limits(NamedTuple):
    """What one program may ask for at the most."""

    connections: int = 512
    """Open ones. Those that are unused make room for new ones."""
    streams: int = 16
    """Answers without an end that are sent at the same time; and a quarter of the connections at the most."""
    idle_seconds: float = 30.0
    """Until the first request of a connection, and between two."""
    request_seconds: float = 10.0
    """From the first byte of a request to its last."""
    answer_seconds: float = 30.0
    """For which the other side may not take the bytes of an answer."""
    linger_seconds: float = 1.0
    """For which a body too large is read, and dropped, so that the other side gets to read the answer."""
    head_bytes: int = 32 * 1024
    """Of the request line and the headers together."""
    body_bytes: int = 1024 * 1024
    """Of a body, decoded."""
    lingering_bytes: int = 64 * 1024 * 1024
    """Of a body too large, which are read and dropped."""


LIMITS = Limits()
STREAM_TYPE = "text/event-stream"
MOST_LENGTH_DIGITS = 12
_SCHEME_AND_HOST = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_BAD_REQUEST = ("bad_request", "This is not a request in HTTP/1.1")
_REASONS = {
    408: ("request_timeout", f"A request must be here {LIMITS.request_seconds:g} seconds after its first byte"),
    413: ("request_entity_too_large", f"A body may have {LIMITS.body_bytes} bytes at the most"),
    431: (
        "headers_too_large",
        f"The head may have {LIMITS.head_bytes} bytes and 100 headers at the most",
    ),
    503: ("too_many_streams", "Too many pages follow this platform at the same time; close one"),
}


class _Refused(Exception):  # noqa: N818  # it is an answer, not an error of ours
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Arriving(io.RawIOBase):
    """What comes in, until it has to be there; what has arrived by then is taken later, too."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.ends = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(max(0.0, self.ends - SYSTEM_CLOCK.now()))
        try:
            return self._connection.recv_into(buffer)
        except (socket.timeout, BlockingIOError):
            raise _Refused(408) from None


class _Incoming(io.BufferedReader):
    """The bytes of one connection; what is read of them is within what `allow` allowed last."""

    raw: _Arriving

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(_Arriving(connection))
        self._left = 0
        self._status = 0

    def allow(self, seconds: float, size: int, too_large: int) -> None:
        """From here on so many bytes may be read, for so long. More of them are refused with the status."""
        self.raw.ends = SYSTEM_CLOCK.now() + seconds
        self.allow_size(size, too_large)

    def allow_size(self, size: int, too_large: int) -> None:
        """From here on so many bytes may be read, within the time that was allowed."""
        self._left = size
        self._status = too_large

    def readline(self, size: int | None = -1) -> bytes:
        line = self._counted(super().readline(self._within(size)))
        if not self._left and not line.endswith(b"\n"):
            raise _Refused(self._status)
        return line

    def read(self, size: int | None = -1) -> bytes:
        return self._counted(super().read(self._within(size)))

    def _within(self, size: int | None) -> int:
        return self._left if size is None or size < 0 else min(size, self._left)

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        return data


class ConnectionHandler(WSGIRequestHandler):
    """Reads the requests of a connection, and sends their answers."""

    server: LoopbackServer
    rfile: _Incoming
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = _Incoming(self.connection)

    def handle_one_request(self) -> None:
        self.command, self.requestline, self.request_version = "", "", ""
        self.close_connection = True
        try:
            if self._is_asked():
                limits = self.server.limits
                self.rfile.allow(limits.request_seconds, limits.head_bytes, too_large=431)
                super().handle_one_request()
        except _Refused as refused:
            self.send_error(refused.status)

    def _is_asked(self) -> bool:
        """Waits for the first byte of a request; False if none comes."""
        self.rfile.allow(self.server.limits.idle_seconds, 0, too_large=431)
        try:
            return bool(self.rfile.peek(1))
        except _Refused:
            return False

    def run_wsgi(self) -> None:
        """Keeps the connection open; werkzeug's own method closes it after each answer."""
        try:
            self.environ = self.make_environ()
            self.environ["wsgi.input"] = io.BytesIO(self._body())
        except ConnectionError:
            raise
        except (ValueError, OSError):  # a target that is not a URL, a chunk that is not a chunk
            raise _Refused(400) from None
        self.environ["scope.target"] = _without_host(self.requestline.split()[1])
        self.environ["scope.is_gone"] = self._is_gone
        self.environ["scope.holding"] = functools.partial(self.server.holding, self.connection)
        with self.server.using(self.connection):
            answer = _Answer(self.server.app, self.environ)
            with contextlib.closing(answer):
                if answer.is_stream:
                    self._stream(answer)
                    return
                body = b"".join(answer.chunks)
        self._send(body, answer.status, answer.headers)

    def _stream(self, answer: _Answer) -> None:
        """Sends each chunk when it is there, until there are no more, the other side has gone, or all is cut."""
        self.close_connection = True
        with self.server.streaming(self.connection) as may_stream:
            if not may_stream:
                self._send_problem(503)
                return
            self._send(b"", answer.status, answer.headers)
            for chunk in answer.chunks:
                if self._is_gone():
                    return
                self.connection.settimeout(self.server.limits.answer_seconds)
                self.wfile.write(chunk)

    def _is_gone(self) -> bool:
        """Whether the other side has closed the connection; what it sent meanwhile stays where it is."""
        try:
            self.connection.settimeout(0)
            return not self.connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _body(self) -> bytes:
        """The whole body, so that the next request is found after it."""
        most = self.server.limits.body_bytes
        self.rfile.allow_size(2 * most, too_large=413)  # chunks have frames
        if "wsgi.input_terminated" in self.environ:
            body: bytes = self.environ["wsgi.input"].read(most + 1)
        else:
            length = self._said_length()
            body = self.rfile.read(min(length, most + 1)) if length else b""
        if len(body) > most:
            raise _Refused(413)
        return body

    def _said_length(self) -> int:
        said = self.headers.get("Content-Length", "0").strip()
        if not said.isdecimal():
            raise _Refused(400)
        return int(said.lstrip("0")[:MOST_LENGTH_DIGITS] or 0)  # with more digits it is too large in any case

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """In JSON, and without anything of what came."""
        self.close_connection = True
        self.request_version = self.protocol_version  # for the answer to one without would have no head
        self._send_problem(code)
        self._linger()

    def _send_problem(self, code: int) -> None:
        word, said = _REASONS.get(code, _BAD_REQUEST)
        body = as_json(error_body(word, said, GENERATIONS[0])).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        self._send(body, f"{int(code)} {HTTPStatus(code).phrase}", headers)

    def _send(self, body: bytes, status: str, headers: Iterable[tuple[str, str]]) -> None:
        self.connection.settimeout(self.server.limits.answer_seconds)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _linger(self) -> None:
        """Drops what still comes: a connection that is closed before may take the answer along."""
        limits = self.server.limits
        self.rfile.allow(limits.linger_seconds, limits.lingering_bytes, too_large=413)
        with contextlib.suppress(OSError, _Refused):
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read(64 * 1024):
                pass

    def version_string(self) -> str:
        return "scope-local"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Logs nothing: the journal does. What werkzeug makes of a path may raise."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # the name it has there
        """Logs nothing."""


class _Answer:
    """What the app answers; its chunks may not be there yet."""

    def __init__(self, app: WSGIApplication, environ: WSGIEnvironment) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.chunks = app(environ, self._start)

    def _start(self, status: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return lambda data: None  # WSGI's older way to send a body, which Flask does not use

    @property
    def is_stream(self) -> bool:
        return any(name.lower() == "content-type" and value.startswith(STREAM_TYPE) for name, value in self.headers)

    def close(self) -> None:
        getattr(self.chunks, "close", lambda: None)()


def _without_host(target: str) -> str:
    """What follows the host of a target that is a whole URL, as a proxy sends it (RFC 9112, 3.2.2)."""
    found = _SCHEME_AND_HOST.match(target)
    if found is None:
        return target
    rest = target[found.end() :]
    return rest if rest.startswith("/") else f"/{rest}"
