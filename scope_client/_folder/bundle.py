"""Bundle: the prompts of a folder, which stand in while the platform cannot answer."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from .._attribute_names import FOLDER_PATH
from .._background import Background
from .._clock import SYSTEM_CLOCK, Clock
from .._fork import renew_in_children
from .._http.budget import Budget
from .._log import Log
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .reader import PromptFolder, StrPath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .record import VersionRecord

_log = Log("scope_client.folder")
FOLDER_LOOK_SECONDS = 1.0
QUICK_LOOK_SECONDS = 0.025
MIN_SHARES_OF_A_BUDGET = 10  # a caller in haste does not wait even for so little
MAX_WANTED_PROMPTS = 1000
_LOOK_AT_FOLDER = "look"


class Bundle:
    """A prompt folder, read when this is made, and after that by a thread of its own: a slow disk delays nobody.

    Of a prompt that is asked for, that thread reads the files that changed, at most once a second. The reader who has
    it look waits for a moment, so that the next read after an edit shows it; not if the disk has just been slow.

    Raises ConfigurationError for a folder that cannot be used, and names each broken file. If a file breaks later, a
    warning is logged, and what was read before of its prompt stays in use.
    """

    def __init__(self, folder: StrPath, clock: Clock) -> None:
        # An absolute path, so that the program may change its working directory.
        path = os.path.abspath(folder)
        self._folder = PromptFolder(
            path,
            partial(_warn, path),
            note=partial(_note, path),
            look_seconds=FOLDER_LOOK_SECONDS,
            now=lambda: clock.now(),
        )
        self._parsed: dict[tuple[str, int], tuple[VersionRecord, PromptVersion]] = {}
        self._background = Background()
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._wanted: dict[str, None] = {}
        self._is_quick = True

    def find(self, ref: PromptRef, budget: Budget) -> PromptVersion | None:
        """What a platform with these prompts would give for this ref; None if the folder has nothing for it."""
        if self._folder.is_due(ref.name):
            self._have_it_looked_at(ref.name, budget)
        record = _chosen(self._folder.versions(ref.name), ref)
        return None if record is None else self._version(record)

    def _have_it_looked_at(self, name: str, budget: Budget) -> None:
        if len(self._wanted) < MAX_WANTED_PROMPTS:
            self._wanted[name] = None
        if _LOOK_AT_FOLDER in self._background.by_key:
            return
        has_looked = threading.Event()
        is_asked = self._background.submit(_LOOK_AT_FOLDER, partial(self._look, has_looked))
        if is_asked and self._is_quick and budget.affords(QUICK_LOOK_SECONDS * MIN_SHARES_OF_A_BUDGET):
            self._is_quick = has_looked.wait(QUICK_LOOK_SECONDS)

    def _look(self, has_looked: threading.Event) -> None:
        began = SYSTEM_CLOCK.now()
        try:
            while self._wanted:
                self._folder.look(self._wanted.popitem()[0])
        finally:
            self._is_quick = SYSTEM_CLOCK.now() - began < QUICK_LOOK_SECONDS
            has_looked.set()

    def _version(self, record: VersionRecord) -> PromptVersion:
        key = record.prompt, record.number
        found, version = self._parsed.get(key, (None, None))
        if version is None or found is not record:
            version = PromptVersion(record.to_body(), is_fallback=True)
            self._parsed[key] = record, version
        return version


def _warn(folder: str, flaws: str) -> None:
    head, *each = map(str.strip, flaws.splitlines())
    said = " ".join([head, "; ".join(each)]).strip()
    _log.warning("%s; what was read before stays in use", said, facts={FOLDER_PATH: folder})


def _note(folder: str, links: str) -> None:
    _log.warning("%s", links, facts={FOLDER_PATH: folder})


def _chosen(versions: Iterable[VersionRecord], ref: PromptRef) -> VersionRecord | None:
    fitting = [version for version in versions if _fits(version, ref)]
    return fitting[-1] if fitting else None


def _fits(version: VersionRecord, ref: PromptRef) -> bool:
    if ref.label is None:
        return version.id == ref.version
    return ref.label == "latest" or version.status == "published"
