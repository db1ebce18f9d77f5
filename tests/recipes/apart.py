"""An environment apart, for libraries that hold back what the other tests have in newer versions."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from typing import TYPE_CHECKING

from faults.once import made_once
from manual import pages

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

GROUP = "apart"


def make(folder: Path) -> None:
    """Only what differs is installed: the rest is that of the environment of the tests, which comes after its own."""
    venv.create(folder, with_pip=False)
    here = sysconfig.get_path("purelib")
    there = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    with open(f"{there}/beside.pth", "w") as beside:
        beside.write(f"{here}\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python(folder)), "install", "--no-compile", "--prefer-binary"]
    done = subprocess.run(
        [*pip, "--quiet", "--group", GROUP], cwd=pages.ROOT, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr


def python(folder: Path) -> Path:
    return folder / "bin" / "python"


def made(folders: pytest.TempPathFactory) -> Path:
    """The Python of the one environment of the suite."""
    return python(made_once(folders, "apart", make))
