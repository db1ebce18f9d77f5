"""Counts lines from before the packages are imported, in each process of the suite: `pytest -p tests.counted`.

pytest-cov begins after the plugins are loaded, one of which is ours: it misses all that an import runs.
"""

from __future__ import annotations

import os
import warnings

import coverage

from tests.counted_processes import COUNTING

_counter = coverage.Coverage(data_suffix=True)
_counter.start()
os.environ[COUNTING] = "1"


def pytest_unconfigure() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", coverage.exceptions.CoverageWarning
        )  # of packages that this process did without
        _counter.stop()
        _counter.save()
