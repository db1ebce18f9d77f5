"""A server on loopback that answers as badly as it is told to, and keeps what it received, byte for byte."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import struct
import threading
from typing import TYPE_CHECKING, BinaryIO, Callable, NamedTuple, Union

from faults.certificate import certificate
from faults.replies import PROMPT, token

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 10.0


class Request(NamedTuple):
    """One request as it came: its first line, and its headers in order."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def text(self) -> str:
        return "\n".join([self.line, *(f"{name}: {value}" for name, value in self.headers), self.body.decode()])


class Peer:
    """One connection, as a reply sees it."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self._sock = sock
        self.stopping = stopping
        self.name: tuple[str, int] = sock.getpeername()
        self.is_open = True
        self.request: Request

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def close(self) -> None:
        """Ends the connection in good order, once the reply has returned."""
        self.is_open = False

    def reset(self) -> None:
        """Ends the connection with a RST."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def wait_for_its_end(self) -> None:
        while self._sock.recv(4096):
            pass


Reply = Union[bytes, Callable[[Peer], None]]


class Script:
    """Replies in their order; the last one is repeated."""

    def __init__(self, *replies: Reply) -> None:
        self._lock = threading.Lock()
        self(*replies)

    def __call__(self, *replies: Reply) -> None:
        self._replies = list(replies)

    def next(self) -> Reply:
        with self._lock:
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


class FaultServer:
    """Serves tokens at /v1/auth/... and whatever `answers` was told at every other path.

    A `greeting` is sent before anything was asked for.
    """

    def __init__(self, *, tls: bool = False, greeting: bytes = b"", port: int = 0) -> None:
        self.answers = Script(PROMPT)
        self.gives_tokens = Script(_numbered_tokens())
        self.requests: list[Request] = []
        self.accepted = 0
        self._greeting = greeting
        self._context = _tls_context() if tls else None
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def wants_a_client_certificate(self) -> None:
        """Of its own authority; a handshake with another one fails."""
        assert self._context is not None
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_verify_locations(certificate().authority)
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2  # of 1.3 a client hears of it only with the answer

    def __enter__(self) -> Self:
        self._acceptor = self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._acceptor.join(PATIENCE)
        self._listener.close()
        with self._changed:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "the server has a reply that does not end"

    @property
    def reads(self) -> list[Request]:
        return [request for request in self.requests if not _is_login(request)]

    @property
    def logins(self) -> list[Request]:
        return [request for request in self.requests if _is_login(request)]

    def wait_for_reads(self, count: int) -> None:
        self._wait(lambda: len(self.reads) >= count, f"{count} reads")

    def wait_for_logins(self, count: int) -> None:
        self._wait(lambda: len(self.logins) >= count, f"{count} token requests")

    def wait_until_all_have_left(self) -> None:
        self._wait(lambda: not self._open, "the end of every connection")

    def wait_until_open(self, count: int) -> None:
        self._wait(lambda: len(self._open) == count, f"{count} open connections")

    def _wait(self, is_so: Callable[[], bool], what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, PATIENCE), f"waited in vain for {what}"

    def _start(self, run: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopping.is_set():
                sock.close()
                return
            self.accepted += 1
            if self._context is not None:  # the first read shakes hands
                sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            with self._changed:
                self._open.add(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock, sock.makefile("rb") as stream:
            sock.sendall(self._greeting)
            self._talk(Peer(sock, self._stopping), stream)
        with self._changed:
            self._open.discard(sock)
            self._changed.notify_all()

    def _talk(self, peer: Peer, stream: BinaryIO) -> None:
        while peer.is_open and not self._stopping.is_set():
            request = _read_request(stream)
            if request is None:
                return
            peer.request = request
            with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            reply = (self.gives_tokens if _is_login(request) else self.answers).next()
            if callable(reply):
                reply(peer)
            else:
                peer.send(reply)


def _is_login(request: Request) -> bool:
    return "/v1/auth/" in request.line


def _read_request(stream: BinaryIO) -> Request | None:
    lines = []
    for raw in iter(stream.readline, b"\r\n"):
        if not raw:
            return None
        lines.append(raw.decode("latin-1").rstrip("\r\n"))
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    return Request(lines[0], headers, stream.read(length))


def _numbered_tokens() -> Reply:
    numbers = itertools.count(1)
    return lambda peer: peer.send(token(f"token-{next(numbers)}"))


def _tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate().server)
    return context
