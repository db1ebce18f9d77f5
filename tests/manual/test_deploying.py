"""docs/operations/deploying.md, with a real gunicorn and a real Redis."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from faults.clock import eventually
from faults.reading import reads
from manual import pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from faults.redisserver import RedisServer

    from scope_client.local import LocalPlatform

PAGE = "operations/deploying.md"
GREETING = "Good morning, Ada!"
PATIENCE = 30.0
WORKERS = 2
HOOK = """

def post_worker_init(worker):
    worker.log.info("this worker is ready")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pages.write_prompts(PAGE, tmp_path)
    pages.write_files(PAGE, tmp_path)
    app = tmp_path / "app.py"
    patient = re.sub(r"deadline=\d+", "deadline=30", app.read_text())  # a machine of tests may be a slow one
    app.write_text(re.sub(r"SCOPE_DEADLINE=\d+", "SCOPE_DEADLINE=30, SCOPE_MAX_RETRIES=0", patient))
    with (tmp_path / "gunicorn.conf.py").open("a") as configured:
        configured.write(HOOK)
    return tmp_path


class Fleet:
    """gunicorn, as the page starts it, but for its port."""

    def __init__(self, folder: Path, environ: dict[str, str], *arguments: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", *arguments]
        self._log = open(folder / "log", "w")  # noqa: SIM115  # it lives as long as the process
        self._process = subprocess.Popen(
            command, cwd=folder, env=pages.environment(environ), stdout=self._log, stderr=self._log
        )
        self.log = folder / "log"
        eventually(self._is_up, PATIENCE)
        eventually(self.all_are_ready, PATIENCE)

    def get(self, path: str = "/") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
            return answer.read().decode()

    def all_are_ready(self) -> bool:
        return self.log.read_text().count("this worker is ready") == WORKERS

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)
        self._log.close()

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return bool(self.get("/scope/health"))
        time.sleep(0.05)
        return False


@contextlib.contextmanager
def fleet(folder: Path, environ: dict[str, str], *arguments: str) -> Iterator[Fleet]:
    started = Fleet(folder, environ, *arguments)
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def environ(platform: LocalPlatform, redis_server: RedisServer) -> dict[str, str]:
    return {**platform.environ, "REDIS_URL": redis_server.url}


def logins(platform: LocalPlatform) -> int:
    return sum(request.method == "POST" for request in platform.requests)


def test_a_running_fleet_goes_on_without_the_platform(folder, platform, environ):
    with fleet(folder, environ) as running:
        assert (reads(platform), logins(platform)) == (2, 1)
        assert {running.get() for _ in range(20)} == {GREETING}
        platform.stop()
        assert {running.get() for _ in range(5)} == {GREETING}
        assert '"ok":true' in running.get("/scope/health")
        assert (reads(platform), logins(platform)) == (2, 1)


def test_a_process_that_starts_while_the_platform_is_down_has_its_prompts_from_redis_or_from_the_folder(
    folder, platform, environ, redis_server
):
    configured = folder / "gunicorn.conf.py"
    configured.write_text(configured.read_text().replace("preload_app = True\n", ""))
    (folder / "prompts" / "greeting.md").write_text("Good {{time_of_day}}, {{name}}, says the folder.")
    platform.publish("greeting", "Good {{time_of_day}}, {{name}}!")
    with fleet(folder, environ) as running:
        assert {running.get() for _ in range(20)} == {GREETING}
        assert reads(platform) == 2  # two workers, two prompts: one fetch for both
    platform.stop()
    with fleet(folder, environ) as running:
        assert running.get() == GREETING
    redis_server.empty()
    with fleet(folder, environ) as running:
        assert running.get() == "Good morning, Ada, says the folder."
    assert "WARNING scope_client.outage the platform is down" in (folder / "log").read_text()


@pytest.mark.parametrize("is_preloaded", [True, False])
def test_without_redis_each_process_asks_for_itself_unless_it_inherits(folder, platform, environ, is_preloaded):
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"redis://127.0.0.1:{free.getsockname()[1]}/0"
    if not is_preloaded:
        configured = folder / "gunicorn.conf.py"
        configured.write_text(configured.read_text().replace("preload_app = True\n", ""))
    processes = 1 if is_preloaded else WORKERS
    with fleet(folder, {**environ, "REDIS_URL": nobody}) as running:
        assert {running.get() for _ in range(20)} == {GREETING}
        assert (reads(platform), logins(platform)) == (2 * processes, processes)
        assert "the shared cache fails" in running.log.read_text()


def test_the_dockerfile_copies_what_the_page_has(folder):
    (dockerfile,) = pages.blocks(PAGE, "dockerfile")
    lines = [line.split()[1:-1] for line in dockerfile.text.splitlines() if line.startswith("COPY")]
    copied = {word for line in lines for word in line} - {"requirements.txt"}
    assert copied == {"prompts", "app.py", "gunicorn.conf.py"}
    assert copied <= set(os.listdir(folder))
