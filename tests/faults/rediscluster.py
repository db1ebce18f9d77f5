"""A real Redis Cluster of three nodes, and a real Sentinel."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from faults.clock import eventually
from faults.daemon import PATIENCE, Daemon
from faults.inside import redis_of
from faults.redisserver import RedisServer

from scope_client import RedisStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

SLOTS = 16_384


class ClusterNode(RedisServer):
    def words(self, folder: str) -> list[str]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            bus = listener.getsockname()[1]
        more = {"enabled": "yes", "port": bus, "config-file": f"{folder}/nodes.conf", "node-timeout": 5000}
        words = [word for name, value in more.items() for word in (f"--cluster-{name}", str(value))]
        return [*super().words(folder), *words]


class ThreeNodes:
    """All slots are covered. The first node is the one that users name."""

    def __init__(self) -> None:
        self.nodes = [ClusterNode() for _ in range(3)]

    @property
    def url(self) -> str:
        return self.nodes[0].url

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [("127.0.0.1", node.port) for node in self.nodes]

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            for node in self.nodes:
                opened.enter_context(node)
            self._join()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _join(self) -> None:
        bounds = [SLOTS * number // 3 for number in range(4)]
        for node, first, end in zip(self.nodes, bounds, bounds[1:]):
            with node.connected() as connection:
                connection.execute_command("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        with self.nodes[0].connected() as connection:
            buses = [_bus_port(node) for node in self.nodes]
            for node, bus in list(zip(self.nodes, buses))[1:]:
                connection.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        eventually(lambda: all(map(_is_complete, self.nodes)), 30)

    def pause(self) -> None:
        for node in self.nodes:
            node.pause()

    def reset(self) -> None:
        for node in self.nodes:
            node.reset()

    def passes(self, seconds: float) -> None:
        for node in self.nodes:
            node.passes(seconds)

    @contextlib.contextmanager
    def store(self) -> Iterator[RedisStore]:
        store = RedisStore(self.url)
        try:
            yield store
        finally:
            redis_of(store).close()


class SentinelServer(Daemon):
    """One Sentinel that watches one server under the name mymaster."""

    program = package = "redis-server"

    def __init__(self, watched: RedisServer) -> None:
        super().__init__()
        self._watched = watched

    def words(self, folder: str) -> list[str]:
        file = Path(folder, "sentinel.conf")
        lines = [f"port {self.port}", "bind 127.0.0.1", f"sentinel monitor mymaster 127.0.0.1 {self._watched.port} 1"]
        file.write_text("\n".join(lines) + "\n")
        return [str(file), "--sentinel"]

    def answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=PATIENCE) as connection:
                return bool(connection.ping())
        except redis.ConnectionError:
            return False


def _bus_port(node: ClusterNode) -> int:
    with node.connected() as connection:
        return int(connection.config_get("cluster-port")["cluster-port"])


def _is_complete(node: ClusterNode) -> bool:
    with node.connected() as connection:
        known = connection.execute_command("CLUSTER INFO")
    info = known if isinstance(known, dict) else dict(line.split(":") for line in known.decode().split())
    return info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "3"
