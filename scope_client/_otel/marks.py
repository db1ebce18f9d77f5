"""Marks: what is in use where a span starts, and how it was read."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple, Optional

from .._attributes import Facts, facts_of
from .._prompt.in_use import in_use, last_rendered
from .._prompt.prompt_read import PromptRead
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .._renderings import Marking

MAX_READS_NOTED = 8


class NotedRead(NamedTuple):
    """How a version came to be in the hands of the code here."""

    version: PromptVersion
    facts: Facts


_reads: ContextVar[tuple[NotedRead, ...]] = ContextVar("scope_prompts_read", default=())
reads_noted = _reads.get


class Mark(NamedTuple):
    """What a span that starts now is for."""

    of: Any
    reads: tuple[NotedRead, ...]

    @property
    def facts(self) -> Facts:
        """Its attributes."""
        if not isinstance(self.of, PromptVersion):
            return dict(self.of)
        noted = [read.facts for read in self.reads if read.version is self.of]
        return dict(noted[0]) if noted else facts_of(self.of)


def mark() -> Optional[Mark]:
    """What the code here works with: the version of its block, or what was rendered last."""
    of = in_use()
    of = last_rendered.get() if of is None else of
    return None if of is None else Mark(of, _reads.get())


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
    return Mark(version, _reads.get()).facts


PLAIN_MARKING = Marking(last_rendered.get, last_rendered.set)
