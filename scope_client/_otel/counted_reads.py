"""Counted reads: `ScopeClient.get_prompt_version` while OpenTelemetry is on, which counts what is fresh in memory.

The client's own method asks nobody whether somebody counts, so that without OpenTelemetry nothing is paid.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

from .._client import ScopeClient
from .._prompt.prompt_version import PromptVersion
from .marks import forget_read, reads_noted

_count = itertools.count()
_tick = _count.__next__
_plain = ScopeClient.get_prompt_version


@functools.wraps(_plain)
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
                _tick()
                if reads_noted():
                    forget_read(entry.version)
                return entry.version  # type: ignore[no-any-return]  # of an Entry
    before = reads_noted()
    found: PromptVersion = _plain(self, name, label=label, version=version, **options)
    if reads_noted() is before:  # the read has not left the fast path
        _tick()
        if before:
            forget_read(found)
    return found


def hits() -> int:
    """How many reads were answered at once from memory, since the process began."""
    return int(repr(_count)[len("count(") : -1])  # the only way to see the count and leave it


def start() -> None:
    """Puts it in the place of the client's own."""
    kind: Any = ScopeClient
    kind.get_prompt_version = get_prompt_version


def stop() -> None:
    """Puts the client's own back."""
    kind: Any = ScopeClient
    kind.get_prompt_version = _plain
