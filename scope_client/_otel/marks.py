"""Marks: what is in use where a span starts, and how it was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple, Optional

from .. import _watching as watching
from .._attribute_names import (
    FLAG_KEY,
    FLAG_PROVIDER,
    FLAG_VARIANT,
    ID_OF_PROMPT,
    ID_OF_VERSION,
    IS_FALLBACK,
    LABEL_ASKED_FOR,
    PROMPT_NAME,
    PROMPT_VERSION,
    READ_SOURCE,
)
from .._attributes import Facts, facts_of
from .._cache.memory import Entry
from .._prompt.in_use import in_use, last_rendered, uses_here
from .._prompt.prompt_read import PromptRead
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import LABELS, CacheKey, PromptRef
from .._renderings import Marking

MAX_READS_NOTED = 8
FACTS_OF_A_READ = (LABEL_ASKED_FOR, READ_SOURCE, FLAG_KEY, FLAG_VARIANT, FLAG_PROVIDER)
FACTS_OF_A_VERSION = (PROMPT_NAME, PROMPT_VERSION, ID_OF_PROMPT, ID_OF_VERSION, IS_FALLBACK, *FACTS_OF_A_READ)
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
        if isinstance(self.of, PromptVersion):
            return _facts(self.of, self.reads)
        facts = {name: self.of[name] for name in FACTS_OF_A_VERSION if name in self.of}
        return {**_how_read(facts, self.reads), **facts}


def mark() -> Optional[Mark]:
    """What the code here works with: the version of its block, or what was rendered last."""
    of: Any = in_use()
    if of is not None:
        return Mark(of, _reads.get(), True)
    of = last_rendered.get()
    return None if of is None else Mark(of, _reads.get(), False)


def note_read(ref: PromptRef, found: PromptRead) -> None:
    """Keeps how a read of the caller's was answered, which left the fast path."""
    facts = facts_of(found.version, source=found.source, label=ref.label, variant=found.variant)
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
    for entry in _kept(version.name, version.prompt_id, version.id):
        if entry.version is version:
            return facts_of(version, source=READ_FROM_MEMORY, label=PromptRef.of_key(entry.key).label)
    return facts_of(version, source=SOURCE_OF_FALLBACKS if version.is_fallback and version.id is None else None)


def _kept(name: Optional[str], prompt_id: Optional[str], version_id: Optional[str]) -> Iterator[Entry]:
    """What the clients keep in memory under the keys that this version may have been asked for by."""
    keys: list[CacheKey] = []
    for asked in filter(None, (name, prompt_id)):
        keys += [asked, (asked, LABELS[1], None), (asked, None, version_id)]
    for client in watching.live_clients():
        yield from filter(None, map(client.entries.get, keys))


def how_read(facts: Mapping[str, Any]) -> Facts:
    """Of the attributes of a version, those that say how it was read here."""
    return _how_read(facts, _reads.get())


def _how_read(facts: Mapping[str, Any], reads: tuple[NotedRead, ...]) -> Facts:
    """As `_facts`, by the names and IDs of a version that has come here as its attributes."""
    noted = [read.version for read in reads if _is_of(read.version, facts)]
    kept = (entry.version for entry in _kept(facts.get(PROMPT_NAME), facts.get(ID_OF_PROMPT), facts.get(ID_OF_VERSION)))
    for version in noted or (version for version in kept if _is_of(version, facts)):
        found = _facts(version, reads)
        return {name: found[name] for name in FACTS_OF_A_READ if name in found}
    return {}


def _is_of(version: PromptVersion, facts: Mapping[str, Any]) -> bool:
    is_fallback = bool(facts.get(IS_FALLBACK))
    named = (version.name, None if is_fallback else version.id, version.is_fallback)
    return named == (facts.get(PROMPT_NAME), facts.get(ID_OF_VERSION), is_fallback)


PLAIN_MARKING = Marking(last_rendered.get, last_rendered.set, uses_here, in_use, how_read)
