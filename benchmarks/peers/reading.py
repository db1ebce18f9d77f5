"""Reads in a running process: from the cache, by many threads, filled in, past the cache, and all at once."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from functools import partial

from ..measure import CLIENT, on_core, seconds
from . import protocols
from .roster import ALL, LANGSMITH
from .server import SLOW, Server
from .turns import Row, by_turns, medians, ratio
from .worker import Worker, team, yardsticks

NAME = "greeting"
THREADS = 8
STAMPEDE = 64
EXCHANGES = 300


def rows(server: Server) -> list[Row]:
    with on_core(CLIENT), team(server.url) as workers, yardsticks(server.url) as plain:
        _agree(workers)
        cached, filling = _cached(workers, plain), _filling(workers)
        fresh, stampede = _fresh(workers, plain, server), _stampede(workers, server)
    return [cached, _threaded(server), filling, fresh, stampede]


def _agree(workers: list[Worker]) -> None:
    for worker in workers:
        text = worker.ask("filled", NAME, protocols.VALUES)
        assert text == protocols.filled(NAME), f"{worker.peer.title} made another text of it"


def _cached(workers: list[Worker], plain: Worker) -> Row:
    by_hand, *taken = medians(partial(plain.ask, "look_up"), *(partial(each.ask, "cached", NAME) for each in workers))
    what = f"cached read (x: `e = d.get(k)` and `e[0] > monotonic()`, {seconds(by_hand)})"
    return Row(what, [f"{seconds(each)} ({ratio(each / by_hand)})" for each in taken])


def _threaded(server: Server) -> Row:
    with team(server.url) as workers:
        shares = medians(*(partial(_share, each) for each in workers))
    what = f"cached reads by {THREADS} threads together (x: by one thread)"
    return Row(what, [ratio(share) for share in shares])


def _share(worker: Worker) -> float:
    alone = worker.ask("rate", NAME, 1)
    return float(worker.ask("rate", NAME, THREADS) / alone)


def _filling(workers: list[Worker]) -> Row:
    measures = [partial(each.ask, "filling", NAME, protocols.VALUES) for each in workers]
    place = ALL.index(LANGSMITH)
    *taken, by_hand = medians(*measures, partial(workers[place].ask, "filling_by_hand", NAME, protocols.VALUES))
    cells = [seconds(taken[0]), *(f"{seconds(each)} ({ratio(each / taken[0])})" for each in taken[1:])]
    cells[place] += f"; by hand {seconds(by_hand)} ({ratio(by_hand / taken[0])})"
    return Row(f"cached read, {len(protocols.VALUES)} variables filled in (x: ours)", cells)


def _fresh(workers: list[Worker], plain: Worker, server: Server) -> Row:
    before = server.connections()
    exchange = partial(plain.ask, "exchange", f"/api/v1/prompts/{NAME}/production", EXCHANGES)
    by_hand, *taken = medians(exchange, *(partial(each.ask, "fresh", NAME) for each in workers))
    assert server.connections() - before < EXCHANGES, "somebody connects anew for every fetch"
    what = f"cold fetch, kept-alive connection (x: `http.client` and `json.loads`, {seconds(by_hand)})"
    return Row(what, [f"{seconds(each)} ({ratio(each / by_hand)})" for each in taken])


def _stampede(workers: list[Worker], server: Server) -> Row:
    numbers = itertools.count()
    counts = by_turns(*(partial(_requests, each, server, numbers) for each in workers))
    cells = [f"{statistics.median(seen):g}" for seen in counts]
    return Row(f"{STAMPEDE} threads, one cold name: requests that reach the server", cells)


def _requests(worker: Worker, server: Server, numbers: Iterator[int]) -> int:
    name = f"{SLOW}{next(numbers)}"
    worker.ask("stampede", name, STAMPEDE)
    return server.count(name)
