"""Connections: those of urllib3's pools, with our limits around them; one that died while it was idle is replaced.

A tool may put methods and attributes of its own into urllib3's classes for a while. So nothing is set on a pool or on a
connection: each gets a class that is made of its own, and that calls whatever is in place there when it is used.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import os
import queue
import socket
import sys
import threading
import time
import types
import weakref
from typing import Any

import urllib3
import urllib3.connection
import urllib3.util.connection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from .._attribute_names import PORT, SERVER
from .._clock import SYSTEM_CLOCK
from .._interrupts import pass_on
from .._log import Log
from . import failures, trust
from .addresses import connected, looked_up
from .limits import RESTED_SECONDS, Limits, bounded_kind, of_this_thread

_Theirs: Any = object  # a class of urllib3's, or of a tool's, comes after ours
IDLE_CONNECTION_SECONDS = 60.0
MAX_CONNECT_SECONDS = 1e6
_log = Log("scope_client.http")
_connections: weakref.WeakSet[Any] = weakref.WeakSet()


def bound(pool: Any) -> None:
    """Makes a pool of urllib3's, with its connections, heed the limits of the thread that uses it."""
    if isinstance(pool, urllib3.HTTPConnectionPool) and not isinstance(pool, _Pool):
        kind: Any = type(pool)
        pool.__class__ = _pool_of(kind)
        _take_its_lock_in_one_step(pool)


def bounded_from_the_start(manager: urllib3.PoolManager) -> None:
    """The same of all pools that a manager makes; Python is slower with an object whose class was changed."""
    kinds = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _pool_of(kind) for scheme, kind in kinds.items()}


def abandon_connections() -> None:
    """In a forked child: closes its ends of the connections that its parent goes on using."""
    for connection in list(_connections):
        sock: Any = getattr(connection, "sock", None)
        if not hasattr(sock, "detach"):
            sock = getattr(sock, "socket", None)  # below the TLS of pyOpenSSL, or the TLS within TLS of urllib3
        # Not by close(): that leaves the descriptor open for a thread of the parent's that was reading an answer.
        descriptor = sock.detach() if hasattr(sock, "detach") else -1
        if descriptor >= 0:
            os.close(descriptor)
    _connections.clear()


def empty_pools(session: Any) -> None:
    """In a forked child: takes the parent's connections out of the pools, whose locks its threads may have held."""
    for adapter in getattr(session, "adapters", {}).values():
        for manager in (getattr(adapter, "poolmanager", None), *getattr(adapter, "proxy_manager", {}).values()):
            if isinstance(manager, urllib3.PoolManager):
                manager.pools.lock = threading.RLock()
                for pool in list(manager.pools._container.values()):
                    _empty(pool)


def _empty(pool: Any) -> None:
    waiting = pool.pool
    if waiting is not None:
        waiting.__init__(waiting.maxsize)
        for _ in range(waiting.maxsize):
            waiting.put_nowait(None)
        _take_its_lock_in_one_step(pool)


class AttemptTimeout(urllib3.Timeout):
    """urllib3's, of whose total the time that the limits leave out takes nothing."""

    def __init__(self, limits: Limits, *, connect: float, total: float) -> None:
        super().__init__(connect=connect, total=total)
        self._given = (limits, connect, total)

    def clone(self) -> AttemptTimeout:
        limits, connect, total = self._given
        return AttemptTimeout(limits, connect=connect, total=total)

    def get_connect_duration(self) -> float:
        return super().get_connect_duration() - self._given[0].left_out


class _QueueLock(type(threading.RLock())):  # type: ignore[misc]  # a class of C, which has no name
    """In the place of a queue's conditions, if nobody waits for them.

    A signal handler of the caller's may raise in Condition.__enter__, with the lock taken: it would stay so for ever.
    """

    def notify(self) -> None:
        pass


def _take_its_lock_in_one_step(pool: Any) -> None:
    waiting = pool.pool
    if hasattr(waiting, "mutex") and not pool.block:  # gevent's queue has none
        waiting.mutex = waiting.not_empty = waiting.not_full = waiting.all_tasks_done = _QueueLock()


@functools.cache
def _pool_of(kind: Any) -> Any:
    return type(kind.__name__, (_Pool, kind), {"__module__": kind.__module__})


@functools.cache
def _connection_of(kind: Any) -> Any:
    return type(kind.__name__, (_Connection, kind), {"__module__": kind.__module__})


class _OurConnectionCls:
    """The class of a pool's next connection: that which is in place, and heeds the limits if it is one of urllib3's.

    It is no property: a class that somebody sets on a pool comes before it.
    """

    def __get__(self, pool: Any, owner: Any) -> Any:
        theirs: Any = super(_Pool, pool or owner).ConnectionCls  # type: ignore[misc]  # the class of the pool is not known
        return _connection_of(theirs) if of_this_thread.limits is not None and _is_urllib3s(theirs) else theirs


