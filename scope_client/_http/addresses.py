"""Addresses: a socket that is connected to a host, which may have several addresses, and the first may be dead."""

from __future__ import annotations

import functools
import itertools
import os
import selectors
import socket
from collections.abc import Sequence
from typing import Any, Callable

import urllib3.util.connection

from .._clock import SYSTEM_CLOCK
from .._interrupts import pass_on
from .limits import TimeLeft

NEXT_ADDRESS_SECONDS = 0.25  # RFC 8305, 5: for so long an address is tried alone
MIN_SOCKET_SECONDS = 0.001  # to a socket, 0 means that it does not wait


def looked_up(host: str, port: int) -> Sequence[Any]:
    """The addresses of a host. How long that takes is the system's: nothing breaks it off.

    The look-up and the sockets are what urllib3's own connect takes: a tool may have put others in their place.

    Raises:
        OSError: There are none.
    """
    family = urllib3.util.connection.allowed_gai_family()
    found = socket.getaddrinfo(host.strip("[]"), port, family, socket.SOCK_STREAM)
    if not found:
        raise OSError("the name has no address")
    return found


def connected(
    found: Sequence[Any], connect_by: float, *, source_address: Any = None, options: Sequence[Any] | None = None
) -> socket.socket:
    """A socket that is connected to one of the addresses found by then, in monotonic seconds.

    What is left until then is its timeout, or a moment if this process was kept from looking at it in time.

    Raises:
        OSError: What was wrong with the last address tried; socket.timeout if the time is over.
    """
    opened = functools.partial(_opened, source_address=source_address, options=options)
    has_fixed_port = bool(source_address and source_address[1])  # which two sockets cannot have at once
    # A tool's sockets may know no connect that does not wait.
    is_race = len(found) > 1 and not has_fixed_port and socket.socket.__module__ == socket.__name__
    sock = _first_of(found, opened, connect_by) if is_race else _tried_in_turn(found, opened, connect_by)
    sock.settimeout(TimeLeft(connect_by).seconds())
    return sock


def _opened(found: Sequence[Any], source_address: Any, options: Sequence[Any] | None) -> socket.socket:
    sock = socket.socket(*found[:3])
    try:
        for option in options or ():
            sock.setsockopt(*option)
        if source_address:
            sock.bind(source_address)
    except BaseException:
        sock.close()
        raise
    return sock


def _tried_in_turn(
    addresses: Sequence[Any], opened: Callable[[Sequence[Any]], socket.socket], connect_by: float
) -> socket.socket:
    """Each address has an equal share of the time that is left."""
    failure: OSError | None = None
    for position, address in enumerate(addresses):
        try:
            sock = opened(address)
            try:
                sock.settimeout(_seconds_until(connect_by) / (len(addresses) - position))
                sock.connect(address[4])
            except BaseException:
                sock.close()
                raise
        except OSError as error:  # noqa: PERF203  # the next address may do
            pass_on(error)
            failure = error
        else:
            return sock
    try:
        raise failure or socket.timeout("timed out")
    finally:
        failure = None  # a circle: the error has the frame, which has the error


def _first_of(
    addresses: Sequence[Any], opened: Callable[[Sequence[Any]], socket.socket], connect_by: float
) -> socket.socket:
    """The first to connect (RFC 8305): the next one is tried beside those that are silent."""
    waiting = _families_in_turn(addresses)
    pace = min(NEXT_ADDRESS_SECONDS, _seconds_until(connect_by) / len(waiting))
    failure: OSError | None = None
    next_at = 0.0
    with selectors.DefaultSelector() as silent:
        try:
            while waiting or silent.get_map():
                now = SYSTEM_CLOCK.now()
                is_over = now >= connect_by
                sock = None
                if waiting and now >= next_at and not is_over:
                    next_at = now + pace
                    try:
                        sock = _begun(waiting.pop(0), opened, silent)
                    except OSError as error:
                        pass_on(error)
                        failure, next_at = error, now
                        continue
                if sock is None:
                    until = min(next_at, connect_by) if waiting else connect_by
                    sock, code = _settled(silent, until - now)
                    if code:
                        failure, next_at = OSError(code, os.strerror(code)), now
                    elif is_over and sock is None:
                        raise socket.timeout("timed out")
                if sock is not None:
                    return sock
        finally:
            for key in list(silent.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]  # they are sockets
    try:
        raise failure or socket.timeout("timed out")
    finally:
        failure = None  # a circle: the error has the frame, which has the error


def _begun(
    address: Sequence[Any], opened: Callable[[Sequence[Any]], socket.socket], silent: selectors.BaseSelector
) -> socket.socket | None:
    """The socket if it connects at once, or else None: it is one of the silent."""
    sock = opened(address)
    try:
        sock.setblocking(False)
        sock.connect(address[4])
    except BlockingIOError:
        silent.register(sock, selectors.EVENT_WRITE)
        return None
    except BaseException:
        sock.close()
        raise
    return sock


def _settled(silent: selectors.BaseSelector, seconds: float) -> tuple[socket.socket | None, int]:
    """One that connects within so many seconds, or the error number of one that cannot."""
    for key, _ in silent.select(max(seconds, 0.0)):
        sock: Any = silent.unregister(key.fileobj).fileobj
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not code:
            return sock, 0
        sock.close()
        return None, code
    return None, 0


def _families_in_turn(addresses: Sequence[Any]) -> list[Any]:
    """IPv6 and IPv4 by turns, the first one first: a whole family may be dead."""
    families: dict[int, list[Any]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    return [address for row in itertools.zip_longest(*families.values()) for address in row if address]


def _seconds_until(moment: float) -> float:
    return max(moment - SYSTEM_CLOCK.now(), MIN_SOCKET_SECONDS)
