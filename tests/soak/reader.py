"""A reader process of a soak: sixteen threads that read all prompts, and judge each answer at once."""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import threading
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from scope_client import ApiKeyCredentials, NotFoundError, RedisStore, ScopeClient, ScopeError

from .board import NAMES, NOBODYS, Board
from .figures import Figures, bucket_of, footprint, merged
from .processes import end_with_parent
from .truth import edition_of

if TYPE_CHECKING:
    from scope_client import PromptVersion

THREADS = 16
PACE_SECONDS = 0.012
LATE_NANOSECONDS = 20_000_000
SHARE_OF_NOBODYS = 0.02
KEPT_COMPLAINTS = 5
LOCAL_TTL_SHARE = 1 / 6
GRACE_SECONDS = 10.0  # over the TTL: an attempt, and the lock of a process that was stopped while it held it
OPTIONS: dict[str, Any] = {
    "timeout": 1.0,
    "open_timeout": 0.5,
    "max_retries": 1,
    "retry_base_delay": 0.05,
    "retry_max_delay": 0.2,
}
HOW: tuple[tuple[str, dict[str, Any]], ...] = (
    *[("production", {})] * 14,
    *[("latest", {"label": "latest"})] * 3,
    ("production", {"deadline": 5.0}),
    ("production", {"fallback": "never served"}),
)


class Judge:
    """Whether an answer was true of its prompt, was true not too long ago, and is not older than one before it."""

    def __init__(self, board: Board, number: int, ttl: float) -> None:
        self._board = board
        self._number = number
        self._oldest_after = (ttl + GRACE_SECONDS) * 1e9
        self._seen = {(name, which): 0 for name in NAMES for which in ("production", "latest")}
        self.complaints: Counter[str] = Counter()
        self.examples: list[str] = []

    def bounds(self, place: int, which: str) -> tuple[int, int | None]:
        """The oldest edition that this process has not yet left behind, and the oldest that may be served, if known."""
        is_known = time.monotonic_ns() - self._board.woken_at[self._number] > self._oldest_after
        return self._seen[NAMES[place], which], self._board.oldest[place] if is_known else None

    def hears(self, place: int, which: str, content: str, seen: int, oldest: int | None) -> None:
        edition = edition_of(content)
        if edition is None:
            self.complain("never said", f"{NAMES[place]}: {content[:80]!r}")
            return
        if edition[:2] != (NAMES[place], which):
            self.complain("of another", f"{NAMES[place]} {which}: {edition}")
        elif edition.number > self._board.current[place]:
            self.complain("not yet said", f"{edition}, the newest is {self._board.current[place]}")
        elif edition.number < seen:
            self.complain("went back", f"{edition}, edition {seen} had been served")
        elif oldest is not None and edition.number < oldest:
            self.complain("too old", f"{edition}, edition {oldest} is the oldest that may be served")
        if edition.number > self._seen[NAMES[place], which]:
            self._seen[NAMES[place], which] = edition.number

    def complain(self, kind: str, what: str) -> None:
        self.complaints[kind] += 1
        if len(self.examples) < KEPT_COMPLAINTS:
            self.examples.append(f"{time.monotonic():.2f} {kind}: {what}")


class Thread:
    """Reads in a rhythm of its own, so that the reads and not the processors are what is measured."""

    def __init__(self, client: ScopeClient, judge: Judge, board: Board, number: int, chance: random.Random) -> None:
        self._client = client
        self._judge = judge
        self._board = board
        self._number = number
        self._chance = chance
        self.figures = Figures()
        self.reading_since = 0
        self.thread = threading.Thread(target=self._run, name="soak-reader", daemon=True)

    def _run(self) -> None:
        while not self._board.is_over:
            if self._chance.random() < SHARE_OF_NOBODYS:
                self._read_nobodys(self._chance.choice(NOBODYS))
            else:
                self._read(self._chance.randrange(len(NAMES)), *self._chance.choice(HOW))
            time.sleep(self._chance.uniform(0, 2 * PACE_SECONDS))

    def _read(self, place: int, which: str, options: dict[str, Any]) -> None:
        board, figures = self._board, self.figures
        seen, oldest = self._judge.bounds(place, which)
        stops, weather, redis = board.stops[self._number], board.weather, board.redis
        self.reading_since = began = time.monotonic_ns()
        try:
            version: PromptVersion | None = self._client.get_prompt_version(NAMES[place], **options)
        except Exception as error:
            version = None
            self._judge.complain("failed", f"{NAMES[place]} {which}: {type(error).__name__}: {error}"[:300])
        took = time.monotonic_ns() - began
        self.reading_since = 0
        figures.reads += 1
        figures.judged += bool(oldest)
        if version is not None:
            self._judge.hears(place, which, version.content, seen, oldest)
        if stops % 2 == 0 and stops == board.stops[self._number]:  # this process ran all the time
            figures.took(took, weather, redis)

    def _read_nobodys(self, name: str) -> None:
        """There is no such name, or, while the platform fails, nobody knows."""
        stops, redis, began = self._board.stops[self._number], self._board.redis, time.monotonic_ns()
        try:
            version = self._client.get_prompt_version(name)
        except NotFoundError:
            took = time.monotonic_ns() - began
            if stops % 2 == 0 and stops == self._board.stops[self._number]:
                self.figures.of_nobodys[redis][bucket_of(took)] += 1
        except ScopeError as error:
            self.figures.errors[type(error).__name__] += 1
        else:
            self._judge.complain("never said", f"{name}: {version.content[:80]!r}")


