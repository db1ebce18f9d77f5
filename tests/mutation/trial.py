"""A mutant before its tests: until one notices, or all that it has time for have passed."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from .workers import Worker, each_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .baseline import Reach
    from .changes import Mutant

FIRST_TESTS = 12  # asked by themselves, before the files of the others are imported
FIRST_FILES = 3
GRACE = 4  # times as long as with a mutant may a test take without one, where a time-out counts against the test
SECONDS_OF_TESTS = 60.0  # at most for one mutant


class Result(NamedTuple):
    """`outcome` is killed, timed out, survived or listed; `by` names the test that noticed, or says what was asked."""

    mutant: Mutant
    outcome: str
    by: str
    seconds: float = 0.0


class Trial:
    """Asks those tests first that noticed other mutants of the same function or room, then those that are about it."""

    def __init__(self, reach: Reach, sources: dict[str, bytes], patience: float) -> None:
        self._reach = reach
        self._sources = sources
        self._patience = patience
        self._noticed: Counter[tuple[str, str]] = Counter()
        self._passes_alone: dict[str, bool] = {}
        self._number = 0

    def of(self, worker: Worker, mutant: Mutant) -> Result:
        started = time.monotonic()
        tests = sorted(self._reach.of(mutant, self._sources), key=lambda test: self._merits(mutant, test), reverse=True)
        seconds = itertools.accumulate(self._reach.seconds[test] for test in tests)
        asked = [test for test, so_far in zip(tests, seconds) if so_far <= self._patience]
        groups = self._groups(mutant, asked)
        while groups:
            group = groups.pop(0)
            outcome, by = self._asked(worker, mutant, group)
            if outcome == "survived":
                continue
            if not self._is_sure(worker, mutant, by, group):
                groups.insert(0, [test for test in group if test != by])
                continue
            self._noticed.update([(mutant.where, by), (mutant.room, file_of(by))])
            return Result(mutant, outcome, by, time.monotonic() - started)
        told = f"{len(asked)} of {len(tests)} tests pass" if tests else "no test runs this"
        return Result(mutant, "survived", told, time.monotonic() - started)

    def _merits(self, mutant: Mutant, test: str) -> tuple[int, int, float, float]:
        """The last to count is the time it takes, among those that are about the room to the same tenth."""
        in_its_place, in_the_room = self._noticed[mutant.where, test], self._noticed[mutant.room, file_of(test)]
        share = round(self._reach.share(test, mutant.room), 1)
        return in_its_place, in_the_room, share, -self._reach.seconds[test]

    def _groups(self, mutant: Mutant, tests: Sequence[str]) -> list[Sequence[str]]:
        """The one that noticed most, the first few of few files, and the rest."""
        best = [test for test in tests[:1] if self._noticed[mutant.where, test]]
        others = tests[len(best) :]
        files = set(files_of(others)[:FIRST_FILES])
        first = [test for test in others if file_of(test) in files][:FIRST_TESTS]
        rest = [test for test in others if test not in set(first)]
        return [group for group in (best, first, rest) if group]

    def _asked(self, worker: Worker, mutant: Mutant | None, tests: Sequence[str]) -> tuple[str, str]:
        seconds = {test: self._reach.seconds[test] for test in tests}
        job: dict[str, Any] = {"files": files_of(tests), "seconds": seconds}
        if mutant is None:
            job.update(grace=GRACE)
        else:
            self._number += 1
            path = worker.folder / "scope_client" / f"{mutant.room}.py"
            job.update(path=str(path), source=mutant.source.decode(), number=self._number)
        done = worker.do("run", **job)
        if done.get("timed_out"):
            return "timed out", ""
        if done["code"] in (0, 5):  # 5: none of its tests is found any more
            return "survived", ""
        by = done["failed"][0] if done["failed"] else "the import"
        return ("timed out" if "from pytest-timeout" in done["told"] else "killed"), by

    def _is_sure(self, worker: Worker, mutant: Mutant, test: str, group: Sequence[str]) -> bool:
        """Whether the test fails by itself too, and only with a mutant: others before it or chance may have been it."""
        if test not in group:
            return True
        if test not in self._passes_alone:
            self._passes_alone[test] = self._asked(worker, None, [test])[0] == "survived"
            if not self._passes_alone[test]:
                print(f"left out, because it fails by itself without a mutant: {test}", flush=True)
                self._reach.left_out.add(test)
        return self._passes_alone[test] and (len(group) == 1 or self._asked(worker, mutant, [test])[0] != "survived")


def file_of(test: str) -> str:
    return test.partition("::")[0]


def files_of(tests: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(file_of, tests)))


def drop_what_fails_without_a_mutant(workers: Sequence[Worker], reach: Reach, tests: set[str]) -> None:
    """Runs them once in the order in which mutants ask them: those of fast files first."""
    ordered = sorted(tests, key=lambda test: (reach.seconds[test], test))

    def run(worker: Worker, part: list[str]) -> Any:
        seconds = {test: reach.seconds[test] for test in part}
        files, options = files_of(part), ["--maxfail=0"]
        return worker.do("run", files=files, seconds=seconds, options=options, grace=GRACE, compiles=True)

    for done in each_by(workers, [ordered[number :: len(workers)] for number in range(len(workers))], run):
        if done.get("timed_out") or done["code"] not in (0, 1, 5):
            raise SystemExit(f"the tests do not run without a mutant: {done.get('told', 'they do not end')}")
        reach.left_out.update(done["failed"])
        for test in dict.fromkeys(done["failed"]):
            print(f"left out, because it fails without a mutant: {test}", flush=True)
