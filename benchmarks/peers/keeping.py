"""What the cache costs in memory, and what it is good for once the platform is gone."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ..measure import CLIENT, CORES, on_core, seconds
from . import protocols
from .roster import ALL, PROMPTLAYER, Peer
from .server import Server, running
from .turns import REPETITIONS, Row, ratio
from .worker import team, yardsticks

PROMPTS = 10_000
HELD = {PROMPTLAYER: 1000}
TTL = 1
EXPIRED_AFTER = 2.5
READS = 6
PATIENCE = 10.0

Reads = Sequence[tuple[float, bool]]  # how long each took, and whether it gave the prompt


def rows(server: Server) -> list[Row]:
    return [_memory(server), _outage()]


def _memory(server: Server) -> Row:
    """As many clients at a time as there are cores, for no time is taken."""
    prefixes = (f"m{number}" for number in itertools.count(10))
    with ThreadPoolExecutor(len(CORES) or 1) as pool:
        runs = [list(pool.map(partial(_over_texts, server, prefixes), ALL)) for _ in range(REPETITIONS)]
    cells = [_held(peer, statistics.median(seen)) for peer, seen in zip(ALL, zip(*runs))]
    return Row(f"memory of {PROMPTS:,} cached prompts of 2 kB (x: their texts alone)", cells)


def _over_texts(server: Server, prefixes: Iterator[str], peer: Peer) -> float:
    count, prefix = HELD.get(peer, PROMPTS), next(prefixes)
    with team(server.url, [peer]) as (worker,), yardsticks(server.url) as plain:
        texts = plain.ask("texts", count, len(protocols.content(f"{prefix}-1000", "{{", "}}")))
        grown = worker.ask("grown", prefix, count)
        worker.ask("read", f"{prefix}-0")
    assert server.count(f"{prefix}-0") == 1, f"{peer.title} holds fewer than {count:,} prompts"
    return float(grown / texts)


def _held(peer: Peer, over_texts: float) -> str:
    return ratio(over_texts) + (f" (of {HELD[peer]:,}, its most)" if peer in HELD else "")


def _outage() -> Row:
    with on_core(CLIENT):
        runs = [_platform_goes() for _ in range(REPETITIONS)]
    what = f"platform gone, cache expired ({TTL} s): is the prompt given, first read, later reads"
    return Row(what, [_told(seen) for seen in zip(*runs)])


def _platform_goes() -> list[Reads]:
    """What each client's reads were like after its platform was gone and the prompt had expired."""
    with running() as server, team(server.url, ttl=TTL) as workers:
        for worker in workers:
            worker.ask("read", "greeting")
        server.stop()
        time.sleep(EXPIRED_AFTER)
        return [worker.ask("outage", "greeting", READS, PATIENCE) for worker in workers]


def _told(runs: Sequence[Reads]) -> str:
    if not all(runs):
        return f"no answer in {PATIENCE:g} s"
    first = statistics.median(run[0][0] for run in runs)
    later = [took for run in runs for took, _ in run[1:]]
    is_given = all(given for run in runs for _, given in run)
    shown = seconds(statistics.median(later)) if later else f"over {PATIENCE:g} s"
    return f"{'yes' if is_given else 'no'}, {seconds(first)}, {shown}"
