"""Slow, huge and many requests: each is ended within limits, and the others go on being answered."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import threading
import time
from typing import TYPE_CHECKING, Callable

import pytest
from faults.clock import eventually

from scope_client import ServerError
from scope_client.local import LocalPlatform
from scope_client.local._connection import LIMITS
from scope_client.local._server import LoopbackServer, listen

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 10.0
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
MEBIBYTE = 1024 * 1024


class App:
    """Answers with the length of the body, once it may."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.asked = 0

    def __call__(self, environ: dict, start_response: Callable[..., object]) -> list[bytes]:
        self.asked += 1
        self.gate.wait(PATIENCE)
        answer = str(len(environ["wsgi.input"].read())).encode()
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def serve(app: App) -> Iterator[Callable[..., Callable[..., socket.socket]]]:
    """Starts a server with these limits, and returns what opens a connection to it."""
    with contextlib.ExitStack() as opened:

        def serve(**limits: float) -> Callable[..., socket.socket]:
            with listen("127.0.0.1", 0) as listener:
                server = LoopbackServer(app, listener, LIMITS._replace(**limits))
            opened.callback(server.join)
            opened.callback(server.cut)
            opened.callback(app.gate.set)

            def connect(sent: bytes = b"") -> socket.socket:
                connection = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), PATIENCE))
                connection.sendall(sent)
                return connection

            connect.address = ("127.0.0.1", server.port)
            return connect

        yield serve


def rest(connection: socket.socket) -> bytes:
    """All that comes until the other side closes the connection."""
    with connection.makefile("rb") as stream:
        return stream.read()


def answered(connection: socket.socket) -> bool:
    return connection.recv(65536).startswith(b"HTTP/1.1 200 ")


class TestTime:
    def test_a_connection_on_which_nothing_is_asked_is_closed_without_a_word(self, serve) -> None:
        assert rest(serve(idle_seconds=0.1)()) == b""

    def test_so_is_one_on_which_nothing_more_is_asked(self, serve) -> None:
        assert rest(serve(idle_seconds=0.1)(GET)).count(b"HTTP/1.1") == 1

    @pytest.mark.parametrize(
        "begun",
        [b"G", GET[:-2], POST + b"Content-Length: 10\r\n\r\n123", CHUNKED, CHUNKED + b"a\r\n123"],
        ids=["a letter", "a head", "a body", "chunks", "a chunk"],
    )
    def test_a_request_that_is_not_all_here_in_time_is_refused(self, begun: bytes, serve, app: App) -> None:
        answer = rest(serve(request_seconds=0.1)(begun))
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b'{"error": {"code": "request_timeout", "message": "A request must be here 10 seconds' in answer
        assert app.asked == 0

    def test_a_byte_now_and_then_buys_no_more_time(self, serve) -> None:
        connection = serve(request_seconds=0.3, idle_seconds=PATIENCE)(GET[:-2])
        ends = time.monotonic() + PATIENCE
        connection.settimeout(0.05)
        answer = b""
        while not answer and time.monotonic() < ends:
            connection.sendall(b"x")
            with contextlib.suppress(socket.timeout):
                answer = connection.recv(12)
        assert answer == b"HTTP/1.1 408"

    def test_an_answer_that_is_not_taken_frees_its_thread(self, app: App) -> None:
        def much(_: object, start_response: Callable[..., object]) -> list[bytes]:
            start_response("200 OK", [("Content-Length", str(64 * MEBIBYTE))])
            return [bytes(64 * MEBIBYTE)]

        with listen("127.0.0.1", 0) as listener:
            server = LoopbackServer(much, listener, LIMITS._replace(answer_seconds=0.1))
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
            connection.sendall(GET)
            assert connection.recv(12) == b"HTTP/1.1 200"
            eventually(lambda: serving_threads() == 1, PATIENCE)
        server.cut()
        server.join()


def serving_threads() -> int:
    """The one that accepts connections, and one for each connection."""
    return sum(thread.name == "scope-local" for thread in threading.enumerate())


