"""The platform is up between start and stop, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import copy
import http.client
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
import requests
from faults.child import in_a_child

from scope_client.errors import ConfigurationError
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from tests.local.conftest import Caller

LATEST = "/api/v1/prompts/greeting/latest"


def raw(platform: LocalPlatform) -> socket.socket:
    return socket.create_connection(("127.0.0.1", platform.port), timeout=10)


def answers_to(platform: LocalPlatform, sent: bytes) -> bytes:
    """All that comes back until the platform closes the connection; each request gets its Host."""
    sent = sent.replace(b" HTTP/1.1\r\n", f" HTTP/1.1\r\nHost: localhost:{platform.port}\r\n".encode())
    with raw(platform) as connection, connection.makefile("rb") as stream:
        connection.sendall(sent)
        return stream.read()


def test_one_connection_serves_many_requests(platform: LocalPlatform) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", platform.port, timeout=10)) as connection:
        connection.connect()
        opened = connection.sock
        for _ in range(3):
            connection.request("GET", LATEST)
            connection.getresponse().read()
            assert connection.sock is opened


def test_a_connection_ends_where_the_caller_asks_for_it(platform: LocalPlatform) -> None:
    assert b"Connection: close" in answers_to(platform, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")


def test_a_second_slash_in_front_is_not_overlooked(platform: LocalPlatform) -> None:
    sent = b"GET //api/v1/prompts/greeting/latest HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert b" 404 " in answers_to(platform, sent)
    assert platform.requests[-1].path == "//api/v1/prompts/greeting/latest"


def test_requests_sent_in_one_go_are_answered_one_by_one(platform: LocalPlatform) -> None:
    body = b"POST /v1/auth/sdk-token HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    received = answers_to(platform, body * 2 + b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"422", b"422", b"404"]


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET / HTTP/0.2.1\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n"])
def test_what_is_not_http_gets_an_answer_in_json(sent: bytes, platform: LocalPlatform) -> None:
    answer = answers_to(platform, sent)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b'{"error": {"code": "bad_request", "message": "This is not a request in HTTP/1.1"}}')


def test_only_this_machine_is_listened_to(platform: LocalPlatform) -> None:
    assert platform.url == f"http://127.0.0.1:{platform.port}"


def test_a_stopped_platform_refuses_new_connections(platform: LocalPlatform) -> None:
    platform.stop()
    with pytest.raises(ConnectionRefusedError):
        raw(platform)


def test_stopping_cuts_the_connections_that_are_kept_alive(platform: LocalPlatform, call: Caller) -> None:
    token = call.token()
    with raw(platform) as idle:
        idle.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
        assert idle.recv(65536).endswith(b"\r\n\r\n")
        platform.stop()
        assert idle.recv(1) == b""
    with pytest.raises(requests.ConnectionError):
        call.get(LATEST, token)


def test_stopping_cuts_an_answer_that_is_under_way(platform: LocalPlatform, call: Caller) -> None:
    token = call.token()
    platform.latency = 30
    failures: list[Exception] = []

    def ask() -> None:
        try:
            call.get(LATEST, token)
        except requests.RequestException as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while len(platform.requests) < 2:
        time.sleep(0.001)
    platform.stop()
    thread.join(timeout=10)
    assert len(failures) == 1


def test_a_platform_starts_again_on_the_same_port_with_what_it_knew(platform: LocalPlatform, call: Caller) -> None:
    port, token = platform.port, call.token()
    platform.publish("greeting", "Hi")
    for _ in range(3):
        platform.stop()
        platform.start()
        assert platform.port == port
    assert call.get(LATEST, token).json()["content"] == "Hi"


def test_starting_and_stopping_twice_is_once(platform: LocalPlatform, call: Caller) -> None:
    port = platform.port
    assert platform.start() is platform
    assert (platform.port, call.content("greeting")) == (port, "Hello, {{name}}!")
    platform.stop()
    platform.stop()


def test_a_copy_of_what_holds_a_platform_has_that_very_platform(platform: LocalPlatform) -> None:
    assert copy.copy(platform) is copy.deepcopy({"platform": platform})["platform"] is platform


def test_nothing_is_left_after_a_stop() -> None:
    before = set(threading.enumerate())
    with LocalPlatform() as platform:
        with raw(platform) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            connection.recv(1)
            assert len(set(threading.enumerate()) - before) == 2
        platform.stop()
    assert set(threading.enumerate()) == before


def test_a_platform_that_never_started_can_be_stopped_and_has_no_port() -> None:
    platform = LocalPlatform()
    platform.stop()
    with pytest.raises(ConfigurationError, match="no port yet: start it first"):
        platform.url  # noqa: B018  # the look is the test


def test_a_port_that_is_taken_is_a_configuration_error(platform: LocalPlatform) -> None:
    with pytest.raises(ConfigurationError, match=rf"port {platform.port} of 127\.0\.0\.1 cannot be used"):
        LocalPlatform(port=platform.port).start()


def test_a_port_can_be_chosen(platform: LocalPlatform) -> None:
    platform.stop()
    with LocalPlatform(port=platform.port) as other:
        assert other.port == platform.port


def test_an_answer_takes_as_long_as_the_latency(platform: LocalPlatform, call: Caller) -> None:
    token = call.token()
    platform.latency = 0.05
    call.get(LATEST, token)
    platform.latency = 0
    took = platform.requests[-1].elapsed_ms
    assert took is not None
    assert took >= 45


@pytest.mark.parametrize("latency", [-0.1, float("nan"), float("inf"), "1", None])
def test_a_latency_that_cannot_be_is_refused(latency: float, platform: LocalPlatform) -> None:
    with pytest.raises(ConfigurationError, match="latency must be a number of seconds, 0 or more"):
        platform.latency = latency
    assert platform.latency == 0


class TestAForkedChild:
    def test_can_look_at_it_whatever_its_parent_was_doing(self, platform: LocalPlatform) -> None:
        assert platform._server is not None
        locks = (platform._faults._changed, platform._journal._changed, platform._library._lock, platform._server._lock)
        are_held, may_go = threading.Event(), threading.Event()

        def hold() -> None:
            with contextlib.ExitStack() as held:
                for lock in locks:
                    held.enter_context(lock)
                are_held.set()
                may_go.wait(10)

        holder = threading.Thread(target=hold)
        holder.start()
        assert are_held.wait(10)
        try:
            assert in_a_child(lambda: (platform.faults, platform.requests, platform._library.names())) == (
                (),
                (),
                ["greeting"],
            )
            in_a_child(platform.stop)
        finally:
            may_go.set()
            holder.join()

    def test_that_stops_it_cuts_nothing_of_its_parent(self, platform: LocalPlatform) -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", platform.port, timeout=10)) as connection:
            connection.connect()
            opened = connection.sock
            for _ in range(2):
                connection.request("GET", LATEST)
                connection.getresponse().read()
                assert connection.sock is opened
                in_a_child(platform.stop)
        assert requests.get(platform.url, timeout=10).status_code == 404
