"""How many requests a fleet makes, to the platform and to its store: counted, beside the formula of docs/scaling.md.

`python -m benchmarks.scaling` runs 1, 8 and 64 processes, without a store and with a Redis, and writes the table into
the page. Each process reads every name many times a second, and begins at a moment of its own, as in a fleet whose
processes were started one after another. What is counted is what arrives: the lines of the local platform's log, and
`INFO commandstats` of Redis.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform as machine
import select
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import redis

from scope_client import ApiKeyCredentials, RedisStore, ScopeClient
from scope_client.local import LocalPlatform

from . import report
from .read import redis_server

PAGE = report.FOLDER.parent / "docs" / "scaling.md"
SIZES = (1, 8, 64)
NAMES = 10
TTL_SECONDS = 10.0
LOCAL_TTL_SECONDS = 1.0  # cache_local_ttl
COUNTED_SECONDS = 60.0
READS_EVERY_SECONDS = 0.25
JITTER = 0.015  # a life is up to 3 % shorter than its TTL, half of that on average
ALONE, IN_A_FLEET = 0.83, 0.9  # of a life, after which a version in use is renewed
HEADING = (
    *("processes", "store", "to the platform", "formula"),
    *("looks into the store", "formula", "writes to it", "at least"),
)


class Setting(NamedTuple):
    """`size` processes read `names` names, each of them every `reads_every` seconds; all times are in seconds."""

    size: int
    has_store: bool
    names: int = NAMES
    ttl: float = TTL_SECONDS
    local_ttl: float = LOCAL_TTL_SECONDS
    counted: float = COUNTED_SECONDS
    reads_every: float = READS_EVERY_SECONDS


class Counts(NamedTuple):
    """Requests for prompts, looks into the store (MGET), and writes to it (SET), a second."""

    platform: float
    looks: float = 0.0
    writes: float = 0.0


def expected(setting: Setting) -> Counts:
    """The formula. What is due is asked for by the next read, which is half of `reads_every` away on average."""
    size, names, wait = setting.size, setting.names, setting.reads_every / 2
    if not setting.has_store:
        return Counts(size * names / (ALONE * (1 - JITTER) * setting.ttl + wait))
    renewals = names / (IN_A_FLEET * (1 - JITTER) * setting.ttl)
    return Counts(renewals, size * (names / (setting.local_ttl + wait) + renewals), 2 * renewals)


def counted(setting: Setting) -> Counts:
    """What arrives while the processes read."""
    with ExitStack() as opened:
        url = opened.enter_context(redis_server()) if setting.has_store else ""
        prompts = {f"prompt-{number}": "Hello, {{name}}!" for number in range(setting.names)}
        arrived: list[str] = []
        started = opened.enter_context(LocalPlatform(prompts, log=arrived.append))
        opened.enter_context(_readers(setting, started, url))
        before = _asked(arrived)
        if url:
            with redis.Redis.from_url(url) as server:
                server.config_resetstat()
        began = time.monotonic()
        time.sleep(setting.counted)
        seconds = time.monotonic() - began
        calls = _calls(url) if url else {}
        asked = _asked(arrived) - before
    return Counts(asked / seconds, calls.get("mget", 0) / seconds, calls.get("set", 0) / seconds)


def _asked(lines: Sequence[str]) -> int:
    return sum("  GET " in line for line in list(lines))


def _calls(url: str) -> dict[str, int]:
    with redis.Redis.from_url(url) as server:
        return {name.partition("_")[2]: int(stats["calls"]) for name, stats in server.info("commandstats").items()}


@contextmanager
def _readers(setting: Setting, started: LocalPlatform, url: str) -> Iterator[None]:
    """The processes, from when each has read every name until the end of the block."""
    facts = [
        str(each) for each in (setting.size, setting.names, setting.ttl, setting.local_ttl, setting.reads_every, url)
    ]
    command = [sys.executable, "-m", "benchmarks.scaling", "--readers", *facts]
    parent = subprocess.Popen(
        command, env={**os.environ, **started.environ}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent:
        try:
            for _ in range(setting.size):
                if parent.stdout.readline() != "ready\n":
                    raise RuntimeError("a reader has ended before its time")
            yield
        finally:
            parent.stdin.close()  # each reader ends when it sees that


def readers(size: int, names: int, ttl: float, local_ttl: float, every: float, url: str) -> None:
    """Forks so many processes that read until standard input is closed. Each makes its client after the fork."""
    import requests  # noqa: F401  # once, before the fork, and not in each of 64 processes

    children = []
    for number in range(size):
        child = os.fork()
        if child == 0:
            try:
                read(number / size * ttl, names, ttl, local_ttl, every, url)
            except BaseException:
                traceback.print_exc()
                os.write(1, b"failed\n")
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def read(starts_after: float, names: int, ttl: float, local_ttl: float, every: float, url: str) -> None:
    """Reads each name every so many seconds, until standard input is closed."""
    wanted = [f"prompt-{number}" for number in range(names)]
    if _is_over(starts_after):
        return
    client = ScopeClient(
        credentials=ApiKeyCredentials.from_env(),
        cache_ttl=ttl,
        cache_local_ttl=local_ttl,
        cache_store=RedisStore(url) if url else None,
    )
    client.prefetch(wanted, strict=True)
    os.write(1, b"ready\n")
    while not _is_over(every):
        for name in wanted:
            client.get_prompt_version(name)


def _is_over(seconds: float) -> bool:
    """Waits for so long; whether the parent has closed its end of the pipe meanwhile."""
    return bool(select.select([0], [], [], seconds)[0])


def line(setting: Setting, found: Counts) -> tuple[str, ...]:
    """A line of the table: each count beside what the formula says."""
    wanted = expected(setting)
    pairs = [f"{each:.2f}" for pair in zip(found, wanted) for each in pair]
    store = pairs[2:] if setting.has_store else ["", "", "", ""]
    return str(setting.size), "Redis" if setting.has_store else "none", *pairs[:2], *store


def table(settings: Sequence[Setting], count: Callable[[Setting], Counts] = counted) -> str:
    """Counts every setting, and tells on the screen how far it is."""
    lines = [HEADING]
    for setting in settings:
        lines.append(line(setting, count(setting)))
        print("  ".join(lines[-1]), file=sys.stderr, flush=True)
    first = settings[0]
    said = (
        f"Requests a second, counted for {first.counted:.0f} seconds each: {_how_taken()}. {first.names} names, "
        f"`cache_ttl={first.ttl:g}`, `cache_local_ttl={first.local_ttl:g}`, a read of each name every "
        f"{first.reads_every:g} s."
    )
    return f"{said}\n\n{report.markdown(lines)}"


def _how_taken() -> str:
    return f"{datetime.date.today()}, Python {machine.python_version()}, {machine.system()}, {os.cpu_count()} cores"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--readers", nargs=6, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments).readers
    if given:
        readers(int(given[0]), int(given[1]), *map(float, given[2:5]), given[5])
        return
    made = table([Setting(size, has_store) for has_store in (False, True) for size in SIZES])
    print(made)
    PAGE.write_text(report.with_section(PAGE.read_text("utf-8"), "scaling", made), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