class _Pool(_Theirs):  # type: ignore[misc]  # it is Any
    ConnectionCls = _OurConnectionCls()
    usual_wait = 0.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _take_its_lock_in_one_step(self)

    def urlopen(self, *args: Any, **options: Any) -> Any:
        """Once more, over a new connection, if one that was idle turns out dead before an answer began.

        That is not a retry: the platform has not been heard, and no caller waits.
        """
        limits = of_this_thread.limits
        if limits is None:
            return super().urlopen(*args, **options)
        response = None
        try:
            response = super().urlopen(*args, **options)
        except Exception as error:
            pass_on(error)
            left = limits.ends_at - SYSTEM_CLOCK.now()
            if left <= 0 or not _is_dead_connection(limits, error):
                raise
        if response is None:
            facts = {SERVER: self.host, PORT: self.port}
            _log.debug("a connection to %s that was idle is dead, a new one takes its place", self.host, facts=facts)
            limits.wants_new, limits.is_silent = True, False
            self._close_idle()
            timeout = options.get("timeout")
            if isinstance(timeout, urllib3.Timeout):
                connect: Any = timeout.connect_timeout
                options["timeout"] = AttemptTimeout(limits, connect=min(connect or left, left), total=left)
            response = super().urlopen(*args, **options)
        self.usual_wait = max(limits.wait or 0.0, self.usual_wait / 2)
        return response

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
        limits = of_this_thread.limits
        if limits is None:
            return connection
        idle_for = None
        if (isinstance(connection, _Connection) or _now_heeds_limits(connection)) and connection.sock is not None:
            idle_for = _idle_seconds(connection)
            if limits.wants_new or idle_for >= IDLE_CONNECTION_SECONDS:
                connection.close()  # it opens again when it is used
                self._close_idle()
                idle_for = None
        limits.idle_for, limits.usual_wait = idle_for, self.usual_wait
        return connection

    def _put_conn(self, connection: Any) -> None:
        """Without urllib3's warning if there are more than the pool keeps: they were needed, and are not any more."""
        if isinstance(connection, _Connection):
            connection.rests_since = (SYSTEM_CLOCK.now(), time.time())
            if _has_more(connection):
                connection.close()  # it opens again when it is used
        if of_this_thread.limits is None or self.block or self.pool is None:
            super()._put_conn(connection)
            return
        try:
            self.pool.put(connection, block=False)
        except queue.Full:
            if connection is not None:
                connection.close()

    def _close_idle(self) -> None:
        """All of them: the pool gives out the one that was idle for the shortest time first."""
        waiting = self.pool
        drawn: list[Any] = []
        with contextlib.suppress(queue.Empty, AttributeError):  # there is no queue in a pool that is closed
            drawn.extend(waiting.get(block=False) for _ in range(waiting.qsize()))
        for connection in reversed(drawn):
            if isinstance(connection, _Connection):
                connection.close()
            with contextlib.suppress(queue.Full):
                waiting.put(connection, block=False)


class _Connection(_Theirs):  # type: ignore[misc]  # it is Any
    rests_since: tuple[float, float] | None = None  # by the monotonic clock, and by the clock on the wall

    @property
    def response_class(self) -> Any:
        return bounded_kind(super().response_class)

    def connect(self) -> None:
        _connections.add(self)
        limits = of_this_thread.limits
        if limits is None:
            super().connect()
            return
        limits.connect_by = SYSTEM_CLOCK.now() + (self.timeout or MAX_CONNECT_SECONDS)
        with trust.shared(self):
            super().connect()
        limits.connect_by = None

    def _new_conn(self) -> Any:
        """Within one connect timeout, whatever the number of the host's addresses; the TLS handshake has the rest."""
        limits = of_this_thread.limits
        plain = super()._new_conn
        if limits is None or limits.connect_by is None or not _is_untouched(plain):
            return plain()
        try:
            asked_at = SYSTEM_CLOCK.now()
            found = looked_up(self._dns_host, self.port)
            limits.leave_out(SYSTEM_CLOCK.now() - asked_at)
            sock = connected(
                found,
                limits.connect_by,
                source_address=self.source_address,
                options=self.socket_options,
            )
        except socket.timeout as error:
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"no connection to {self.host}: {error}") from error
        sys.audit("http.client.connect", self, self.host, self.port)
        return sock


def _is_untouched(plain: Any) -> bool:
    """Whether a connection connects by urllib3's own means: not through SOCKS, and not through a tool's."""
    create = urllib3.util.connection.create_connection
    # By its exact type: a wrapper shows the attributes of what it wraps.
    is_own = type(plain) is types.MethodType and plain.__func__.__globals__ is vars(urllib3.connection)
    return is_own and type(create) is types.FunctionType and create.__globals__ is vars(urllib3.util.connection)


def _now_heeds_limits(connection: Any) -> bool:
    """Whether this connection, which somebody else opened, heeds the limits from now on."""
    kind: Any = type(connection)
    if _is_urllib3s(kind):
        connection.__class__ = _connection_of(kind)
    return isinstance(connection, _Connection)


@functools.cache
def _is_urllib3s(kind: Any) -> bool:
    """Whether its connections are urllib3's own: not those of a recorder, which have one of their own inside."""
    for each in kind.__mro__:
        # By its name: a recorder may have been in the place of urllib3's classes when this module was imported.
        if each.__module__ == urllib3.connection.__name__:
            return True
        if vars(each).keys() & {"request", "getresponse", "sock"}:
            return False
    return False


def _has_more(connection: _Connection) -> bool:
    """Whether TLS holds bytes that nobody asked for, with which the next answer would begin.

    urllib3 looks only at the socket below before it uses a connection again.
    """
    pending = getattr(connection.sock, "pending", None)  # a TLS connection within another has a socket without
    return pending is not None and pending() > 0


def _idle_seconds(connection: _Connection) -> float:
    """The monotonic clock may stand still while the machine sleeps."""
    if connection.rests_since is None:  # nobody knows
        return RESTED_SECONDS
    since, wall = connection.rests_since
    return max(SYSTEM_CLOCK.now() - since, time.time() - wall)


def _is_dead_connection(limits: Limits, error: Exception) -> bool:
    """Whether a connection that was idle ended, or went silent, before an answer. Errors of the system are numbered."""
    if limits.idle_for is None or limits.wait is not None:
        return False
    return limits.is_silent or any(
        isinstance(each, http.client.RemoteDisconnected) or (isinstance(each, OSError) and each.errno is not None)
        for each in failures.layers(error)
    )
