"""Has a process that a test starts count its lines too, if the suite does: `pytest -p tests.counted`."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COUNTING = "TESTS_ARE_COUNTED"


def counting() -> dict[str, str]:
    """The variables for its environment, which coverage's own start-up file reads; none if nothing is counted.

    They are not for every process: a test may look at what an import brings in.
    """
    if COUNTING not in os.environ:
        return {}
    return {"COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml"), "COVERAGE_FILE": str(ROOT / ".coverage")}