class Watch:
    """Looks every ten milliseconds where those reads are that take longer than twenty."""

    def __init__(self, threads: list[Thread]) -> None:
        self._threads = threads
        self._seen: dict[int, int] = {}
        self.places: Counter[str] = Counter()

    def look(self) -> None:
        now = time.monotonic_ns()
        for thread in self._threads:
            began, ident = thread.reading_since, thread.thread.ident
            if began and ident and now - began > LATE_NANOSECONDS and self._seen.get(ident) != began:
                self._seen[ident] = began
                frame = sys._current_frames().get(ident)
                if frame is not None:
                    self.places[_where(traceback.extract_stack(frame))] += 1


def _where(stack: traceback.StackSummary) -> str:
    """The innermost frames of the client, and the one that they wait in."""
    ours = [frame for frame in stack if f"{os.sep}scope_client{os.sep}" in frame.filename]
    shown = [*ours[-3:], *([stack[-1]] if stack[-1] not in ours else [])]
    return " > ".join(f"{Path(frame.filename).stem}.{frame.name}" for frame in shown)


class Outages(logging.Handler):
    """Counts the outages that the client warned of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        self.warnings[record.name] += 1


def main(board_path: str, number: str, seed: str, seconds: str, platform_url: str, redis_url: str) -> None:
    board, ttl = Board(Path(board_path)), float(seconds)
    end_with_parent()
    outages = Outages()
    logging.getLogger("scope_client").addHandler(outages)
    client = ScopeClient(
        credentials=ApiKeyCredentials("org", "key", "secret"),
        base_url=platform_url,
        auth_api_url=platform_url,
        cache_store=RedisStore(redis_url),
        cache_ttl=ttl,
        cache_local_ttl=ttl * LOCAL_TTL_SHARE,
        **OPTIONS,
    )
    client.prefetch([(name, which) for name in NAMES for which in ("production", "latest")], strict=True)
    # Past the cache: what the first fetch imports is there before the memory is measured, whoever filled the store.
    client.get_prompt_version(NAMES[0], cache=False)
    judge = Judge(board, int(number), ttl)
    chance = random.Random(f"{seed}-{number}")
    threads = [Thread(client, judge, board, int(number), random.Random(chance.random())) for _ in range(THREADS)]
    watch = Watch(threads)
    print("ready", flush=True)
    for thread in threads:
        thread.thread.start()
    samples = _watched(board, watch.look)
    for thread in threads:
        thread.thread.join(10)
    stuck = sum(thread.thread.is_alive() for thread in threads)
    report = {
        **merged([thread.figures for thread in threads]),
        "stuck": stuck,
        "complaints": judge.complaints,
        "examples": judge.examples,
        "slow": watch.places,
        "warnings": outages.warnings,
        "samples": samples,
        "counters": dict(client.status().counters),
        "errors": sum((thread.figures.errors for thread in threads), Counter()),
    }
    print(json.dumps(report), flush=True)
    os._exit(0)  # whatever still hangs


def _watched(board: Board, look: Callable[[], None]) -> list[dict[str, float]]:
    """What the process took, once a second, until the soak is over."""
    samples: list[dict[str, float]] = []
    next_sample = 0.0
    while not board.is_over:
        look()
        if time.monotonic() >= next_sample:
            samples.append(footprint())
            next_sample = time.monotonic() + 1
        time.sleep(0.01)
    return samples


if __name__ == "__main__":
    main(*sys.argv[1:])
