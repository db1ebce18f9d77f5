"""A real Redis."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import redis
from faults.daemon import PATIENCE, Daemon
from faults.inside import redis_of

from scope_client import RedisStore

if TYPE_CHECKING:
    from collections.abc import Iterator


class RedisServer(Daemon):
    program = package = "redis-server"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def words(self, folder: str) -> list[str]:
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
        return [word for name, value in options.items() for word in (f"--{name}", str(value))]

    def answers(self) -> bool:
        try:
            with self.connected() as connection:
                return bool(connection.ping())
        except redis.ConnectionError:
            return False

    def empty(self) -> None:
        with self.connected() as connection:
            connection.flushall()

    def passes(self, seconds: float) -> None:
        """Everything it keeps for a time has so many seconds less to go."""
        with self.connected() as connection:
            for key in connection.scan_iter():
                left = connection.pttl(key)
                if left >= 0:
                    connection.pexpire(key, max(left - int(seconds * 1000), 0))

    @contextlib.contextmanager
    def store(self) -> Iterator[RedisStore]:
        """A store of ours by its URL, whose connections are closed at the end."""
        store = RedisStore(self.url)
        try:
            yield store
        finally:
            redis_of(store).close()

    def connected(self, **options: object) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=PATIENCE, **options)
