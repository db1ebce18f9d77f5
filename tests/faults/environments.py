"""Environments of their own, for what must not see the packages of the tests, or needs other ones."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

INSTALL_SECONDS = 300


def make_environment(folder: Path, *arguments: str, beside: str = "", root: Path = Path("/")) -> None:
    """Makes one, without a pip of its own, and installs into it.

    Args:
        folder: Where it is made.
        arguments: What `pip install` is told.
        beside: A folder of packages that is looked through after its own.
        root: Where pip is run.
    """
    venv.create(folder, with_pip=False)
    if beside:
        packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
        Path(packages, "beside.pth").write_text(f"{beside}\n")
    # Byte code is made of what is imported, when it is.
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--no-compile"]
    done = subprocess.run(
        [*pip, "--prefer-binary", "--quiet", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
