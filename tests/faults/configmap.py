"""A ConfigMap as Kubernetes mounts it: links into a folder of one revision, which an update swaps in one step.

The steps are those of `AtomicWriter.Write` of the kubelet (pkg/volume/util/atomic_writer.go).
"""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DATA = "..data"
NEW_DATA = "..data_tmp"


class ConfigMapVolume:
    """A folder that is such a mount; files by their paths."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self._revisions = itertools.count(1)
        folder.mkdir()
        self.update(files)

    def update(self, files: Mapping[str, str], between: Callable[[], object] = lambda: None) -> None:
        """Swaps the files; `between` is called after each step that a reader may see."""
        data = self.folder / DATA
        former = data.resolve() if data.is_symlink() else None
        revision = f"..2026_11_29_12_00_00.{next(self._revisions)}"
        for path, text in files.items():
            file = self.folder / revision / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            between()
        (self.folder / NEW_DATA).symlink_to(revision)
        between()
        (self.folder / NEW_DATA).replace(data)
        between()
        tops = {path.partition("/")[0] for path in files}
        for top in tops:
            if not (self.folder / top).is_symlink():
                (self.folder / top).symlink_to(f"{DATA}/{top}")
                between()
        for entry in self.folder.iterdir():
            if not entry.name.startswith("..") and entry.name not in tops:
                entry.unlink()
                between()
        if former is not None:
            shutil.rmtree(former)
            between()
