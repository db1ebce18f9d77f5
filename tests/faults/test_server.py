"""The fault server does what it says: seen with plain sockets."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest
from faults.clock import ends_within
from faults.replies import PROMPT, Gate, closes, drips, echoes, hangs, head, resets
from faults.server import FaultServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

GET = b"GET /x HTTP/1.1\r\nHost: here\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"
LOGIN = b"POST /v1/auth/sdk-token HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as started:
        yield started


@pytest.fixture
def sock(server: FaultServer) -> Iterator[socket.socket]:
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=10)) as opened:
        yield opened


def everything(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65536), b""))


def test_it_keeps_what_it_received(server: FaultServer, sock: socket.socket) -> None:
    server.answers(closes())
    sock.sendall(LOGIN + GET)
    everything(sock)
    login, read = server.requests
    assert (login.line, login.body) == ("POST /v1/auth/sdk-token HTTP/1.1", b"{}")
    assert read.line == "GET /x HTTP/1.1"
    assert read.headers == (("Host", "here"), ("X-Twice", "1"), ("X-Twice", "2"))
    assert (server.logins, server.reads) == ([login], [read])


def test_it_gives_another_token_each_time(server: FaultServer, sock: socket.socket) -> None:
    server.answers(closes())
    sock.sendall(LOGIN + LOGIN + GET)
    received = everything(sock)
    assert received.index(b"token-1") < received.index(b"token-2")


def test_replies_come_in_their_order_and_the_last_is_repeated(server: FaultServer, sock: socket.socket) -> None:
    server.answers(b"one,", b"two,", b"three,")
    sock.sendall(GET * 4)
    sock.shutdown(socket.SHUT_WR)
    assert everything(sock) == b"one,two,three,three,"


@pytest.mark.parametrize(
    ("reply", "received"),
    [
        (closes(PROMPT[:20]), PROMPT[:20]),
        (drips(b"abc", at_once=b"xyz"), b"xyzabc"),
        (echoes(str.encode), GET.replace(b"\r", b"").rstrip() + b"\n"),
        (head(204), b"HTTP/1.1 204 Said\r\n\r\n"),
    ],
    ids=["closes", "drips", "echoes", "head"],
)
def test_a_reply_arrives(reply: Reply, received: bytes, server: FaultServer, sock: socket.socket) -> None:
    server.answers(reply)
    sock.sendall(GET)
    sock.shutdown(socket.SHUT_WR)
    assert everything(sock) == received


@pytest.mark.parametrize("after", [b"", b"HTTP/1.1 200"])
def test_a_reset_is_one(after: bytes, server: FaultServer, sock: socket.socket) -> None:
    server.answers(resets(after))
    sock.sendall(GET)
    assert sock.recv(len(after), socket.MSG_WAITALL) == after
    with pytest.raises(ConnectionResetError):
        sock.recv(1)


def test_it_hangs_until_the_client_leaves(server: FaultServer, sock: socket.socket) -> None:
    server.answers(hangs(b"so far"))
    sock.sendall(GET)
    assert sock.recv(100) == b"so far"
    sock.settimeout(0.1)
    with pytest.raises(socket.timeout):
        sock.recv(1)
    sock.close()
    server.wait_until_all_have_left()


def test_a_gate_holds_a_reply_back(server: FaultServer, sock: socket.socket) -> None:
    gate = Gate()
    server.answers(gate.holds(b"held"))
    sock.sendall(GET)
    server.wait_for_reads(1)
    gate.open()
    assert sock.recv(100) == b"held"


def test_it_stops_whatever_it_is_at() -> None:
    with ends_within(5), FaultServer() as server:
        server.answers(hangs())
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(GET)
            server.wait_for_reads(1)
