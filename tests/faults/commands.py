"""Commands that a test runs to their end."""

from __future__ import annotations

import os
import subprocess


def run(*command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Fails if the command does, unless `check` is False."""
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, cwd="/", timeout=300
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done
