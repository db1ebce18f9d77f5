"""A real memcached."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from faults.daemon import PATIENCE, Daemon
from pymemcache.client.base import Client

try:
    import pylibmc
except ImportError:  # it has no wheel for the newest Pythons
    pylibmc = None

if TYPE_CHECKING:
    from collections.abc import Iterator


class Memcached(Daemon):
    program = package = "memcached"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def words(self, folder: str) -> list[str]:
        as_root = ["-u", "root"] if os.geteuid() == 0 else []
        return ["-l", "127.0.0.1", "-p", str(self.port), "-U", "0", *as_root]

    def answers(self) -> bool:
        try:
            with self.connected() as client:
                return bool(client.version())
        except OSError:
            return False

    def empty(self) -> None:
        """By a new process: `flush_all` takes what is written in the same second along."""
        self.stop()
        self.start()

    @contextlib.contextmanager
    def connected(self) -> Iterator[Client]:
        client = Client(("127.0.0.1", self.port), connect_timeout=PATIENCE, timeout=PATIENCE)
        try:
            yield client
        finally:
            client.close()


class ClientForCachelib(Client):
    """cachelib asks for names that pymemcache has for its HashClient alone."""

    get_multi = Client.get_many
    delete_multi = Client.delete_many


def close(client: Any) -> None:
    """Closes the connections of a client of any library."""
    name = next(name for name in ("disconnect_all", "close", "quit") if hasattr(client, name))
    getattr(client, name)()
