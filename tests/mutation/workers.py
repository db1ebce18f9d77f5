"""Copies of the project, and a worker in each."""

from __future__ import annotations

import compileall
import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from .reach import PROBE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
COMPILED = ("scope_client", "scope_django", "scope_flask", "scope_langchain", "tests/faults")
SECONDS_TO_IMPORT = 300


class Worker:
    """A process in a copy of the project; see worker.py."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(folder / "tests" / "mutation" / "worker.py")],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, what: str, *, environment: dict[str, str] | None = None, compiles: bool = False, **job: Any) -> Any:
        given = {**(environment or {}), **({} if compiles else {"PYTHONDONTWRITEBYTECODE": "1"})}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"do": what, "environment": given, **job}), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()


@contextlib.contextmanager
def at_work(count: int, tests: Sequence[str]) -> Iterator[list[Worker]]:
    """So many workers that have imported what these tests import."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as name, contextlib.ExitStack() as opened:
        folders = [Path(name, str(number)) for number in range(count)]
        _copy_project(folders[0])
        for folder in folders[1:]:
            shutil.copytree(folders[0], folder, symlinks=True)
        workers = [Worker(folder) for folder in folders]
        for worker in workers:
            opened.callback(worker.close)

        def prepare(worker: Worker) -> None:
            for package in COMPILED:
                compileall.compile_dir(worker.folder / package, quiet=1)
            found = worker.do("names", compiles=True, files=list(tests), limit=SECONDS_TO_IMPORT)
            if "modules" not in found:
                raise SystemExit(f"the tests cannot be imported: {found}")
            worker.do("import", modules=found["modules"])

        with ThreadPoolExecutor(count) as threads:
            list(threads.map(prepare, workers))
        yield workers


def _copy_project(folder: Path) -> None:
    """What git knows and what is new, as it is in the working tree."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "mutation_probe.py").write_text(PROBE)


def each_by(workers: Sequence[Worker], jobs: Iterable[Any], do: Callable[[Worker, Any], Any]) -> Iterator[Any]:
    """What `do` makes of each job, as soon as it is done; a job goes to the first worker that is free."""
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    count = 0
    for job in jobs:
        waiting.put(job)
        count += 1

    def work(worker: Worker) -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((do(worker, job), None))
            except BaseException as error:
                done.put((None, error))
                return

    for worker in workers:
        threading.Thread(target=work, args=(worker,), daemon=True).start()
    for _ in range(count):
        found, error = done.get()
        if error is not None:
            raise error
        yield found
