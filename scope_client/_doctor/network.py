"""Network: the name of each host, its addresses, and the proxy on the way."""

from __future__ import annotations

import base64
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

from .._clock import SYSTEM_CLOCK
from .._foreign_text import printable
from .._interrupts import pass_on
from .check import Check, Said, at_once, failed, has_failed, ok, skipped, timed
from .places import Host, Place
from .setup import Setup

LONGEST_TRY_SECONDS = 10.0
_TUNNEL_ANSWER_BYTES = 4096


def connect_seconds(setup: Setup) -> float:
    assert setup.config is not None
    return min(setup.config.open_timeout, LONGEST_TRY_SECONDS)


def network_checks(setup: Setup, place: Place) -> Iterator[Check]:
    """The name and the addresses of a place, or those of the proxy on the way to it, and what that answers."""
    if place.proxy is None:
        yield at_once(f"proxy {place.host.name}", ok("none: the client connects by itself"))
        whose = " or ".join(map(setup.spelled, place.options))
        yield from _host_checks(setup, place.host, f"correct the host in {whose}", _is_up(place, whose))
        return
    proxy = place.proxy
    unset = f"correct {proxy.spelled}, unset it, or add {place.host.name} to NO_PROXY"
    yield at_once(f"proxy {place.host.name}", ok(f"{proxy.scheme}://{proxy.host} ({proxy.spelled})"))
    checks = list(_host_checks(setup, proxy.host, unset, unset))
    yield from checks
    name = f"tunnel {place.host.name}"
    if has_failed(checks):
        yield at_once(name, skipped("the proxy cannot be reached"))
    elif place.is_tls and proxy.scheme == "http":
        yield timed(name, lambda: _tunnelled(setup, place))


def _is_up(place: Place, whose: str) -> str:
    return f"start what listens at {place.host}, correct the port in {whose}, or have the firewall let it through"


def _host_checks(setup: Setup, host: Host, wrong_name: str, wrong_port: str) -> Iterator[Check]:
    addresses: list[Any] = []
    found = timed(f"dns {host.name}", lambda: _resolved(host, addresses, wrong_name))
    yield found
    if found.outcome == "failed":
        yield at_once(f"tcp {host}", skipped("the name has no address"))
        return
    checks = [timed(f"tcp {_shown(each)}", partial(_connected, setup, each, wrong_port)) for each in addresses]
    is_any = any(check.outcome == "ok" for check in checks)
    for check in checks:
        if check.outcome == "failed" and is_any:
            check = check._replace(outcome="warning", remedy="take this address out of the DNS, or mend its network")
        yield check


def _resolved(host: Host, addresses: list[Any], wrong_name: str) -> Said:
    try:
        found = socket.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        pass_on(error)
        why = getattr(error, "strerror", None) or str(error)
        return failed(f"the name has no address ({printable(why)})", f"{wrong_name}, or mend the DNS of this machine")
    addresses.extend(dict.fromkeys((each[0], each[4]) for each in found))
    return ok(", ".join(str(address[1][0]) for address in addresses))


def _shown(address: Any) -> str:
    return str(Host(address[1][0], address[1][1]))


def _connected(setup: Setup, address: Any, wrong_port: str) -> Said:
    seconds = connect_seconds(setup)
    family, where = address
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(seconds)
            sock.connect(where)
    except OSError as error:
        pass_on(error)
        said = f"no connection within {seconds:g} s (open_timeout)"
        if not isinstance(error, socket.timeout):
            said = f"no connection ({printable(error.strerror or str(error))})"
        return failed(said, wrong_port)
    return ok("IPv6" if family == socket.AF_INET6 else "IPv4")


def _tunnelled(setup: Setup, place: Place) -> Said:
    assert place.proxy is not None
    try:
        with opened(setup, place):
            return ok("the proxy lets it through")
    except TunnelError as error:
        advice = f"correct {place.proxy.spelled}, or have the proxy allow {place.host}"
        if error.status == 407:
            advice = f"write the name and the password of the proxy into {place.proxy.spelled}"
        return failed(f"the proxy refuses ({error.said})", advice)
    except OSError as error:
        pass_on(error)
        return failed(f"the proxy broke off ({printable(str(error))})", f"correct {place.proxy.spelled}, or unset it")


class TunnelError(Exception):
    """What a proxy answered in place of a tunnel."""

    def __init__(self, said: str, status: int) -> None:
        super().__init__(said)
        self.said = said
        self.status = status


@contextlib.contextmanager
def opened(setup: Setup, place: Place) -> Iterator[socket.socket]:
    """A connection to a place, through its proxy if there is one. Raises OSError or TunnelError."""
    seconds = connect_seconds(setup)
    ends_at = SYSTEM_CLOCK.now() + seconds
    proxy = place.proxy
    first = place.host if proxy is None else proxy.host
    with socket.create_connection((first.name, first.port), timeout=seconds) as sock:
        if proxy is not None:
            _ask_for_a_tunnel(sock, place, ends_at)
        sock.settimeout(max(ends_at - SYSTEM_CLOCK.now(), 0.1))
        yield sock


def _ask_for_a_tunnel(sock: socket.socket, place: Place, ends_at: float) -> None:
    assert place.proxy is not None
    lines = [f"CONNECT {place.host} HTTP/1.1", f"Host: {place.host}"]
    if place.proxy.authorization is not None:
        named = base64.b64encode(str.__str__(place.proxy.authorization).encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {named}")
    sock.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < _TUNNEL_ANSWER_BYTES:
        sock.settimeout(max(ends_at - SYSTEM_CLOCK.now(), 0.1))
        more = sock.recv(1)  # byte by byte: what follows belongs to TLS
        if not more:
            raise OSError("it closed the connection")
        answer += more
    said = answer.split(b"\r\n", 1)[0].decode("latin-1")
    parts = said.split(" ")
    status = int(parts[1]) if len(parts) > 1 and parts[1].isascii() and parts[1].isdigit() else 0
    if not 200 <= status < 300:
        raise TunnelError(printable(said), status)
