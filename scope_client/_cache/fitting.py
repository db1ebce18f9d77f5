"""Fitting: the last version of a prompt for each set of variables, for callers who cannot fill in the present one."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from .._attribute_names import ID_OF_VERSION, PROMPT_NAME, SERVED_VERSION_ID, VARIABLES
from .._background import Background
from .._circuit_breaker import NEVER
from .._clock import Clock
from .._counters import Counters
from .._foreign_text import printable
from .._fork import renew_in_children
from .._log import Log
from .._prompt.locked_reads import LockedReads
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import CacheKey, PromptRef
from .._wording import listed, shown
from ..errors import MissingVariableError

if TYPE_CHECKING:
    from .shared_store import SharedStore

_log = Log("scope_client.cache")
MAX_KEPT_SETS = 5
REWRITE_SECONDS = 86_400.0  # the store keeps what it was given for a fortnight
ASK_STORE_AGAIN_SECONDS = 5.0

# A version by its variables, and the seconds since 1970 at which it was the present one.
_Versions = dict[frozenset[str], tuple[PromptVersion, float]]


class _Kept:
    """The versions of one ref, and when its store was last written and last asked, in seconds of the clock."""

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
        lock: LockedReads | None = None,
    ) -> None:
        self._clock = clock
        self._shared = shared
        self._background = background
        self._counters = counters
        self._max_prompts = max_prompts
        self._locked_reads = lock
        self._by_key: dict[CacheKey, _Kept] = {}
        # By the ref: the ID of a version that callers cannot fill in, and the variables that they do not give.
        self._held_back: dict[CacheKey, tuple[str | None, frozenset[str]]] = {}
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def remember(self, ref: PromptRef, version: PromptVersion) -> None:
        """The present version of a ref. What is locked, or asked for by its ID, is not promoted, and is not kept."""
        if ref.label is None or self._is_locked(ref):
            return
        names = frozenset(version.variables)
        with self._lock:
            kept = self._kept(ref)
            former = kept.versions.get(names)
            kept.versions[names] = version, self._clock.wall()
            _shorten(kept.versions)
            is_new = former is None or former[0].id != version.id
            is_due = is_new or self._clock.now() >= kept.written_at + REWRITE_SECONDS
        if is_due and self._shared is not None:
            write = partial(self._write, self._shared, ref)
            # A process may end with its first read, and the next one is to know. Unless it would have to wait.
            if self._shared.is_slow or not is_new:
                self._background.submit((Fitting, ref.key), write)
            else:
                write()

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

    def asks_the_store(self, ref: PromptRef) -> bool:
        """Whether the next choice of a version looks into the shared store."""
        if self._is_locked(ref):
            return False
        kept = self._by_key.get(ref.key)
        is_due = kept is None or self._clock.now() >= kept.asked_at + ASK_STORE_AGAIN_SECONDS
        return self._shared is not None and is_due

    def held_back(self, key: CacheKey, version: PromptVersion) -> tuple[str, ...]:
        """The variables of this version that calls did not give, so that an earlier one was served; or ()."""
        version_id, missing = self._held_back.get(key, (None, frozenset()))
        return tuple([name for name in version.variables if name in missing]) if version_id == version.id else ()

    def _is_locked(self, ref: PromptRef) -> bool:
        """Whether no other version may be served."""
        return self._locked_reads is not None and self._locked_reads.has(ref)

    def _last(self, ref: PromptRef, names: frozenset[str]) -> PromptVersion | None:
        is_due = self.asks_the_store(ref)
        with self._lock:
            kept = self._kept(ref)
        if is_due and self._shared is not None:  # another process may have read a newer one
            kept.asked_at = self._clock.now()  # before the look: those who come meanwhile go on with what is known
            stored = self._shared.find_fitting(ref)
            with self._lock:
                kept.versions = _merged(stored, kept.versions)
        with self._lock:
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
        is_kept = shared.keep_fitting(ref, list(versions.values()))
        kept.written_at = self._clock.now() if is_kept else NEVER

    def _is_news(self, key: CacheKey, version: PromptVersion, missing: tuple[str, ...]) -> bool:
        """Whether nobody was told yet that these variables of this version are missing; notes it."""
        with self._lock:
            version_id, known = self._held_back.get(key, (None, frozenset()))
            known = known if version_id == version.id else frozenset()
            if key not in self._held_back and len(self._held_back) >= self._max_prompts:
                self._held_back.clear()
            self._held_back[key] = version.id, known.union(missing)
            return not known.issuperset(missing)

    def _tell(self, ref: PromptRef, version: PromptVersion, served: PromptVersion, missing: tuple[str, ...]) -> None:
        if self._is_news(ref.key, version, missing):
            _log.warning(
                "the prompt %s: version %s (%s) needs %s, which the code does not give; "
                "version %s (%s) is served until the code gives it",
                shown(ref.name),
                version.version_number or "?",
                printable(version.id or "?"),
                listed(missing),
                served.version_number or "?",
                printable(served.id or "?"),
                facts={
                    PROMPT_NAME: ref.name,
                    ID_OF_VERSION: version.id,
                    SERVED_VERSION_ID: served.id,
                    VARIABLES: missing,
                },
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
    fitting = [kept for needed, kept in versions.items() if needed <= names]
    return max(fitting, key=_at)[0] if fitting else None


def _merged(stored: Iterable[tuple[PromptVersion, float]], own: _Versions) -> _Versions:
    """Of each set of variables the version that was the present one last."""
    merged = dict(own)
    for version, at in stored:
        names = frozenset(version.variables)
        if names not in merged or merged[names][1] < at:
            merged[names] = version, at
    _shorten(merged)
    return merged


def _at(kept: tuple[PromptVersion, float]) -> float:
    return kept[1]


def _shorten(versions: _Versions) -> None:
    while len(versions) > MAX_KEPT_SETS:
        del versions[min(versions, key=lambda names: versions[names][1])]
