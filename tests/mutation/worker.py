"""A process that has imported what the tests import, and forks a child for each run of theirs.

Reads one job a line, as JSON, and answers each with a line. Started in a copy of the project.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import mmap
import os
import signal
import struct
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = [
    *("-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "--hypothesis-profile=ci"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # the plugins have been imported before pytest starts
]
HERE = os.getcwd()  # the copy
LEAST_SECONDS_OF_A_TEST = 5.0
TIMES_AS_LONG = 10
SECONDS_TO_FAIL = 5.0  # after its time: a test that hangs in a hook before a fork cannot be told to stop
SECONDS_TO_START = 60.0


def file_of(test: str) -> str:
    return test.partition("::")[0]


class Deadline:
    """When a child has to have got further; it moves it on, and its parent looks at it."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, struct.calcsize("d"))
        self.is_in(SECONDS_TO_START)

    def is_in(self, seconds: float) -> None:
        self._shared[:] = struct.pack("d", time.monotonic() + seconds)

    def is_over(self) -> bool:
        (at,) = struct.unpack("d", self._shared[:])
        return bool(time.monotonic() > at)


class Selected:
    """Runs the tests of `seconds`, each for at most some times as long as it took before.

    The files in the order of their first test there, and within a file as it stands: tests may build on that.
    """

    def __init__(self, seconds: dict[str, float], grace: float, deadline: Deadline) -> None:
        self._seconds = seconds
        self._grace = grace
        self._deadline = deadline
        self.durations: dict[str, float] = {}
        self.failed: list[str] = []
        self.skipped: list[str] = []
        self.told = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if not self._seconds:
            return
        files = {file: place for place, file in enumerate(dict.fromkeys(map(file_of, self._seconds)))}
        items[:] = [item for item in items if item.nodeid in self._seconds]
        items.sort(key=lambda item: files[file_of(item.nodeid)])
        for item in items:
            item.add_marker(pytest.mark.timeout(self._limit(item.nodeid)), append=False)

    def _limit(self, test: str) -> float:
        return self._grace * max(LEAST_SECONDS_OF_A_TEST, TIMES_AS_LONG * self._seconds[test])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if nodeid in self._seconds:
            self._deadline.is_in(self._limit(nodeid) + SECONDS_TO_FAIL)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.durations[report.nodeid] = self.durations.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)
            self.told = self.told or str(report.longrepr)[-2000:]
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)
            self.told = self.told or str(report.longrepr)[-2000:]


def run_tests(job: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    """Without times of the tests, as when they are measured, they are all run, and all have the time of the job."""
    if not job["seconds"]:
        deadline.is_in(job["limit"])
    selected = Selected(job["seconds"], job.get("grace", 1), deadline)
    options = [*OPTIONS, *job.get("options", [])]
    code = int(pytest.main([*options, *job["files"]], plugins=[selected]))
    return {
        "code": code,
        "failed": selected.failed,
        "skipped": selected.skipped,
        "durations": selected.durations,
        "told": selected.told,
    }


def names_of_modules(job: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    """What the tests import that is not of the project."""
    deadline.is_in(job["limit"])
    pytest.main([*OPTIONS, "--collect-only", *job["files"]])
    theirs = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name == "__main__" or name.startswith("mutation") or (file and file.startswith(HERE + os.sep)):
            continue
        if not name.startswith(("scope_", "tests", "faults", "conftest")):
            theirs.append(name)
    return {"modules": theirs}


def import_them(job: dict[str, Any]) -> dict[str, Any]:
    for name in job["modules"]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # pytest collects garbage several times at its end
    return {}


@contextlib.contextmanager
def changed(job: dict[str, Any]) -> Iterator[None]:
    """The file has another content meanwhile, and a time of its own, so that no compiled one is taken for it."""
    if "path" not in job:
        yield
        return
    path = Path(job["path"])
    before = path.read_bytes()
    times = path.stat()
    path.write_bytes(job["source"].encode())
    os.utime(path, (job["number"] * 10, job["number"] * 10))
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def in_child(job: dict[str, Any]) -> dict[str, Any]:
    """Runs the job in a process group of its own, which ends with it, whatever it has started."""
    answer, output = Path("mutation_answer.json"), Path("mutation_output.txt")
    answer.unlink(missing_ok=True)
    deadline = Deadline()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            with output.open("wb") as said, open(os.devnull, "rb") as nothing:
                os.dup2(nothing.fileno(), 0)
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
            sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in job["environment"]
            os.environ.update(job["environment"])
            found = names_of_modules(job, deadline) if job["do"] == "names" else run_tests(job, deadline)
            os.chdir(HERE)
            answer.write_text(json.dumps(found))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
    try:
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if deadline.is_over():
                return {"timed_out": True}
            time.sleep(0.005)
    finally:  # the child, if it is still there, and what it has left behind
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
    if not answer.exists():
        return {"code": -1, "told": output.read_text(errors="replace")[-2000:], "failed": [], "durations": {}}
    done: dict[str, Any] = json.loads(answer.read_text())
    if done.get("code") not in (0, None) and not done["told"]:
        done["told"] = output.read_text(errors="replace")[-2000:]
    return done


def main() -> None:
    sys.path.remove(str(Path(__file__).parent))  # a test finds there what it finds when pytest runs by itself
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of the `finally` that ends a child
    for line in sys.stdin:
        job = json.loads(line)
        if job["do"] == "import":
            done = import_them(job)
        else:
            with changed(job):
                done = in_child(job)
        print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
