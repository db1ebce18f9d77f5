"""What is made once: the wheel, the manual, and a browser for the tests of a module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faults.built_pages import BUILD_SECONDS
from faults.commands import run
from faults.environments import make_environment
from faults.once import made_once
from faults.sites import browser_page

from .checkers import PACKAGES, remember_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def build(folder: Path) -> None:
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))

    return next(made_once(tmp_path_factory, "wheel", build).glob("*.whl"))


@pytest.fixture(scope="session")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an environment with the wheel, the type checkers, and the clients of models."""

    def install(folder: Path) -> None:
        make_environment(folder, str(wheel), *PACKAGES)
        remember_types(folder)

    return made_once(tmp_path_factory, "typed", install) / "bin"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built manual."""

    def build(folder: Path) -> None:
        # As `make docs` does it.
        words = ["-W", "--keep-going", "-n", "-q", "-b", "html", "-d", str(folder / "doctrees")]
        done = subprocess.run(
            [sys.executable, "-m", "sphinx", *words, str(ROOT / "docs"), str(folder / "html")],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=BUILD_SECONDS,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")

    return made_once(tmp_path_factory, "manual", build) / "html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browser_page() as page:
        assert page.context.browser is not None
        yield page.context.browser