class TestSize:
    @pytest.mark.parametrize(
        "sent",
        [
            b"GET /" + b"x" * 33_000 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"x" * 33_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 101 + b"\r\n",
            b"GET / HTTP/1.1\r\n" + (b"X: " + b"x" * 1000 + b"\r\n") * 40 + b"\r\n",
            b"x" * 20 * MEBIBYTE,
        ],
        ids=["a path", "a header", "many headers", "long headers", "one word"],
    )
    def test_a_head_too_large_is_refused(self, sent: bytes, serve, app: App) -> None:
        connection = serve()(sent)
        assert rest(connection).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
        assert app.asked == 0

    @pytest.mark.parametrize(
        "sent",
        [
            POST + b"Content-Length: 1048577\r\n\r\n" + b"x" * (MEBIBYTE + 1),
            POST + b"Content-Length: 20971520\r\n\r\n" + b"x" * 20 * MEBIBYTE,
            POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + b"x" * 2 * MEBIBYTE,
            CHUNKED + b"100001\r\n" + b"x" * (MEBIBYTE + 1) + b"\r\n0\r\n\r\n",
            CHUNKED + b"1\r\nx\r\n" * MEBIBYTE,
        ],
        ids=["a byte more", "much more", "more than a number", "a chunk", "crumbs"],
    )
    def test_a_body_too_large_is_refused_to_whoever_sends_it_all_first(self, sent: bytes, serve, app: App) -> None:
        assert rest(serve()(sent)).startswith(b"HTTP/1.1 413 ")
        assert app.asked == 0

    @pytest.mark.parametrize(
        "sent",
        [
            POST + b"Content-Length: 1048576\r\n\r\n" + b"x" * MEBIBYTE,
            POST + b"Content-Length: 0000000000000000000000001048576\r\n\r\n" + b"x" * MEBIBYTE,
            CHUNKED + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 256 + b"0\r\n\r\n",
        ],
        ids=["of a length", "of a length with zeros", "in chunks"],
    )
    def test_a_body_that_is_just_right_is_taken_and_the_next_request_found(self, sent: bytes, serve) -> None:
        received = rest(serve(idle_seconds=0.1)(sent + GET))
        assert [part.rpartition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 ")[1:]] == [b"1048576", b"0"]

    @pytest.mark.parametrize(
        "sent",
        [
            POST + b"Content-Length: -1\r\n\r\n",
            POST + b"Content-Length: 1e3\r\n\r\n",
            POST + b"Content-Length: \xb2\r\n\r\n",
            CHUNKED + b"z\r\n",
            CHUNKED + b"-1\r\n",
            CHUNKED + b"0" * 20 * MEBIBYTE,
            CHUNKED + b"1\r\nxx\r\n0\r\n\r\n",
        ],
        ids=range(7),
    )
    def test_a_length_that_cannot_be_is_refused(self, sent: bytes, serve, app: App) -> None:
        assert rest(serve()(sent)).startswith((b"HTTP/1.1 400 Bad Request\r\n", b"HTTP/1.1 413 "))
        assert app.asked == 0


class TestNumber:
    def test_connections_that_are_not_used_make_room(self, serve) -> None:
        connect = serve(connections=3)
        silent = [connect(), connect(b"GET"), connect(GET)]
        assert answered(silent[2])
        assert answered(connect(GET))
        assert rest(silent[0]) == b""

    def test_one_that_waits_for_its_answer_is_not_cut(self, serve, app: App) -> None:
        connect = serve(connections=1)
        app.gate.clear()
        first = connect(GET)
        eventually(lambda: app.asked == 1, PATIENCE)
        second = connect(GET)
        second.settimeout(1.5)  # longer than an unused connection is safe for
        with pytest.raises(socket.timeout):
            second.recv(1)
        app.gate.set()
        second.settimeout(PATIENCE)
        assert answered(first)
        assert answered(second)

    def test_without_a_descriptor_for_it_a_connection_waits_and_nothing_spins(self, serve, app: App) -> None:
        connect = serve()
        asking = socket.socket()
        with asking, no_descriptor_left():
            before = time.process_time()
            asking.settimeout(0.5)
            asking.connect(connect.address)
            asking.sendall(GET)
            with pytest.raises(socket.timeout):
                asking.recv(1)
            assert time.process_time() - before < 0.1
        assert app.asked == 0

    def test_it_is_answered_as_soon_as_there_is_one(self, serve) -> None:
        connect = serve()
        with socket.socket() as asking:
            asking.settimeout(PATIENCE)
            with no_descriptor_left():
                asking.connect(connect.address)
                asking.sendall(GET)
            assert answered(asking)

    def test_without_a_thread_for_it_a_connection_is_closed_and_the_next_is_served(
        self, serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect = serve()

        def start(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", start)
            assert rest(connect()) == b""
        assert answered(connect(GET))


@contextlib.contextmanager
def no_descriptor_left() -> Iterator[None]:
    """As if this process had opened all files that it may."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open(os.devnull) as lowest_free:
        first = lowest_free.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (first, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


class TestTheTerminal:
    """What `scope serve` prints is what it logs: nothing goes past its log."""

    def test_a_failure_of_the_platform_itself_is_one_line_and_an_answer(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines: list[str] = []
        with LocalPlatform({"greeting": "Hello"}, log=lines.append) as platform:

            def find(_: str) -> None:
                raise OSError(24, "Too many open files")

            monkeypatch.setattr(platform._library, "find", find)
            with platform.client(max_retries=0) as client, pytest.raises(ServerError) as caught:
                client.get_prompt_version("greeting")
        assert (caught.value.http_status, caught.value.error_code) == (500, "internal_server_error")
        assert "failed: OSError: [Errno 24] Too many open files" in lines[1]
        assert len(lines) == 3
        assert capfd.readouterr() == ("", "")

    def test_a_connection_that_fails_says_nothing(self, capfd: pytest.CaptureFixture[str], serve) -> None:
        def breaks(*_: object) -> list[bytes]:
            raise ZeroDivisionError

        with listen("127.0.0.1", 0) as listener:
            server = LoopbackServer(breaks, listener)
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
            connection.sendall(GET)
            assert rest(connection) == b""
        server.cut()
        server.join()
        assert capfd.readouterr() == ("", "")
