"""A host may have several addresses, of which the first may be dead; and what a tool or a user says of them counts."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import time
import urllib.parse
from typing import TYPE_CHECKING, Any, Callable, ClassVar

import pytest
import requests
import urllib3.connection
import urllib3.util.connection
from faults.certificate import certificate
from faults.clock import JumpingClock, ends_within
from faults.replies import PROMPT
from faults.server import FaultServer
from requests.adapters import HTTPAdapter

from scope_client import ScopeClient, TimeoutError, TokenRefreshError

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "two.example"
Address = tuple[int, int, int, str, Any]


@pytest.fixture(params=["our session", "the caller's session"])
def make(
    request: pytest.FixtureRequest, make_client: Callable[..., ScopeClient], make_session: Callable
) -> Callable[..., ScopeClient]:
    """Clients without retries, over a session of their own or over one of the caller's, that ask for `NAME`."""
    session = None if request.param == "our session" else make_session()
    far = {"base_url": f"http://{NAME}", "auth_api_url": f"http://{NAME}", "allow_insecure": True}
    return lambda **options: make_client(**{"session": session, "max_retries": 0, **far, **options})


class Hole:
    """An address that swallows each attempt to connect."""

    def __init__(self) -> None:
        self._opened = contextlib.ExitStack()
        listener = self._opened.enter_context(socket.create_server(("127.0.0.9", 0), backlog=0))
        self.address = four(listener.getsockname())
        for _ in range(4):
            waiting = self._opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())

    def close(self) -> None:
        self._opened.close()


@pytest.fixture
def hole() -> Iterator[Address]:
    with contextlib.closing(Hole()) as dug:
        yield dug.address


def four(address: tuple[str, int]) -> Address:
    return socket.AF_INET, socket.SOCK_STREAM, 6, "", address


def six(address: tuple[str, int]) -> Address:
    return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (*address, 0, 0)


@pytest.fixture
def resolves() -> Iterator[Callable[..., list[tuple]]]:
    """Lets every name have these addresses; gives the list of the look-ups, each with its arguments."""
    patched = pytest.MonkeyPatch()

    def to(*addresses: Address) -> list[tuple]:
        asked: list[tuple] = []

        def look_up(*args: Any) -> list[Address]:
            asked.append(args)
            return [each for each in addresses if args[2] in (socket.AF_UNSPEC, each[0])]

        patched.setattr(socket, "getaddrinfo", look_up)
        return asked

    yield to
    patched.undo()  # before the servers end, which look themselves up


def there(server: FaultServer) -> Address:
    return four(("127.0.0.1", server.port))


def content(client: ScopeClient) -> str:
    return client.get_prompt_version("greeting").content


@pytest.mark.parametrize("dead", [1, 2, 4])
def test_an_address_that_swallows_what_is_sent_is_followed_by_the_next(
    dead: int, make: Callable[..., ScopeClient], server: FaultServer, hole: Address, resolves: Callable
) -> None:
    resolves(*[hole] * dead, there(server))
    with ends_within(5):
        assert content(make(open_timeout=10)) == "Hello, {{name}}!"
    assert server.accepted == 1


def test_a_short_open_timeout_is_shared_between_the_addresses(
    make: Callable[..., ScopeClient], server: FaultServer, hole: Address, resolves: Callable
) -> None:
    resolves(hole, hole, hole, there(server))
    assert content(make(open_timeout=0.6, timeout=20)) == "Hello, {{name}}!"


def test_a_whole_family_may_be_dead(
    make: Callable[..., ScopeClient], server: FaultServer, hole: Address, resolves: Callable
) -> None:
    unreachable = [six((f"2001:db8::{number}", 9)) for number in range(1, 5)]
    resolves(*unreachable, hole, there(server))
    with ends_within(8):
        assert content(make(open_timeout=10)) == "Hello, {{name}}!"


