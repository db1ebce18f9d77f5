"""A user's project, whose tests run with our plugin."""

from __future__ import annotations

import os
import textwrap
import time
from pathlib import Path

import pytest
from _pytest.config import default_plugins
from counted_processes import counting
from faults.forked import forking

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("requests", "flask", "werkzeug.serving", "jwt", "yaml", "click")
"""What our plugin imports of other people."""
# Byte code is known to be old by the second and the size of its file, and a test may change it within a second.
FRESH = {"PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="session")
def ready():
    """Has pytest and other people's packages imported, and nothing of ours."""
    with forking("pytest", *(f"_pytest.{name}" for name in default_plugins), *OTHERS, **FRESH) as ready:
        yield ready


@pytest.fixture
def run(pytester, monkeypatch, ready):
    """Runs `test_it.py` in a process of its own, with our plugin and those that are named; a warning fails it."""
    quiet = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "NO_COLOR": "1"}
    for name, value in {**counting(), **quiet, **FRESH}.items():
        monkeypatch.setenv(name, value)

    def run(code: str, *arguments: str, ci: str = "", is_fresh: bool = False) -> pytest.RunResult:
        monkeypatch.setenv("CI", ci)
        (pytester.path / "test_it.py").write_text(textwrap.dedent(code), encoding="utf-8")
        options = ("-p", "scope_client.testing.plugin", "-p", "no:cacheprovider", "-W", "error", *arguments)
        if is_fresh:  # with nothing imported
            return pytester.runpytest_subprocess(*options, timeout=60)
        words = (f"--basetemp={pytester.path / 'basetemp'}", *options)
        began = time.monotonic()
        done = ready.run("pytest", *words, env=os.environ, cwd=pytester.path, timeout=60)
        out, err = done.stdout.decode(), done.stderr.decode()
        print(out, err)
        return pytest.RunResult(done.returncode, out.splitlines(), err.splitlines(), time.monotonic() - began)

    return run
