"""Counted reads: `ScopeClient.get_prompt_version` while OpenTelemetry is on, which counts what is fresh in memory.

The client's own method asks nobody whether somebody counts, so that without OpenTelemetry nothing is paid.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any, Callable, NamedTuple, Optional

from .._client import PLAIN_READ, ScopeClient
from .._prompt.prompt_version import PromptVersion
from .marks import forget_read, reads_noted

Read = Callable[..., PromptVersion]

_count = itertools.count()
_tick = _count.__next__


class _Counting(NamedTuple):
    plain: Read
    counted: Read
    silence: Callable[[], None]
    """Ends the counting, where the counted method cannot be taken away."""


def _counted(plain: Read) -> _Counting:
    """The method, counted. Of one that is not the client's own, each read is a call, with exactly what came."""
    tick: Callable[[], object] = _tick
    is_method = hasattr(plain, "__get__")  # a mock is none, and is called without the client

    @functools.wraps(plain)
    def call(self: Any, *arguments: Any, **options: Any) -> PromptVersion:
        before = reads_noted()
        found = plain(self, *arguments, **options) if is_method else plain(*arguments, **options)
        if reads_noted() is before:  # the read has not left the fast path
            tick()
            if before:
                forget_read(found)
        return found

    @functools.wraps(plain)
    def get_prompt_version(
        self: Any, name: str, *, label: Any = None, version: Any = None, **options: Any
    ) -> PromptVersion:
        if not options and type(name) is str:
            # The fast path of the client once more: to call that one would cost as much as it does.
            key = name if version is None and (label is None or label == "production") else (name, label, version)
            try:
                entry = self._entries.get(key)
            except TypeError:  # a label that cannot be hashed
                entry = None
            if entry is not None:
                now = self._now()
                if now < entry.due_at:
                    entry.read_at = now
                    tick()
                    if reads_noted():
                        forget_read(entry.version)
                    return entry.version  # type: ignore[no-any-return]  # of an Entry
        return call(self, name, label=label, version=version, **options)

    def silence() -> None:
        nonlocal tick
        tick = int  # which does nothing

    return _Counting(plain, get_prompt_version if plain is PLAIN_READ else call, silence)


def hits() -> int:
    """How many reads were answered at once from memory, since the process began."""
    return int(repr(_count)[len("count(") : -1])  # the only way to see the count and leave it


class CountedReads:
    """What is turned on and off."""

    def __init__(self) -> None:
        self._counting: Optional[_Counting] = None

    def start(self) -> None:
        """Puts a counted method in the place of the one that is there, which may be another tool's."""
        kind: Any = ScopeClient
        self._counting = counting = _counted(kind.get_prompt_version)
        kind.get_prompt_version = counting.counted

    def stop(self) -> None:
        """Puts that one back. If another tool has wrapped ours meanwhile, ours stays within, and counts no more."""
        counting, self._counting = self._counting, None
        if counting is None:
            return
        counting.silence()
        kind: Any = ScopeClient
        if kind.get_prompt_version is counting.counted:
            kind.get_prompt_version = counting.plain
