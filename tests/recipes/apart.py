"""An environment apart, for libraries that hold back what the other tests have in newer versions."""

from __future__ import annotations

import sysconfig
from typing import TYPE_CHECKING

from faults.environments import make_environment
from faults.once import made_once
from manual import pages

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

GROUP = "apart"


def make(folder: Path) -> None:
    """Only what differs is installed: the rest is that of the environment of the tests, which comes after its own."""
    make_environment(folder, "--group", GROUP, beside=sysconfig.get_path("purelib"), root=pages.ROOT)


def python(folder: Path) -> Path:
    return folder / "bin" / "python"


def made(folders: pytest.TempPathFactory) -> Path:
    """The Python of the one environment of the suite."""
    return python(made_once(folders, "apart", make))
