"""Pinned: the versions that are pinned of one prompt, the first of which answers whoever can fill it in."""

from __future__ import annotations

from collections.abc import Iterator

from .._folder.record import is_prompt_id
from .._prompt.prompt_read import PromptRead
from .._prompt.prompt_version import PromptVersion
from .._prompt.ref import PromptRef
from .token import TokenEntry

_Name = tuple[str, str]


class PinnedVersion:
    """A version that was read, or one that a token names, which has no `read` yet."""

    __slots__ = ("has_variant", "read", "read_at", "version_id")

    def __init__(self, version_id: str | None, *, has_variant: bool) -> None:
        self.version_id = version_id
        self.has_variant = has_variant
        self.read: PromptRead | None = None
        self.read_at = 0.0

    def was_read(self, found: PromptRead, now: float) -> None:
        # In this order: a thread that finds the read finds its time.
        self.read_at = now
        self.read = found

    def again(self, now: float) -> PromptRead | None:
        """What one more read is answered with; None if nothing has been read yet."""
        read = self.read
        if read is None:
            return None
        age = None if read.age is None else read.age + now - self.read_at
        return PromptRead(read.version, "memory", age, read.is_locked, self.variant)

    @property
    def variant(self) -> str | None:
        return self.version_id if self.has_variant else None


class PinnedPrompt:
    """What is pinned of one prompt under one label. Several versions, if callers can give different variables."""

    __slots__ = ("label", "name", "prompt_id", "versions")

    def __init__(self, name: str, prompt_id: str | None, label: str) -> None:
        self.name = name
        self.prompt_id = prompt_id
        self.label = label
        self.versions: list[PinnedVersion] = []

    def drop(self, gone: PinnedVersion) -> None:
        """Another thread may have dropped it."""
        self.versions = [each for each in self.versions if each is not gone]


class PinnedPrompts:
    """By all that each is asked for by: its name, and its ID in upper or lower case. It needs no lock.

    `setdefault` decides between threads that read a prompt for the first time at the same time.
    """

    def __init__(self) -> None:
        self._by_name: dict[_Name, PinnedPrompt] = {}
        self._by_prompt: dict[_Name, PinnedPrompt] = {}

    def __iter__(self) -> Iterator[PinnedPrompt]:
        return iter(list(self._by_prompt.values()))

    def find(self, ref: PromptRef) -> PinnedPrompt | None:
        return self._by_name.get((_usual(ref.name), ref.label or ""))

    def of(self, ref: PromptRef, version: PromptVersion) -> PinnedPrompt:
        """The one to pin this version of."""
        label = ref.label or ""
        known = self._of_prompt(version.name or ref.name, version.prompt_id, label)
        return self._by_name.setdefault((_usual(ref.name), label), known)

    def of_token(self, entry: TokenEntry) -> PinnedPrompt:
        return self._of_prompt(entry.name, entry.prompt_id, entry.label)

    def _of_prompt(self, name: str, prompt_id: str | None, label: str) -> PinnedPrompt:
        names = [(_usual(each), label) for each in (prompt_id, name) if each]
        first = next((self._by_name[each] for each in names if each in self._by_name), None)
        known = self._by_prompt.setdefault(names[0], first or PinnedPrompt(name, prompt_id, label))
        for each in names:
            self._by_name.setdefault(each, known)
        return known


def _usual(name: str) -> str:
    return name.upper() if is_prompt_id(name) else name
