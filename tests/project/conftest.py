"""The wheel, which is built once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from faults.commands import run
from faults.once import made_once

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def build(folder: Path) -> None:
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))

    return next(made_once(tmp_path_factory, "wheel", build).glob("*.whl"))
