"""What the page on Celery says is true: a worker with two processes runs its tasks, and its tests pass."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from manual import pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "integrations/celery.md"
# A broker and a result backend that need no server.
CELERYCONFIG = """
broker_url = "filesystem://"
broker_transport_options = {"data_folder_in": "queue", "data_folder_out": "queue"}
result_backend = "file://results"
"""
MORE_TASKS = """

@app.task
def read(name):
    return scope_client.client().get_prompt_version(name).content
"""
ASK = """
import scope_client
from tasks import greet, read
for asked in [greet.delay(f"Ada {number}") for number in range(6)]:
    print(asked.get(timeout=50))
try:
    read.delay("no-such-prompt").get(timeout=50)
except scope_client.NotFoundError as error:
    print(type(error).__name__)
"""
ASK_WHAT_TAKES_TOO_LONG = """
from tasks import greet_in_time
print(greet_in_time.delay("Ada").get(timeout=50))
"""


@pytest.fixture
def project(folder: Path) -> Path:
    pages.write_files(PAGE, folder)
    (folder / "celeryconfig.py").write_text(CELERYCONFIG)
    for name in ("queue", "results"):
        (folder / name).mkdir()
    return folder


@contextlib.contextmanager
def worker(project: Path, **given: str) -> Iterator[None]:
    """A worker of two processes, until it is told to end."""
    words = ["-m", "celery", "-A", "tasks", "worker", "--concurrency", "2", "--without-gossip", "--without-mingle"]
    environ = pages.environment({"PYTHONPATH": f"{project}{os.pathsep}{pages.ROOT}", **given})
    with open(project / "log", "w") as log:
        process = subprocess.Popen([sys.executable, *words], cwd=project, env=environ, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def test_its_tasks_run_in_a_worker_whose_processes_inherit_what_was_read(project, platform):
    with open(project / "tasks.py", "a") as tasks:
        tasks.write(MORE_TASKS)
    with worker(project, **platform.environ):
        asked = pages.python(["-c", ASK], project)
        statuses = [request.status for request in platform.requests]
        platform.latency = 60
        too_long = pages.python(["-c", ASK_WHAT_TAKES_TOO_LONG], project)
    log = (project / "log").read_text()
    greetings = [f"Good morning, Ada {number}!" for number in range(6)]
    assert asked.stdout.splitlines() == [*greetings, "NotFoundError"], asked.stderr + log
    assert statuses == [200, 200, 404], log  # a token and a version for all, before the fork
    assert too_long.stdout == "Good day, Ada!\n", too_long.stderr + log


def test_its_tests_pass(project):
    done = pages.run_tests(project)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr
