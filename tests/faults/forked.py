"""Programs that start at once: each is a child of a process that has imported already what they need."""

from __future__ import annotations

import contextlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from counted_processes import counting

from scope_client import cli

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PARENT = Path(__file__).with_name("forks.py")
ROOT = PARENT.parents[2]
COUNTERS = ("coverage", "coverage.python", "coverage.sqldata", "coverage.sysmon", "coverage.tomlconfig")


class Forking:
    """A process that has imported these modules, and forks for each program."""

    def __init__(self, *imports: str, **environment: str) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, str(PARENT), *imports, *(COUNTERS if counting() else ())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            start_new_session=True,  # so that it can be killed with its child
        )

    def run(
        self, what: str, *arguments: str, env: Mapping[str, str], cwd: Path, stdin: bytes = b"", timeout: float = 30
    ) -> subprocess.CompletedProcess[bytes]:
        """What `python -m MODULE` or `python FILE.py` does, but for variables that Python reads when it starts."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        command = [what, *arguments]
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
            for file, octets in zip(files, (stdin, b"", b"")):
                file.write_bytes(octets)
            program = {"command": command, "env": dict(env), "cwd": str(cwd), "files": [str(file) for file in files]}
            self._parent.stdin.write(json.dumps(program).encode() + b"\n")
            self._parent.stdin.flush()
            watchdog = threading.Timer(timeout, self.close)
            watchdog.start()
            code = self._parent.stdout.readline()
            watchdog.cancel()
            assert code, f"{command} took more than {timeout} seconds, or its parent has ended"
            return subprocess.CompletedProcess(command, int(code), files[1].read_bytes(), files[2].read_bytes())

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._parent.pid, signal.SIGKILL)
        self._parent.communicate()


@contextlib.contextmanager
def forking(*imports: str, **environment: str) -> Iterator[Forking]:
    """Ends with the block."""
    started = Forking(*imports, **environment)
    try:
        yield started
    finally:
        started.close()


def as_text(done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@contextlib.contextmanager
def forking_commands() -> Iterator[Forking]:
    """Has `python -m scope_client.cli` and what it needs imported; but nothing of ours if lines are counted."""
    rooms = {room.name for room in pkgutil.iter_modules(cli.__path__, "scope_client.cli.")}
    ours = () if counting() else (*rooms - {"scope_client.cli.__main__"}, "scope_client.local")
    with forking("requests", "flask", "jwt", "yaml", *ours) as started:
        yield started
