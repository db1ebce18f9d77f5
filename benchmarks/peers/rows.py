"""The rows of the table: a cell for each client, in the order of the roster."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Callable

from .. import server
from ..measure import CLIENT, REPETITIONS, medians, on_core, seconds
from .roster import ALL, BY_HAND, LANGSMITH, LANGSMITH_BY_HAND, OURS, PROMPTLAYER, Peer

IN_VENV = Path(__file__).parent / "in_venv"
REPETITIONS_OF_MEMORY = 3
HOUR = 3600
PROMPTS, HELD = 10_000, {PROMPTLAYER: 1000}
THREADS, STAMPEDE = 8, 64
SHORT, EXPIRED_AFTER, READS = 1, 2.5, 6
FIRST_PROMPT = "import readers; r = readers.{reader}({url!r}, 3600); assert r.text(r.read('first')).startswith('first')"

Line = Sequence[str]


def measured() -> Iterator[Line]:
    with server.running() as url:
        for row in (_imports, _first_prompts, _cached, _threaded, _filled, _fetched, _stampede, _memory, _outage):
            started = time.monotonic()
            with nullcontext() if row is _threaded else on_core(CLIENT):
                yield row(url)
            print(f"{row.__name__[1:]} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _imports(url: str) -> Line:
    codes = [(OURS, "pass"), (OURS, "import requests"), *((peer, peer.imports) for peer in ALL)]
    bare, requests, *taken = medians(*(partial(_process, peer, code) for peer, code in codes))
    yardstick = requests - bare
    what = f"import, over bare Python (x: `import requests`, {seconds(yardstick)})"
    return what, *(_times(each - bare, yardstick) for each in taken)


def _first_prompts(url: str) -> Line:
    codes = [(peer, FIRST_PROMPT.format(reader=peer.reader, url=url)) for peer in ALL]
    ours, *theirs = medians(*(partial(_process, peer, code) for peer, code in codes))
    return "import and first prompt, whole process (x: ours)", seconds(ours), *(_times(each, ours) for each in theirs)


def _cached(url: str) -> Line:
    by_hand, *taken = medians(_job(BY_HAND, url, "looked_up"), *(_job(peer, url, "cached") for peer in ALL))
    what = f"cached read (x: `e = d.get(k)` and `e[0] > monotonic()`, {seconds(by_hand)})"
    return what, *(_times(each, by_hand) for each in taken)


def _threaded(url: str) -> Line:
    shares = medians(*(_job(peer, url, "shared", THREADS) for peer in ALL))
    return f"cached reads by {THREADS} threads together (x: by one thread)", *map(_ratio, shares)


def _filled(url: str) -> Line:
    work = "filled", server.VALUES, server.filled("greeting")
    ours, *theirs, by_hand = medians(*(_job(peer, url, *work) for peer in (*ALL, LANGSMITH_BY_HAND)))
    cells = [seconds(ours), *(_times(each, ours) for each in theirs)]
    cells[ALL.index(LANGSMITH)] += f"; by hand {_times(by_hand, ours)}"
    return f"cached read, {len(server.VALUES)} variables filled in (x: ours)", *cells


def _fetched(url: str) -> Line:
    by_hand, *taken = medians(*(_job(peer, url, "fetched") for peer in (BY_HAND, *ALL)))
    what = f"cold fetch, kept-alive connection (x: `http.client` and `json.loads`, {seconds(by_hand)})"
    return what, *(_times(each, by_hand) for each in taken)


def _stampede(url: str) -> Line:
    counts = medians(*(_job(peer, url, "requests", STAMPEDE) for peer in ALL))
    return f"{STAMPEDE} threads, one cold name: requests that reach the server", *(f"{count:g}" for count in counts)


def _memory(url: str) -> Line:
    counts = [HELD.get(peer, PROMPTS) for peer in ALL]
    jobs = [_job(peer, url, "grown", count) for peer, count in zip(ALL, counts)]
    notes = ["" if count == PROMPTS else f" (of {count:,}, its most)" for count in counts]
    cells = map(str.__add__, map(_ratio, medians(*jobs, repetitions=REPETITIONS_OF_MEMORY)), notes)
    return f"memory of {PROMPTS:,} cached prompts of 2 kB (x: their texts alone)", *cells


def _outage(url: str) -> Line:
    cells = []
    for runs in zip(*([_platform_goes(peer) for peer in ALL] for _ in range(REPETITIONS))):
        given, first, later = zip(*runs)
        shown = "yes" if all(given) else "no", seconds(statistics.median(first)), seconds(statistics.median(later))
        cells.append(", ".join(shown))
    return f"platform gone, cache expired ({SHORT} s): is the prompt given, first read, later reads", *cells


def _platform_goes(peer: Peer) -> Any:
    with server.running() as url:
        return _job(peer, url, "outage", EXPIRED_AFTER, READS, ttl=SHORT)()


def _job(peer: Peer, url: str, job: str, *arguments: Any, ttl: int = HOUR) -> Callable[[], Any]:
    """What does a job of `job.py` in a new process of the peer's venv."""
    words = [peer.reader, url, str(ttl), job, *map(json.dumps, arguments)]
    command = [peer.python, str(IN_VENV / "job.py"), *words]

    def work() -> Any:
        ran = subprocess.run(command, env=peer.environ, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(ran.stdout)

    return work


def _process(peer: Peer, code: str) -> float:
    started = time.perf_counter()
    subprocess.run([peer.python, "-c", code], cwd=IN_VENV, env=peer.environ, check=True)
    return time.perf_counter() - started


def _times(value: float, yardstick: float) -> str:
    return f"{seconds(value)} ({_ratio(value / yardstick)})"


def _ratio(value: float) -> str:
    return f"{value:.2f} x" if value < 10 else f"{value:.0f} x"
