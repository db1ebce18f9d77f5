"""Bundle: the prompts of a folder, which stand in while the platform cannot answer."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from .._clock import Clock
from .._fork import renew_in_children
from .._log import Log
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .reader import PromptFolder, StrPath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .record import VersionRecord

_log = Log("scope_client.folder")
FOLDER_LOOK_SECONDS = 1.0


class Bundle:
    """A prompt folder, read when this is made; of a prompt that is asked for, the files that changed are read again.

    Raises ConfigurationError for a folder that cannot be used, and names each broken file. If a file breaks later, a
    warning is logged, and what was read before of its prompt stays in use.
    """

    def __init__(self, folder: StrPath, clock: Clock) -> None:
        # An absolute path, so that the program may change its working directory.
        self._folder = PromptFolder(
            os.path.abspath(folder), _warn, look_seconds=FOLDER_LOOK_SECONDS, now=lambda: clock.now()
        )
        self._parsed: dict[tuple[str, int], tuple[VersionRecord, PromptVersion]] = {}
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def find(self, ref: PromptRef) -> PromptVersion | None:
        """What a platform with these prompts would give for this ref; None if the folder has nothing for it."""
        if self._lock.acquire(blocking=False):  # one looks, none waits
            try:
                self._folder.look(ref.name)
            finally:
                self._lock.release()
        record = _chosen(self._folder.versions(ref.name), ref)
        return None if record is None else self._version(record)

    def _version(self, record: VersionRecord) -> PromptVersion:
        key = record.prompt, record.number
        found, version = self._parsed.get(key, (None, None))
        if version is None or found is not record:
            body = {"id": record.id, "version_number": record.number, **record.to_body()}
            version = PromptVersion(body, is_fallback=True)
            self._parsed[key] = record, version
        return version


def _warn(flaws: str) -> None:
    _log.warning("%s; what was read before stays in use", "; ".join(map(str.strip, flaws.splitlines())))


def _chosen(versions: Iterable[VersionRecord], ref: PromptRef) -> VersionRecord | None:
    fitting = [version for version in versions if _fits(version, ref)]
    return fitting[-1] if fitting else None


def _fits(version: VersionRecord, ref: PromptRef) -> bool:
    if ref.label is None:
        return version.id == ref.version
    return ref.label == "latest" or version.status == "published"
