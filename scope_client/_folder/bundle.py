"""Bundle: the prompts of a folder, which stand in while the platform cannot answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._clock import Clock
from .._fork import renew_in_children
from .._log import Log
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import CacheKey, PromptRef
from ..errors import ScopeError
from .reader import StrPath, read_prompt_dir, signature
from .record import is_prompt_id, prompt_id

if TYPE_CHECKING:
    from .record import VersionRecord

_log = Log("scope_client.folder")
FOLDER_LOOK_SECONDS = 1.0


class Bundle:
    """A prompt folder, read when this is made, and again when it has changed; at most one look a second.

    Raises ConfigurationError for a folder that cannot be used, and names each broken file. If a file breaks later, a
    warning is logged, and what was read before stays in use.
    """

    def __init__(self, folder: StrPath, clock: Clock) -> None:
        self._folder = os.path.abspath(folder)
        self._clock = clock
        self._signature = signature(self._folder)
        self._contents = _Contents(read_prompt_dir(self._folder))
        self._looked_at = clock.now()
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def find(self, ref: PromptRef) -> PromptVersion | None:
        """What a platform with these prompts would give for this ref; None if the folder has nothing for it."""
        now = self._clock.now()
        if now >= self._looked_at + FOLDER_LOOK_SECONDS and self._lock.acquire(blocking=False):  # one looks, none waits
            try:
                self._looked_at = now
                self._look()
            finally:
                self._lock.release()
        return self._contents.find(ref)

    def _look(self) -> None:
        seen = signature(self._folder)
        if seen == self._signature:
            return
        self._signature = seen
        try:
            self._contents = _Contents(read_prompt_dir(self._folder))
        except ScopeError as error:
            _log.warning("%s; what was read before stays in use", error.message)


class _Contents:
    """One reading of a folder; a version is parsed when it is first asked for."""

    def __init__(self, prompts: Mapping[str, tuple[VersionRecord, ...]]) -> None:
        self._records: dict[CacheKey, VersionRecord] = {}
        self._names = {prompt_id(name): name for name in prompts}
        self._parsed: dict[CacheKey, PromptVersion] = {}
        for name, versions in prompts.items():
            self._records[name, "latest", None] = versions[-1]
            for version in versions:
                self._records[name, None, version.id] = version
                if version.status == "published":
                    self._records[name] = version

    def find(self, ref: PromptRef) -> PromptVersion | None:
        name = ref.name
        if is_prompt_id(name):
            name = self._names.get(f"prompt_{name[len('prompt_') :].upper()}", name)
        key = PromptRef(name, ref.label, ref.version).key
        record = self._records.get(key)
        if record is None:
            return None
        if key not in self._parsed:
            body = {"id": record.id, "version_number": record.number, **record.to_body()}
            self._parsed[key] = PromptVersion(body, is_fallback=True)
        return self._parsed[key]