def test_an_address_that_refuses_is_followed_at_once(
    make: Callable[..., ScopeClient], server: FaultServer, closed_port: int, resolves: Callable
) -> None:
    resolves(*[four(("127.0.0.1", closed_port))] * 20, there(server))
    with ends_within(4):  # each of them would have had a fifth of a second
        assert content(make(open_timeout=10)) == "Hello, {{name}}!"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_only_dead_addresses_are_a_time_out_of_the_connect(
    count: int, make: Callable[..., ScopeClient], hole: Address, resolves: Callable
) -> None:
    resolves(*[hole] * count)
    client = make(open_timeout=0.5, timeout=20)
    client_of_a_token = make(open_timeout=0.5, timeout=20)
    before = len(os.listdir("/proc/self/fd"))
    for each in (client, client_of_a_token):
        with ends_within(4), pytest.raises(Exception, match=r"within 0\.5 seconds \(open_timeout\)") as caught:
            content(each)
        assert isinstance(caught.value.__cause__, TimeoutError)
        del caught
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize("is_refused_before", [False, True])
def test_a_connection_that_was_made_while_this_process_was_stopped_is_used(
    is_refused_before: bool,
    make_client: Callable[..., ScopeClient],
    server: FaultServer,
    resolves: Callable,
    jumping: JumpingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far, plain = {"base_url": f"http://{NAME}", "auth_api_url": f"http://{NAME}"}, socket.socket.connect
    with contextlib.closing(Hole()) as dug, monkeypatch.context() as patched:

        def connect(sock: socket.socket, at: Any) -> None:
            try:
                plain(sock, at)
            finally:
                if at == there(server)[4]:
                    dug.close()
                    time.sleep(1.3 * is_refused_before)  # what is sent there again, after a second, is refused
                    jumping.passes(20)
            raise BlockingIOError  # on loopback, it may have connected at once

        patched.setattr(socket.socket, "connect", connect)
        resolves(*[dug.address] * 2 * is_refused_before, there(server), there(server))
        client = make_client(**far, allow_insecure=True, open_timeout=10, timeout=90, max_retries=0)
        assert content(client) == "Hello, {{name}}!"
    assert server.accepted == 1


def test_no_further_address_is_tried_once_the_time_is_over(
    make: Callable[..., ScopeClient],
    server: FaultServer,
    hole: Address,
    resolves: Callable,
    jumping: JumpingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = socket.socket.connect
    resolves(hole, hole, there(server))
    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", lambda sock, at: (jumping.passes(20), plain(sock, at))[1])
        with ends_within(8), pytest.raises(Exception, match=r"within 10 seconds \(open_timeout\)"):
            content(make(open_timeout=10, timeout=90))
    assert server.accepted == 0


def test_only_addresses_that_refuse_are_no_time_out(
    make: Callable[..., ScopeClient], closed_port: int, resolves: Callable
) -> None:
    resolves(*[four(("127.0.0.1", closed_port))] * 3)
    with pytest.raises(TokenRefreshError, match="refused") as caught:
        content(make())
    assert not isinstance(caught.value.__cause__, TimeoutError)


def test_the_tls_handshake_is_with_the_address_that_was_reached(
    make: Callable[..., ScopeClient], hole: Address, resolves: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate().authority))
    with FaultServer(tls=True) as secure:
        resolves(hole, there(secure))
        with ends_within(5):
            assert content(make(base_url=secure.url, auth_api_url=secure.url)) == "Hello, {{name}}!"


def test_a_proxy_may_have_several_addresses_too(
    make: Callable[..., ScopeClient],
    server: FaultServer,
    hole: Address,
    resolves: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", f"http://proxy.example:{server.port}")
    asked = resolves(hole, there(server))
    assert content(make()) == "Hello, {{name}}!"
    assert asked[0][0] == "proxy.example"


def test_the_look_up_is_that_of_urllib3(
    make: Callable[..., ScopeClient], server: FaultServer, resolves: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urllib3.util.connection, "HAS_IPV6", True)
    asked = resolves(there(server))
    content(make())
    assert asked == [(NAME, 80, socket.AF_UNSPEC, socket.SOCK_STREAM)]


def test_a_family_that_is_ruled_out_is_not_tried(
    make: Callable[..., ScopeClient], server: FaultServer, resolves: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    for name in ("connect", "connect_ex"):
        plain = getattr(socket.socket, name)
        patched = functools.partialmethod(lambda sock, at, plain: (tried.append(at), plain(sock, at))[1], plain=plain)
        monkeypatch.setattr(socket.socket, name, patched)
    resolves(six(("::1", server.port)), there(server))
    client = make()
    monkeypatch.setattr(urllib3.util.connection, "allowed_gai_family", lambda: socket.AF_INET)
    content(client)
    assert tried == [("127.0.0.1", server.port)]


def test_a_look_up_that_is_kept_takes_its_arguments_by_place(
    make: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", functools.lru_cache(socket.getaddrinfo))
    content(make(base_url=server.url, auth_api_url=server.url))
    assert socket.getaddrinfo.cache_info().misses == 1


def test_a_connect_that_is_replaced_is_used(
    make: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, asked = urllib3.util.connection.create_connection, []

    def elsewhere(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        asked.append(address)
        return plain(("127.0.0.1", server.port), *args, **options)

    client = make()
    monkeypatch.setattr(urllib3.util.connection, "create_connection", elsewhere)
    content(client)
    assert asked == [(NAME, 80)]


def test_the_connect_of_a_connection_that_is_replaced_is_used(
    make: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make()
    opened = functools.partialmethod(lambda connection: socket.create_connection(("127.0.0.1", server.port)))
    monkeypatch.setattr(urllib3.connection.HTTPConnection, "_new_conn", opened)
    assert content(client) == "Hello, {{name}}!"


class Guarded(socket.socket):
    """As of a tool that watches over sockets: it knows no connect that does not wait."""

    connects: ClassVar[list[tuple]]

    def connect(self, address: Any) -> None:
        assert self.gettimeout() != 0
        self.connects.append(address)
        super().connect(address)


def test_sockets_of_a_tool_are_used_and_share_the_time(
    make: Callable[..., ScopeClient],
    server: FaultServer,
    hole: Address,
    resolves: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolves(hole, there(server))
    monkeypatch.setattr(Guarded, "connects", [], raising=False)
    monkeypatch.setattr(socket, "socket", Guarded)
    with ends_within(5):
        assert content(make(open_timeout=1, timeout=20)) == "Hello, {{name}}!"
    assert Guarded.connects == [hole[4], ("127.0.0.1", server.port)]


class FromHere(HTTPAdapter):
    """With an address of its own to connect from, and an option for its sockets."""

    source_address: tuple[str, int]

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        options["source_address"] = self.source_address
        options["socket_options"] = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        super().init_poolmanager(*args, **options)


@pytest.mark.parametrize("has_port", [False, True])
def test_the_source_address_and_the_socket_options_of_an_adapter_hold(
    has_port: bool,
    make_client: Callable[..., ScopeClient],
    session: requests.Session,
    server: FaultServer,
    hole: Address,
    closed_port: int,
    resolves: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FromHere, "source_address", ("127.0.0.3", closed_port if has_port else 0), raising=False)
    session.mount("http://", FromHere())
    peers, options, plain = [], [], socket.socket.setsockopt
    server.answers(lambda peer: (peers.append(peer.name), peer.send(PROMPT)))
    monkeypatch.setattr(
        socket.socket, "setsockopt", lambda sock, *given: (options.append(given), plain(sock, *given))[1]
    )
    resolves(hole, there(server))
    client = make_client(
        session=session, base_url=f"http://{NAME}", auth_api_url=f"http://{NAME}", allow_insecure=True, open_timeout=1
    )
    content(client)
    assert peers[0][0] == "127.0.0.3"
    assert not has_port or peers[0][1] == closed_port
    assert set(options) == {(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)}


def test_a_name_that_has_no_address_is_an_error_of_ours(make: Callable[..., ScopeClient], resolves: Callable) -> None:
    resolves()
    with pytest.raises(Exception, match="no address"):
        content(make())


def test_an_address_in_a_url_is_connected_to_as_it_is(
    make: Callable[..., ScopeClient], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, plain = [], socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: (asked.append(args[0]), plain(*args))[1])
    with contextlib.suppress(Exception):
        content(make(base_url="http://[::1]:9", auth_api_url="http://[::1]:9"))
    content(make(base_url=server.url, auth_api_url=server.url))
    assert asked == ["::1", urllib.parse.urlsplit(server.url).hostname]
