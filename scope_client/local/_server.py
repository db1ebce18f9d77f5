"""The server of the local platform: threaded HTTP/1.1, which keeps connections alive and can cut them."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import threading
from typing import TYPE_CHECKING, Any, Callable

from werkzeug.serving import ThreadedWSGIServer

from .._clock import SYSTEM_CLOCK
from .._fork import renew_in_children
from .._log import Log
from ..errors import ConfigurationError
from ._connection import LIMITS, ConnectionHandler, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed.wsgi import WSGIApplication

QUEUED_CONNECTIONS = 128
NO_ROOM_SECONDS = 0.05
STREAMS_SHARE = 4  # for answers without an end are one in so many connections
UNUSED_SECONDS = 1.0  # for so long a connection has asked for nothing before it makes room for another

_log = Log("scope_client.local")


class LoopbackServer(ThreadedWSGIServer):
    """Serves from the moment it is made, until `cut`; `join` then waits for its threads."""

    def __init__(self, app: WSGIApplication, listener: socket.socket, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self._most = min(limits.connections, _half_of_the_descriptors())
        self._most_streams = min(limits.streams, self._most // STREAMS_SHARE)
        self._streams: set[socket.socket] = set()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._unused: dict[socket.socket, float] = {}  # since when, the longest first
        self._renew_locks()
        self._woken, self._waker = socket.socketpair()
        host, port = listener.getsockname()[:2]
        super().__init__(host, port, app, ConnectionHandler, fd=listener.fileno())
        self._thread = _thread(self._serve, selectors.DefaultSelector())
        self._thread.start()
        renew_in_children(self)

    def _renew_locks(self) -> None:
        self._lock = threading.Lock()
        self._freed = threading.Condition(self._lock)

    def after_fork(self) -> None:
        """The child serves nothing, and cuts nothing of what its parent serves."""
        self._renew_locks()
        self._connections.clear()
        self.server_close()

    def cut(self) -> None:
        """From here on no answer is sent, not even one that is being made."""
        self._waker.close()
        self._thread.join()
        self._woken.close()
        self.server_close()
        with self._lock:
            for connection in self._connections.values():
                _cut(connection)

    def join(self) -> None:
        with self._lock:
            threads = list(self._connections)
        for thread in threads:
            thread.join()

    @contextlib.contextmanager
    def using(self, connection: socket.socket) -> Iterator[None]:
        """While a request of it is being answered, a connection is not cut to make room."""
        with self._lock:
            self._unused.pop(connection, None)
        yield
        with self._lock:
            self._unused[connection] = SYSTEM_CLOCK.now()

    @contextlib.contextmanager
    def holding(self, connection: socket.socket) -> Iterator[None]:
        """While its request waits for nothing but the end of a fault, a connection may be cut to make room."""
        with self._lock:
            self._unused[connection] = SYSTEM_CLOCK.now()
        try:
            yield
        finally:
            with self._lock:
                self._unused.pop(connection, None)

    @contextlib.contextmanager
    def streaming(self, connection: socket.socket) -> Iterator[bool]:
        """Whether there is room for one more answer without an end; it takes that room while it is sent.

        One whose other side has gone takes none, even if that is noticed only at its next chunk.
        """
        with self._lock:
            if len(self._streams) >= self._most_streams:
                self._streams = {each for each in self._streams if not _is_gone(each)}
            may_stream = len(self._streams) < self._most_streams
            if may_stream:
                self._streams.add(connection)
        try:
            yield may_stream
        finally:
            with self._lock:
                self._streams.discard(connection)

    def _serve(self, selector: selectors.BaseSelector) -> None:
        """Ends at once when it is told to, and never wakes up for nothing; `serve_forever` polls twice a second."""
        with selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while self._woken not in [key.fileobj for key, _ in selector.select()]:
                if not self._takes_one_in():
                    self._make_room()

    def _takes_one_in(self) -> bool:
        """False if there is no room for the connection that waits, or no descriptor or thread is left for it."""
        if len(self._connections) >= self._most:
            return False
        try:
            self.process_request(*self.get_request())
        except (OSError, RuntimeError):
            return False
        return True

    def _make_room(self) -> None:
        """Cuts the connection that was unused for the longest, and lets the next one wait for a moment."""
        with self._lock:
            longest = next(iter(self._unused.items()), None)
            if longest is not None and SYSTEM_CLOCK.now() - longest[1] >= UNUSED_SECONDS:
                _cut(longest[0])
                del self._unused[longest[0]]
            self._freed.wait(NO_ROOM_SECONDS)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = _thread(self.process_request_thread, request, client_address)
        with self._lock:
            self._connections[thread] = request
            self._unused[request] = SYSTEM_CLOCK.now()
        try:
            thread.start()
        except RuntimeError:
            self._forget(thread, request)
            self.shutdown_request(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._forget(threading.current_thread(), request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing on the terminal; socketserver prints a traceback."""
        _log.exception("a connection to the local platform failed")

    def _forget(self, thread: threading.Thread, connection: socket.socket) -> None:
        with self._lock:
            del self._connections[thread]
            self._unused.pop(connection, None)
            self._freed.notify()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, on any free port for 0; ConfigurationError if it cannot."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        both = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server((host, port), family=family, backlog=QUEUED_CONNECTIONS, dualstack_ipv6=both)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(_why_not(host, port, error)) from error


def _why_not(host: str, port: int, error: Exception) -> str:
    number = getattr(error, "errno", None) or 0
    why = getattr(error, "strerror", None) if isinstance(error, socket.gaierror) else os.strerror(number)
    if number in (errno.EADDRINUSE, errno.EACCES):
        return f"port {port} of {host} cannot be used ({why}); choose another, or 0 for any free one"
    return f"host {host} cannot be listened on ({why}); give an address of this machine, or 0.0.0.0 for all of them"


def _half_of_the_descriptors() -> int:
    """So many connections leave the other half to the folder of prompts and to the program."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return LIMITS.connections
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return LIMITS.connections if allowed == resource.RLIM_INFINITY else max(1, allowed // 2)


def _is_gone(connection: socket.socket) -> bool:
    """Whether the other side has closed a connection that another thread writes to, and may wait for."""
    try:
        with connection.dup() as same:
            same.setblocking(False)
            return not same.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _thread(target: Callable[..., None], *arguments: Any) -> threading.Thread:
    return threading.Thread(target=target, args=arguments, name="scope-local", daemon=True)
