"""What takes long to make, and is made once for all processes of the suite."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def made_once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of the suite that `make` has filled: the first process does it, and the others wait for it."""
    root = folders.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each has a folder of its own in that of the suite
        root = root.parent
    folder, is_made = root / name, root / f"{name}-is-made"
    with open(root / f"{name}-lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_made.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            is_made.touch()
    return folder
