"""Fitting: the last version of a prompt for each set of variables, for callers who cannot fill in the present one."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial

from .._background import Background
from .._circuit_breaker import NEVER
from .._clock import Clock
from .._counters import Counters
from .._foreign_text import printable
from .._fork import renew_in_children
from .._log import Log
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import CacheKey, PromptRef
from .._wording import listed, shown
from ..errors import MissingVariableError
from .shared_store import SharedStore

_log = Log("scope_client.cache")
MAX_KEPT_SETS = 5
REWRITE_SECONDS = 86_400.0  # the store keeps what it was given for a fortnight
ASK_STORE_AGAIN_SECONDS = 5.0

_Versions = dict[frozenset[str], PromptVersion]


class _Kept:
    """The versions of one ref by their sets of variables, the newest last; `lacks_since` is its last vain look."""

    def __init__(self) -> None:
        self.versions: _Versions = {}
        self.written_at = self.asked_at = NEVER


class Fitting:
    """What has been read lately of each prompt by a label. With a shared store, a process that starts has it too."""

    def __init__(
        self,
        clock: Clock,
        *,
        shared: SharedStore | None,
        background: Background,
        counters: Counters,
        max_prompts: int,
    ) -> None:
        self._clock = clock
        self._shared = shared
        self._background = background
        self._counters = counters
        self._max_prompts = max_prompts
        self._by_key: dict[CacheKey, _Kept] = {}
        # By the ref: the ID of a version that callers cannot fill in, and the variables that they do not give.
        self._held_back: dict[CacheKey, tuple[str | None, tuple[str, ...]]] = {}
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def remember(self, ref: PromptRef, version: PromptVersion) -> None:
        """The present version of a ref. What is asked for by its ID is not promoted, and is not kept."""
        if ref.label is None:
            return
        names, now = frozenset(version.variables), self._clock.now()
        with self._lock:
            kept = self._kept(ref)
            former = kept.versions.pop(names, None)
            kept.versions[names] = version
            _shorten(kept.versions)
            is_due = former is None or former.id != version.id or now >= kept.written_at + REWRITE_SECONDS
            if is_due:
                kept.written_at = now
        if is_due and self._shared is not None:
            self._background.submit((Fitting, ref.key), partial(self._write, self._shared, ref))

    def chosen(self, ref: PromptRef, version: PromptVersion, given: Iterable[str]) -> PromptVersion:
        """The last version whose variables are all `given`; warns once of the present `version`, which is held back.

        Raises MissingVariableError if there is none.
        """
        names = frozenset(given)
        found = self._last(ref, names)
        if found is None:
            raise lacking(version, names)
        missing = tuple(name for name in version.variables if name not in names)
        self._tell(ref, version, found, missing)
        return found

    def asks_the_store(self, ref: PromptRef, names: frozenset[str]) -> bool:
        """Whether it takes a look into the shared store to find a version for these variables."""
        kept = self._by_key.get(ref.key)
        return self._shared is not None and (kept is None or _newest(kept.versions, names) is None)

    def held_back(self, key: CacheKey, version: PromptVersion) -> tuple[str, ...]:
        """The variables of this version that calls did not give, so that an earlier one was served; or ()."""
        version_id, missing = self._held_back.get(key, (None, ()))
        return missing if version_id == version.id else ()

    def _last(self, ref: PromptRef, names: frozenset[str]) -> PromptVersion | None:
        kept = self._by_key.get(ref.key)
        found = None if kept is None else _newest(kept.versions, names)
        if found is not None or self._shared is None:
            return found
        with self._lock:
            kept, now = self._kept(ref), self._clock.now()
            if now < kept.asked_at + ASK_STORE_AGAIN_SECONDS:
                return None
            kept.asked_at = now
        stored = self._shared.find_fitting(ref)
        with self._lock:
            kept.versions = _merged(stored, kept.versions)
            return _newest(kept.versions, names)

    def _kept(self, ref: PromptRef) -> _Kept:
        kept = self._by_key.pop(ref.key, None) or _Kept()
        self._by_key[ref.key] = kept  # the last one now, as it was used last
        while len(self._by_key) > self._max_prompts:
            del self._by_key[next(iter(self._by_key))]
        return kept

    def _write(self, shared: SharedStore, ref: PromptRef) -> None:
        stored = shared.find_fitting(ref)
        with self._lock:
            kept = self._kept(ref)
            versions = kept.versions = _merged(stored, kept.versions)
        shared.keep_fitting(ref, list(versions.values()))

    def _tell(self, ref: PromptRef, version: PromptVersion, served: PromptVersion, missing: tuple[str, ...]) -> None:
        held = version.id, missing
        is_new = self._held_back.get(ref.key) != held
        if is_new:
            if ref.key not in self._held_back and len(self._held_back) >= self._max_prompts:
                self._held_back.clear()
            self._held_back[ref.key] = held
            _log.warning(
                "the prompt %s: version %s (%s) needs %s, which the code does not give; "
                "version %s (%s) is served until the code gives it",
                shown(ref.name),
                version.version_number or "?",
                printable(version.id or "?"),
                listed(missing),
                served.version_number or "?",
                printable(served.id or "?"),
            )
        self._counters.cache_event("unfit", ref, None, old=served.id, new=version.id)


def lacking(version: PromptVersion, given: Iterable[str]) -> MissingVariableError:
    """The error of a caller who cannot give what a version needs."""
    names = frozenset(given)
    missing = [name for name in version.variables if name not in names]
    return MissingVariableError(
        f"prompt {shown(version.name)}: the code does not give {listed(missing)}, which version "
        f"{version.version_number or '?'} needs; the prompt needs {listed(version.variables)}",
        missing_variables=missing,
    )


def _newest(versions: _Versions, names: frozenset[str]) -> PromptVersion | None:
    return next((versions[needed] for needed in reversed(list(versions)) if needed <= names), None)


def _merged(stored: Iterable[PromptVersion], own: _Versions) -> _Versions:
    """Those of the store, the oldest first, and then those of this process, which are newer."""
    merged = {frozenset(version.variables): version for version in stored}
    for names, version in own.items():
        merged.pop(names, None)
        merged[names] = version
    _shorten(merged)
    return merged


def _shorten(versions: _Versions) -> None:
    while len(versions) > MAX_KEPT_SETS:
        del versions[next(iter(versions))]
