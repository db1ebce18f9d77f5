"""Marks: what is in use where a span starts, and how it was read."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple, Optional

from .. import _watching as watching
from .._attributes import Facts, facts_of
from .._prompt.in_use import in_use, last_rendered
from .._prompt.prompt_read import PromptRead
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import LABELS, CacheKey, PromptRef
from .._renderings import Marking

MAX_READS_NOTED = 8
READ_FROM_MEMORY, SOURCE_OF_FALLBACKS = "memory", "fallback"


class NotedRead(NamedTuple):
    """How a version came to be in the hands of the code here."""

    version: PromptVersion
    facts: Facts


_reads: ContextVar[tuple[NotedRead, ...]] = ContextVar("scope_prompts_read", default=())
reads_noted = _reads.get


class Mark(NamedTuple):
    """What a span that starts now is for; `is_exact` if a block says so."""

    of: Any
    reads: tuple[NotedRead, ...]
    is_exact: bool

    @property
    def facts(self) -> Facts:
        """Its attributes."""
        return _facts(self.of, self.reads) if isinstance(self.of, PromptVersion) else dict(self.of)


def mark() -> Optional[Mark]:
    """What the code here works with: the version of its block, or what was rendered last."""
    of: Any = in_use()
    if of is not None:
        return Mark(of, _reads.get(), True)
    of = last_rendered.get()
    return None if of is None else Mark(of, _reads.get(), False)


def note_read(ref: PromptRef, found: PromptRead) -> None:
    """Keeps how a read of the caller's was answered, which left the fast path."""
    facts = facts_of(found.version, source=found.source, label=ref.label, variant=getattr(found, "variant", None))
    others = [read for read in _reads.get() if read.version is not found.version]
    _reads.set((NotedRead(found.version, facts), *others[: MAX_READS_NOTED - 1]))


def forget_read(version: PromptVersion) -> None:
    """A read of the caller's had it from memory meanwhile."""
    noted = reads_noted()
    if any(read.version is version for read in noted):
        _reads.set(tuple(read for read in noted if read.version is not version))


def attributes_of(version: PromptVersion) -> Facts:
    """The attributes of a version, with what is known of how it was read here."""
    return _facts(version, _reads.get())


def _facts(version: PromptVersion, reads: tuple[NotedRead, ...]) -> Facts:
    """How a version was read is known from the read itself, or else from the memory that has this very version."""
    for read in reads:
        if read.version is version:
            return dict(read.facts)
    for rooms in list(watching.rooms):
        for key in _keys_of(version):
            entry = rooms.cache.entries.get(key)
            if entry is not None and entry.version is version:
                return facts_of(version, source=READ_FROM_MEMORY, label=PromptRef.of_key(key).label)
    return facts_of(version, source=SOURCE_OF_FALLBACKS if version.is_fallback and version.id is None else None)


def _keys_of(version: PromptVersion) -> Iterator[CacheKey]:
    for name in filter(None, (version.name, version.prompt_id)):
        yield name
        yield (name, LABELS[1], None)
        if version.id is not None:
            yield (name, None, version.id)


PLAIN_MARKING = Marking(last_rendered.get, last_rendered.set)
