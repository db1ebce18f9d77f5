"""A user's project, whose tests run with our plugin."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from counted_processes import counting

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs `test_it.py` in a process of its own, with our plugin and those that are named; a warning fails it."""
    quiet = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "NO_COLOR": "1"}
    # Byte code is known to be old by the second and the size of its file, and a test may change it within a second.
    fresh = {"PYTHONDONTWRITEBYTECODE": "1"}
    for name, value in {**counting(), **quiet, **fresh}.items():
        monkeypatch.setenv(name, value)

    def run(code: str, *arguments: str, ci: str = "") -> pytest.RunResult:
        monkeypatch.setenv("CI", ci)
        (pytester.path / "test_it.py").write_text(textwrap.dedent(code), encoding="utf-8")
        options = ("-p", "scope_client.testing.plugin", "-p", "no:cacheprovider", "-W", "error")
        return pytester.runpytest_subprocess(*options, *arguments, timeout=60)

    return run
