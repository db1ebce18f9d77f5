"""The `scope` command as a process of its own, and a platform for it to talk to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
from counted_processes import counting
from faults.forked import Forking, forking_commands

from scope_client.local import LocalPlatform

ROOT = Path(__file__).resolve().parents[2]
MODULE = ("-m", "scope_client.cli")
# A process in the background may have been told to ignore Ctrl-C, and its children inherit that.
INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
SECRETS = ("SCOPE_API_SECRET", "SCOPE_CLIENT_SECRET")


def is_ours(variable: str) -> bool:
    return variable.startswith("SCOPE_")


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not is_ours(name)}
    return {**inherited, **counting(), "PYTHONPATH": str(ROOT), **variables}


def run_after(first: str) -> tuple[str, str]:
    """How Python is told to run the command after this line of code."""
    return "-c", f"{first}\nimport sys\nfrom scope_client.cli import main\nsys.exit(main())"


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line that a command which failed has written."""
        assert self.out == ""
        assert self.err.startswith("scope: ")
        assert self.err.endswith("\n")
        assert len(self.err.splitlines()) == 1, self.err
        return self.err.rstrip("\n")


class Command:
    """Runs `scope` against one platform, and watches that no secret is printed."""

    def __init__(self, ready: Forking, folder: Path, variables: dict[str, str]) -> None:
        self._ready = ready
        self.folder = folder
        self.variables = variables

    def __call__(
        self,
        *arguments: str,
        how: tuple[str, ...] = MODULE,
        stdout: int = subprocess.PIPE,
        stdin: bytes | None = b"",
        **more: str,
    ):
        variables = {**self.variables, **more}
        if (how, stdout) == (MODULE, subprocess.PIPE) and stdin is not None and all(map(is_ours, more)):
            done = self._ready.run(
                *(MODULE[1], *arguments), env=environment(**variables), cwd=self.folder, stdin=stdin, timeout=30
            )
        else:
            done = subprocess.run(
                [sys.executable, *how, *arguments],
                input=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                env=environment(**variables),
                cwd=self.folder,
                timeout=30,
            )
        outcome = Outcome(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())
        assert "Traceback" not in outcome.err
        assert not [name for name in SECRETS if variables.get(name) and variables[name] in outcome.out + outcome.err]
        return outcome


class Serving:
    """A `scope serve` that runs, and is killed where it neither speaks nor ends within 20 seconds."""

    def __init__(
        self, folder: Path, *options: str, first: str = "", within: tuple[str, ...] = (), **variables: str
    ) -> None:
        how = run_after(f"{INTERRUPTIBLE}\n{first}")
        self.process = subprocess.Popen(
            [*within, sys.executable, *how, "serve", str(folder), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**variables),
        )
        self.watchdog = threading.Timer(20, self.process.kill)
        self.watchdog.start()

    def read_until(self, wanted: str) -> list[str]:
        lines = []
        for line in iter(self.process.stdout.readline, ""):
            lines.append(line.rstrip("\n"))
            if wanted in line:
                return lines
        raise AssertionError(f"{wanted!r} never came: {lines} {self.process.stderr.read()}")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def interrupt(self) -> Outcome:
        return self.end(signal.SIGINT)

    def terminate(self) -> Outcome:
        return self.end(signal.SIGTERM)

    def end(self, number: int) -> Outcome:
        """How it ends by this signal, which goes to the process that `within` started, if there is one."""
        inner = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        os.kill(int(inner[0]) if inner else self.process.pid, number)
        return self.rest()

    def rest(self) -> Outcome:
        out, err = self.process.stdout.read(), self.process.stderr.read()
        return Outcome(self.process.wait(20), out, err)

    def close(self) -> None:
        self.watchdog.cancel()
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def platform():
    with LocalPlatform() as platform:
        platform.publish("greeting", "Good {{time_of_day}}, {{name}}!", metadata={"model": "gpt-4", "note": "größer"})
        platform.draft("greeting", "Hi {{name}}")
        platform.publish(
            "support-chat",
            [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{question}}"}],
        )
        platform.draft("newsletter", "News of {{month}}")
        yield platform


@pytest.fixture(scope="session")
def ready():
    with forking_commands() as ready:
        yield ready


@pytest.fixture
def scope(ready, platform, tmp_path):
    return Command(ready, tmp_path, platform.environ)


@pytest.fixture
def after():
    return run_after


@pytest.fixture
def serve():
    started = []

    def serve(folder: Path, *options: str, **more: str) -> Serving:
        started.append(Serving(folder, *options, **more))
        return started[-1]

    yield serve
    for each in started:
        each.close()
