"""An answer without an end is sent as it comes, and takes nothing from the others."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from typing import TYPE_CHECKING, Callable

import pytest
from faults.clock import eventually

from scope_client.local._connection import LIMITS
from scope_client.local._server import LoopbackServer, listen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PATIENCE = 10.0
A_LONG_TIME = 3600.0


class Streams:
    """An app that streams at /stream what it is told to `say`, to each of those who listen, and answers elsewhere."""

    def __init__(self) -> None:
        self.listeners: list[queue.Queue[bytes]] = []
        self.closed = 0
        self._lock = threading.Lock()

    def say(self, chunk: bytes) -> None:
        for each in self.listeners:
            each.put(chunk)

    def __call__(self, environ: dict, start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/stream":
            start_response("200 OK", [("Content-Length", "2")])
            return [b"ok"]
        start_response("200 OK", [("Content-Type", "text/event-stream; charset=utf-8")])
        return self._stream()

    def _stream(self) -> Iterator[bytes]:
        mine: queue.Queue[bytes] = queue.Queue()
        with self._lock:
            self.listeners.append(mine)
        try:
            while chunk := mine.get(timeout=A_LONG_TIME):
                yield chunk
        finally:
            with self._lock:
                self.closed += 1


@pytest.fixture
def app() -> Streams:
    return Streams()


@pytest.fixture
def serve(app: Streams) -> Iterator[Callable[..., Callable[[str], socket.socket]]]:
    with contextlib.ExitStack() as opened:

        def serve(**limits: float) -> Callable[[str], socket.socket]:
            with listen("127.0.0.1", 0) as listener:
                server = LoopbackServer(app, listener, LIMITS._replace(**limits))
            opened.callback(server.join)
            opened.callback(app.say, b"")
            opened.callback(server.cut)

            def ask(path: str) -> socket.socket:
                connection = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), PATIENCE))
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                return connection

            ask.server = server
            return ask

        yield serve


def head(connection: socket.socket) -> bytes:
    """Until the blank line; a stream has one before its first chunk is there."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        received += connection.recv(1)
    return received


def listening(app: Streams, count: int) -> None:
    eventually(lambda: len(app.listeners) - app.closed == count, PATIENCE)


def test_the_head_is_sent_before_the_first_chunk_and_each_chunk_when_it_is_there(serve, app: Streams) -> None:
    stream = serve()("/stream")
    assert b"\r\nConnection: close\r\n" in head(stream)
    for chunk in (b"data: 1\n\n", b"data: 2\n\n"):
        listening(app, 1)
        app.say(chunk)
        assert stream.recv(100) == chunk
    app.say(b"")
    assert stream.recv(1) == b""


def test_who_has_gone_is_noticed_at_the_next_chunk(serve, app: Streams) -> None:
    stream = serve()("/stream")
    head(stream)
    listening(app, 1)
    stream.close()
    app.say(b": are you there?\n\n")
    listening(app, 0)


def test_who_takes_nothing_is_left_when_the_time_for_an_answer_is_over(serve, app: Streams) -> None:
    stream = serve(answer_seconds=0.1)("/stream")
    head(stream)
    listening(app, 1)
    app.say(bytes(64 * 1024 * 1024))
    listening(app, 0)


def test_there_are_so_many_at_once_and_others_are_answered_beside_them(serve, app: Streams) -> None:
    ask = serve(streams=2)
    streams = [ask("/stream") for _ in range(2)]
    assert all(head(each).startswith(b"HTTP/1.1 200 ") for each in streams)
    listening(app, 2)
    with ask("/stream").makefile("rb") as refused:
        answer = refused.read()
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b'"code": "too_many_streams"' in answer
    assert head(ask("/")).startswith(b"HTTP/1.1 200 ")
    streams[0].close()
    app.say(b":\n\n")
    listening(app, 1)
    eventually(lambda: head(ask("/stream")).startswith(b"HTTP/1.1 200 "), PATIENCE)


def test_those_whose_other_side_has_gone_take_no_room_even_before_their_next_chunk(serve, app: Streams) -> None:
    ask = serve(streams=2)
    for _ in range(5):
        streams = [ask("/stream") for _ in range(2)]
        assert [head(each)[9:12] for each in streams] == [b"200", b"200"]
        for each in streams:
            each.close()
    assert app.closed == 0


def test_they_never_take_more_than_a_quarter_of_the_connections(serve, app: Streams) -> None:
    ask = serve(connections=8, streams=16)
    streams = [ask("/stream") for _ in range(4)]
    assert sorted(head(each)[9:12] for each in streams) == [b"200", b"200", b"503", b"503"]
    assert [head(ask("/"))[9:12] for _ in range(4)] == [b"200"] * 4


def test_a_cut_ends_them_at_once_for_those_who_listen(serve, app: Streams) -> None:
    ask = serve()
    stream = ask("/stream")
    head(stream)
    ask.server.cut()
    assert stream.recv(1) == b""
