"""A SOCKS 5 proxy on loopback, without authentication (RFC 1928)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

IPV4, NAME = 1, 3


class SocksServer:
    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.carried = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, peer.makefile("rb") as stream:
            _, count = stream.read(2)
            stream.read(count)
            peer.sendall(b"\x05\x00")
            _, _, _, kind = stream.read(4)
            host = socket.inet_ntoa(stream.read(4)) if kind == IPV4 else stream.read(stream.read(1)[0]).decode()
            (port,) = struct.unpack("!H", stream.read(2))
            self.carried += 1
            with _plain_socket() as far:
                far.connect((host, port))
                peer.sendall(b"\x05\x00\x00\x01" + bytes(6))
                threading.Thread(target=_pump, args=(far, peer), daemon=True).start()
                _pump(peer, far)


def _plain_socket() -> socket.socket:
    return _Socket(socket.AF_INET, socket.SOCK_STREAM)


_Socket = socket.socket  # the one before a tool's


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
