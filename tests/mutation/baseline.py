"""Which tests reach what, and how long they take: the tests, run once with probes in the code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .reach import users_of, with_probes
from .workers import ROOT, Worker, each_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .changes import Mutant

PACKAGE = "scope_client"
KEPT = ROOT / "build" / "mutants" / "reach.json"
SECONDS_OF_A_FILE = 600


class Reach:
    """Which tests come by at which place, and how long each takes."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = {}
        self.left_out: set[str] = set()
        self._places: Counter[tuple[str, str]] = Counter()

    def share(self, test: str, room: str) -> float:
        """Of the places that the test comes by, the part that is in this room: the more, the more it is about it."""
        if not self._places:
            for place, those in self.tests.items():
                where = place.rpartition(":")[0]
                self._places.update((each, where) for each in those)
                self._places.update((each, "") for each in those)
        return self._places[test, room] / max(self._places[test, ""], 1)

    def of(self, mutant: Mutant, sources: dict[str, bytes]) -> list[str]:
        """The tests that can notice this mutant, the fastest first."""
        if mutant.lines:
            places = {f"{mutant.room}:{line}" for line in mutant.lines}
        else:
            places = users_of(mutant.names, sources) & self.tests.keys()
        if not places and not mutant.lines:
            places = {place for place in self.tests if place.startswith(f"{mutant.room}:")}
        found = set().union(*(self.tests[place] for place in places & self.tests.keys())) - self.left_out
        return sorted(found & self.seconds.keys(), key=lambda test: (self.seconds[test], test))


def sources_in(folder: Path) -> dict[str, bytes]:
    package = folder / PACKAGE
    return {str(file.relative_to(package).with_suffix("")): file.read_bytes() for file in sorted(package.rglob("*.py"))}


def measured(workers: Sequence[Worker], tests: Sequence[str]) -> Reach:
    """Of each file of tests; what was found before is kept for as long as neither it nor the code has changed."""
    folder = workers[0].folder
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    digests = dict(_digests(folder, tests))
    reach = Reach()
    missing = [name for name, digest in digests.items() if kept.get(name, {}).get("digest") != digest]
    # The largest file is seldom the slowest, but what was slow before still is.
    missing.sort(key=lambda name: -sum(kept.get(name, {}).get("seconds", {"": 1.0}).values()))
    if missing:
        print(f"{len(missing)} of {len(digests)} files of tests are run with probes", flush=True)
        with _probes_in(workers):
            for name, found in each_by(workers, missing, _measure):
                kept[name] = {"digest": digests[name], **found}
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps(kept))
    for name in digests:
        found = kept[name]
        reach.left_out.update(found["skipped"])
        reach.seconds.update(found["seconds"])
        for place, those in found["tests"].items():
            reach.tests[place].update(those)
    return reach


def _digests(folder: Path, tests: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Of each file of tests, with all that it stands on."""
    found: set[Path] = set()
    for name in tests:
        found.update([folder / name] if name.endswith(".py") else (folder / name).rglob("test_*.py"))
    below = hashlib.sha256((folder / "pyproject.toml").read_bytes())
    for file in sorted([*(folder / PACKAGE).rglob("*.py"), *(folder / "tests").rglob("*.py")]):
        if not file.name.startswith("test_") and "mutation" not in file.parts:
            below.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    for file in sorted(found):
        yield str(file.relative_to(folder)), hashlib.sha256(below.digest() + file.read_bytes()).hexdigest()


def _measure(worker: Worker, name: str) -> tuple[str, dict[str, Any]]:
    log = worker.folder / "mutation_log.txt"
    log.write_bytes(b"")
    done = worker.do(
        "run",
        files=[name],
        seconds={},
        options=["--maxfail=0"],
        environment={"MUTATION_LOG": str(log)},
        limit=SECONDS_OF_A_FILE,
    )
    if done.get("timed_out") or not done["durations"]:
        raise SystemExit(f"{name} cannot be run: {done.get('told') or done}")
    tests: dict[str, list[str]] = defaultdict(list)
    for line in log.read_text(errors="replace").splitlines():
        place, _, test = line.partition("\t")
        tests[place].append(test)
    return name, {"tests": tests, "seconds": done["durations"], "skipped": done["skipped"]}


@contextlib.contextmanager
def _probes_in(workers: Sequence[Worker]) -> Iterator[None]:
    """The copies have probes in their code meanwhile."""
    before = {
        file: (file.read_bytes(), file.stat()) for worker in workers for file in (worker.folder / PACKAGE).rglob("*.py")
    }
    try:
        for file, (source, _) in before.items():
            room = str(Path(*file.parts[file.parts.index(PACKAGE) + 1 :]).with_suffix(""))
            file.write_bytes(with_probes(room, source))
        yield
    finally:
        for file, (source, stat) in before.items():
            file.write_bytes(source)
            os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
