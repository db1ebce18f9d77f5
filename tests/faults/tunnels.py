"""What carries bytes on loopback: by SOCKS 5 (RFC 1928), by CONNECT (RFC 9110, 9.3.6), or one byte at a time."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from typing_extensions import Self

IPV4 = 1
_Socket = socket.socket  # a tool may put another in its place


class _Carrier:
    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.carried = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _agree(self, peer: socket.socket, stream: BinaryIO) -> tuple[str, int]:
        """Where to; the peer has been told that it is connected."""
        raise NotImplementedError

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer, peer.makefile("rb", 0) as stream:
            address = self._agree(peer, stream)
            self.carried += 1
            with _Socket(socket.AF_INET, socket.SOCK_STREAM) as far:
                far.connect(address)
                threading.Thread(target=self._bring, args=(far, peer), daemon=True).start()
                _pump(peer, far)

    def _bring(self, far: socket.socket, peer: socket.socket) -> None:
        _pump(far, peer)


class SocksProxy(_Carrier):
    def _agree(self, peer: socket.socket, stream: BinaryIO) -> tuple[str, int]:
        stream.read(stream.read(2)[1])
        peer.sendall(b"\x05\x00")  # no authentication
        kind = stream.read(4)[3]
        host = socket.inet_ntoa(stream.read(4)) if kind == IPV4 else stream.read(stream.read(1)[0]).decode()
        (port,) = struct.unpack("!H", stream.read(2))
        peer.sendall(b"\x05\x00\x00\x01" + bytes(6))
        return host, port


class ConnectProxy(_Carrier):
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _agree(self, peer: socket.socket, stream: BinaryIO) -> tuple[str, int]:
        host, port = stream.readline().split()[1].decode().rsplit(":", 1)
        while stream.readline().strip():
            pass
        peer.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        return host, int(port)


class Impeded(_Carrier):
    """The way to the server at `port`, whose answers take `delay` seconds and then `pause` seconds for each byte."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._to = "127.0.0.1", port
        self.delay = 0.0
        self.pause: float | None = None

    def _agree(self, peer: socket.socket, stream: BinaryIO) -> tuple[str, int]:
        return self._to

    def _bring(self, far: socket.socket, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                time.sleep(self.delay)
                while self.pause is not None and data:
                    peer.sendall(data[:1])
                    data = data[1:]
                    time.sleep(self.pause)
                peer.sendall(data)


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Until one side ends, which the other one then hears of."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
