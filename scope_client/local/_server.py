"""The server of the local platform: threaded HTTP/1.1 on loopback, which keeps connections alive and can cut them."""

from __future__ import annotations

import contextlib
import io
import os
import selectors
import socket
import threading
from typing import TYPE_CHECKING, Any, Callable

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOOPBACK_HOST = "127.0.0.1"
MAX_REQUEST_BODY_BYTES = 1024 * 1024


class LoopbackServer(ThreadedWSGIServer):
    """Serves from the moment it is made, until `cut`; `join` then waits for its threads."""

    def __init__(self, app: WSGIApplication, listener: socket.socket) -> None:
        self._connections: dict[threading.Thread, Any] = {}
        self._lock = threading.Lock()
        self._woken, self._waker = socket.socketpair()
        super().__init__(LOOPBACK_HOST, listener.getsockname()[1], app, _KeepAliveHandler, fd=listener.fileno())
        self._thread = _thread(self._serve)
        self._thread.start()

    def cut(self) -> None:
        """From here on no answer is sent, not even one that is being made."""
        self._waker.close()
        self._thread.join()
        self._woken.close()
        self.server_close()
        with self._lock:
            for connection in self._connections.values():
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        with self._lock:
            threads = list(self._connections)
        for thread in threads:
            thread.join()

    def _serve(self) -> None:
        """Ends at once when it is told to, and never wakes up for nothing; `serve_forever` polls twice a second."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while self._woken not in [key.fileobj for key, _ in selector.select()]:
                with contextlib.suppress(OSError):
                    self.process_request(*self.get_request())

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = _thread(self.process_request_thread, request, client_address)
        with self._lock:
            self._connections[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._connections[threading.current_thread()]


class _KeepAliveHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    error_content_type = "application/json"
    error_message_format = '{"error": {"code": "bad_request", "message": "This is not a request in HTTP/1.1"}}'

    def run_wsgi(self) -> None:
        """Keeps the connection open; werkzeug's own method closes it after each answer."""
        self.environ = self.make_environ()
        self.environ["scope.target"] = self.requestline.split()[1]
        self.environ["wsgi.input"] = io.BytesIO(self._body())
        chunks, status, headers = run_wsgi_app(self.server.app, self.environ, buffered=True)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"".join(chunks))

    def _body(self) -> bytes:
        """The whole body, so that the next request is found after it; a body too large ends the connection."""
        if "wsgi.input_terminated" in self.environ:
            body = self.environ["wsgi.input"].read(MAX_REQUEST_BODY_BYTES + 1)
        else:
            length = self.headers.get("Content-Length", "0").strip()
            body = self.rfile.read(min(int(length), MAX_REQUEST_BODY_BYTES + 1)) if length.isdecimal() else None
        if body is None or len(body) > MAX_REQUEST_BODY_BYTES:
            self.close_connection = True
        return body or b""

    def version_string(self) -> str:
        return "scope-local"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # the name it has there
        """Logs nothing: the journal does."""


def listen(port: int) -> socket.socket:
    """A socket that listens on a port, or on any free one for 0; ConfigurationError if the port cannot be used."""
    try:
        return socket.create_server((LOOPBACK_HOST, port), backlog=128)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        advice = "choose another, or 0 for any free one"
        raise ConfigurationError(f"port {port} of {LOOPBACK_HOST} cannot be used ({why}); {advice}") from error


def _thread(target: Callable[..., None], *arguments: Any) -> threading.Thread:
    return threading.Thread(target=target, args=arguments, name="scope-local", daemon=True)
