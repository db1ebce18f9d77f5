"""The command `scope doctor` as a process, over an environment that says nothing of this machine."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from faults.forked import Forking, as_text, forking_commands
from faults.server import FaultServer

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ("_PROXY", "_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
SECRETS = ("SCOPE_API_SECRET", "SCOPE_CLIENT_SECRET")


class Diagnosis(NamedTuple):
    """What the command said, as data and as text."""

    code: int
    checks: tuple[dict[str, Any], ...]
    out: str
    err: str

    def of(self, name: str) -> dict[str, Any]:
        """The check whose name begins so; the first that is not ok, if there are several."""
        exact = [check for check in self.checks if check["name"] == name]
        found = exact or [check for check in self.checks if check["name"].startswith(name)]
        assert found, f"{name}: {[check['name'] for check in self.checks]}"
        return next((check for check in found if check["outcome"] != "ok"), found[0])

    def outcome(self, name: str) -> str:
        return str(self.of(name)["outcome"])

    @property
    def failed(self) -> list[str]:
        return [check["name"] for check in self.checks if check["outcome"] == "failed"]

    @property
    def remedies(self) -> str:
        return "\n".join(check["remedy"] or "" for check in self.checks)


class Doctor:
    """Runs the command in a folder, with these variables and no others of ours."""

    def __init__(self, ready: Forking, folder: Path) -> None:
        self._ready = ready
        self.folder = folder

    def __call__(self, variables: dict[str, str], *arguments: str) -> Diagnosis:
        done = self.run(variables, *arguments, "--json")
        data = json.loads(done.stdout)
        checks = data["checks"]
        assert data["failed"] == sum(check["outcome"] == "failed" for check in checks)
        assert data["warnings"] == sum(check["outcome"] == "warning" for check in checks)
        for check in checks:
            assert set(check) == {"name", "outcome", "seconds", "detail", "remedy"}
            assert (check["remedy"] is None) == (check["outcome"] in ("ok", "skipped")), check
        return Diagnosis(done.returncode, tuple(checks), done.stdout, done.stderr)

    def run(self, variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("SCOPE_") and not name.upper().endswith(FOREIGN)
        }
        done = as_text(
            self._ready.run(
                *("scope_client.cli", "doctor", *arguments),
                env={**inherited, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables},
                cwd=self.folder,
                timeout=60,
            )
        )
        assert "Traceback" not in done.stderr, done.stderr
        said = done.stdout + done.stderr
        assert not [name for name in SECRETS if len(variables.get(name, "")) > 3 and variables[name] in said]
        return done


@pytest.fixture(scope="session")
def ready() -> Iterator[Forking]:
    with forking_commands() as started:
        yield started


@pytest.fixture
def doctor(ready: Forking, tmp_path: Path) -> Doctor:
    return Doctor(ready, tmp_path)


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello, {{name}}!"}) as started:
        yield started


@pytest.fixture
def good(platform: LocalPlatform) -> dict[str, str]:
    """The variables of a set-up in which everything works."""
    return platform.environ


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as started:
        yield started


@pytest.fixture
def tls_server() -> Iterator[FaultServer]:
    with FaultServer(tls=True) as started:
        yield started
