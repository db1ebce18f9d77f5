"""Fresh processes: the import alone, and the import with a first prompt."""

from __future__ import annotations

import subprocess
import time
from functools import partial

from ..measure import CLIENT, on_core, seconds
from . import venvs
from .roster import ALL, OURS, Peer
from .server import Server
from .turns import Row, medians, ratio
from .worker import TTL, command


def rows(server: Server) -> list[Row]:
    with on_core(CLIENT):
        return [_imports(), _first_prompts(server)]


def _imports() -> Row:
    codes = [(OURS, "pass"), (OURS, "import requests"), *((peer, peer.imports) for peer in ALL)]
    bare, requests, *taken = _processes([(peer, ["-c", code]) for peer, code in codes])
    yardstick = requests - bare
    cells = [f"{seconds(each - bare)} ({ratio((each - bare) / yardstick)})" for each in taken]
    return Row(f"import, over bare Python (x: `import requests`, {seconds(yardstick)})", cells)


def _first_prompts(server: Server) -> Row:
    ours, *theirs = _processes([(peer, command("first.py", peer.adapter, server.url, "greeting")) for peer in ALL])
    cells = [seconds(ours), *(f"{seconds(each)} ({ratio(each / ours)})" for each in theirs)]
    return Row("import and first prompt, whole process (x: ours)", cells)


def _processes(commands: list[tuple[Peer, list[str]]]) -> list[float]:
    """The median seconds of each, after a first run that warms the disk."""
    measures = [partial(_process, peer, arguments) for peer, arguments in commands]
    for measure in measures:
        measure()
    return medians(*measures)


def _process(peer: Peer, arguments: list[str]) -> float:
    whole, environ = [str(venvs.interpreter(peer)), *arguments], venvs.environ(peer, TTL)
    started = time.perf_counter()
    subprocess.run(whole, env=environ, check=True)
    return time.perf_counter() - started
