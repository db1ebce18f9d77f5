"""Does one job with one client and prints what came out, as JSON: `job.py READER URL TTL JOB [ARGUMENT ...]`."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import statistics
import sys
import threading
import time
import timeit
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import readers
from readers import Reader

NAME = "greeting"
PAUSE_SECONDS = 0.05


def looked_up(reader: Reader, url: str) -> float:
    """Seconds for a dictionary look-up and a look at the clock."""
    setup = f'd, k = {{"{NAME}": (monotonic() + 3600, "Hello!")}}, "{NAME}"'
    return _each("e = d.get(k); e[0] > monotonic()", setup, monotonic=time.monotonic)


def cached(reader: Reader, url: str) -> float:
    return _each("read(name)", read=reader.read)


def fetched(reader: Reader, url: str) -> float:
    return _each("read(name)", read=reader.read_fresh)


def filled(reader: Reader, url: str, values: dict[str, str], expected: str) -> float:
    text = reader.fill(NAME, values)
    assert text == expected, f"it made another text: {text}"
    return _each("fill(name, values)", fill=reader.fill, values=values)


def shared(reader: Reader, url: str, threads: int) -> float:
    """How often so many threads read together, over how often one does alone."""
    timer = _timer("read(name)", read=reader.read)
    times, _ = timer.autorange()
    alone = statistics.median(timer.repeat(3, times))
    started = time.perf_counter()
    _together(threads, lambda: timer.timeit(times // threads))
    return alone / (time.perf_counter() - started)


def requests(reader: Reader, url: str, threads: int) -> int:
    """How many requests are made if so many threads read a cold name at the same moment."""
    name, gate = f"slow-{os.getpid()}", threading.Barrier(threads)
    _together(threads, lambda: (gate.wait(), reader.read(name)))
    return _asked(url, name)


def grown(reader: Reader, url: str, count: int) -> float:
    """The memory gained by reading so many prompts, over that of their texts."""
    prefix = f"memory-{os.getpid()}"
    texts = count * sys.getsizeof(reader.text(reader.read(f"{prefix}-first")))
    before = _resident()
    for number in range(count):
        reader.read(f"{prefix}-{number}")
    gained = _resident() - before
    reader.read(f"{prefix}-0")
    assert _asked(url, f"{prefix}-0") == 1, f"the cache holds fewer than {count:,} prompts"
    return gained / texts


def outage(reader: Reader, url: str, expired_after: float, reads: int) -> tuple[bool, float, float]:
    """Once the platform is gone: if every read gives the prompt, and the seconds of the first and of a later one."""
    reader.read(NAME)
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"{url}/stop")
    time.sleep(expired_after)
    took, given = [], True
    for _ in range(reads):
        started = time.perf_counter()
        try:
            reader.read(NAME)
        except Exception:
            given = False
        took.append(time.perf_counter() - started)
        time.sleep(PAUSE_SECONDS)
    return given, took[0], statistics.median(took[1:])


def _each(statement: str, setup: str = "pass", **names: Any) -> float:
    """Seconds for one, from as many as fill a fifth of a second."""
    timer = _timer(statement, setup, **names)
    times, seconds = timer.autorange()
    return seconds / times


def _timer(statement: str, setup: str = "pass", **names: Any) -> timeit.Timer:
    """Has run once. The collector runs too, which `timeit` turns off by itself."""
    timer = timeit.Timer(statement, f"gc.enable(); {setup}", globals={"gc": gc, "name": NAME, **names})
    timer.timeit(1)
    return timer


def _together(threads: int, work: Callable[[], object]) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: work(), range(threads)))


def _resident() -> int:
    """The bytes of memory that this process holds (Linux)."""
    gc.collect()
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024


def _asked(url: str, name: str) -> int:
    with urllib.request.urlopen(f"{url}/count/{name}") as answer:
        return int(answer.read())


def main(reader: str, url: str, ttl: str, job: str, *arguments: str) -> None:
    """Whatever else prints goes to stderr, and a client's warnings go nowhere."""
    logging.getLogger().addHandler(logging.NullHandler())
    out, sys.stdout = sys.stdout, sys.stderr
    done = globals()[job](getattr(readers, reader)(url, int(ttl)), url, *map(json.loads, arguments))
    print(json.dumps(done), file=out, flush=True)
    os._exit(0)  # a client's own threads may not let it end


if __name__ == "__main__":
    main(*sys.argv[1:])
