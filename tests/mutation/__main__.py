"""Changes one place of the code at a time and asks the tests that run it: `python -m tests.mutation [ROOM...]`.

Nothing here touches the working tree: each worker has a copy of it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from .baseline import KEPT, measured, sources_in
from .changes import mutants_of
from .earlier import Earlier
from .listed import FILE, Listed, line_of
from .trial import SECONDS_OF_TESTS, Result, Trial, drop_what_fails_without_a_mutant
from .workers import at_work, each_by

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOMS = (
    *("_cache", "_circuit_breaker", "_flight", "_fork"),
    *("_http/budget", "_http/retries", "_http/tokens", "_prompt/template", "_stores/redis_store"),
)
TESTS = (
    "tests/core",
    # The clusters, and what a store waits for.
    *(f"tests/field/test_{name}.py" for name in ("stores", "dripping_stores", "waits_of_redis_clients")),
)
NOTICED = KEPT.with_name("noticed.json")
SECONDS_BETWEEN_NEWS = 60


def rooms_named(names: Sequence[str], sources: dict[str, bytes]) -> list[str]:
    found = []
    for name in names:
        those = [room for room in sources if room == name or room.startswith(f"{name}/")]
        if not those:
            raise SystemExit(f"there is no room {name}; rooms are named as _http/budget is")
        found += [room for room in those if room not in found]
    return found


def report(results: Sequence[Result], rooms: Sequence[str], seconds: float) -> int:
    outcomes = ("killed", "timed out", "survived", "listed")
    print("\n" + "".join([f"{'room':24}{'mutants':>9}", *(f"{outcome:>11}" for outcome in outcomes), f"{'score':>9}"]))
    for room in (*rooms, "all"):
        count = Counter(result.outcome for result in results if room in (result.mutant.room, "all"))
        total = sum(count.values())
        judged = total - count["listed"]
        score = f"{100 * (judged - count['survived']) / judged:.1f} %" if judged else "-"
        print("".join([f"{room:24}{total:9}", *(f"{count[outcome]:11}" for outcome in outcomes), f"{score:>9}"]))
    print(f"{seconds:.0f} s")
    survived = [result for result in results if result.outcome == "survived"]
    for room in rooms:
        lines = [f"{line_of(each.mutant)} {each.by}" for each in survived if each.mutant.room == room]
        print("\n".join([f"\n## `{room}`\n", *lines]) if lines else "", end="\n" if lines else "")
    return 1 if survived else 0


def stop(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what there is to clean up takes a moment
    sys.exit(1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", default=ROOMS, help="such as _cache or _http/budget")
    parser.add_argument("--tests", action="append", help=f"a folder or a file of tests; instead of {', '.join(TESTS)}")
    parser.add_argument("--only", default="", help="mutants whose line has this text")
    parser.add_argument("--listed", action="store_true", help="try those too that are listed in tests/mutants.md")
    parser.add_argument("--anew", action="store_true", help="try those too that an earlier run has found to be noticed")
    parser.add_argument("--seconds", type=float, default=SECONDS_OF_TESTS, help="of tests at most for one mutant")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has it ignored in the background
    signal.signal(signal.SIGTERM, stop)
    started = time.monotonic()
    tests = given.tests or list(TESTS)
    with at_work(given.workers, tests) as workers:
        sources = sources_in(workers[0].folder)
        rooms = rooms_named(given.rooms, sources)
        mutants = [each for room in rooms for each in mutants_of(room, sources[room]) if given.only in line_of(each)]
        known = Listed(FILE.read_text())
        results = [] if given.listed else [Result(each, "listed", "") for each in mutants if known.has(each)]
        earlier = Earlier(NOTICED, workers[0].folder)
        found = [] if given.anew else [earlier.of(each) for each in mutants if not known.has(each)]
        noticed = [result for result in found if result is not None]
        results += noticed
        skipped = {result.mutant[:3] for result in results}
        tried = [each for each in mutants if each[:3] not in skipped]
        reach = measured(workers, tests)
        drop_what_fails_without_a_mutant(workers, reach, {test for each in tried for test in reach.of(each, sources)})
        told = time.monotonic()
        print(f"{len(tried)} mutants, and {len(noticed)} noticed before, after {told - started:.0f} s", flush=True)
        for result in each_by(workers, tried, Trial(reach, sources, given.seconds).of):
            if known.has(result.mutant):
                if result.outcome != "survived":
                    print(f"listed, and yet {result.outcome}: {line_of(result.mutant)[2:]} {result.by}", flush=True)
                result = result._replace(outcome="listed")
            results.append(result)
            earlier.add(result)
            if result.outcome == "survived":
                print(f"survived: {result.mutant.room} {line_of(result.mutant)[2:]} {result.by}", flush=True)
            if time.monotonic() - told > SECONDS_BETWEEN_NEWS:
                told = time.monotonic()
                print(f"{len(results)} of {len(mutants)}, after {told - started:.0f} s", flush=True)
    for line in () if given.only else known.unknown(rooms, mutants):
        print(f"listed, and there is no such mutant: {line}")
    places = {mutant[:3]: number for number, mutant in enumerate(mutants)}
    results.sort(key=lambda result: places[result.mutant[:3]])
    return report(results, rooms, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
