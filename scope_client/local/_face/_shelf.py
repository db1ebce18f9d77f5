"""The shelf: a prompt as the pages show it, with its versions, its address and what is wrong with its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional
from urllib.parse import quote

if TYPE_CHECKING:
    from ..._folder.record import VersionRecord
    from .._library import Library, Listed


class Shelf(NamedTuple):
    """A prompt with at least one version; `versions` are in the order of their numbers."""

    name: str
    versions: tuple[VersionRecord, ...]
    flaws: tuple[str, ...]
    seen: str
    """What a form carries, so that a change behind its back is noticed."""

    @property
    def url(self) -> str:
        return f"/prompts/{quote(self.name, safe='')}"

    @property
    def latest(self) -> VersionRecord:
        return self.versions[-1]

    @property
    def production(self) -> Optional[VersionRecord]:
        return next((version for version in self.versions if version.status == "published"), None)

    @property
    def shown(self) -> VersionRecord:
        """The version by which a reader knows it."""
        return self.production or self.latest

    @property
    def words(self) -> str:
        """What the search box of a browser looks through."""
        return " ".join([self.name, *self.shown.variables, self.latest.type]).lower()

    def has(self, words: list[str]) -> bool:
        """Whether all of these words are in its name, its variables or the text of the version by which it is known."""
        text = f"{self.words} {self.shown.content.lower()}"
        return all(word in text for word in words)

    def version(self, number: int) -> Optional[VersionRecord]:
        return next((version for version in self.versions if version.number == number), None)

    def before(self, version: VersionRecord) -> Optional[VersionRecord]:
        """The version with the next lower number."""
        lower = [each for each in self.versions if each.number < version.number]
        return lower[-1] if lower else None

    def compared(self) -> tuple[VersionRecord, VersionRecord]:
        """The two versions that one would compare first: what is in production, and the latest."""
        if self.production is not None and self.production is not self.latest:
            return self.production, self.latest
        return self.before(self.latest) or self.latest, self.latest


def shelf_of(library: Library, name: str) -> Optional[Shelf]:
    """The prompt of a name or an ID; None if it has no version."""
    listed = library.listed(name)
    return _shelf(listed) if listed.versions else None


def all_shelves(library: Library) -> tuple[list[Shelf], list[str]]:
    """All prompts that have a version, in the order of the alphabet; and what is wrong with files of the folder."""
    listing = library.listing()
    flaws = dict.fromkeys(flaw for listed in listing for flaw in listed.flaws)
    return [_shelf(listed) for listed in listing if listed.versions], [*flaws]


def _shelf(listed: Listed) -> Shelf:
    return Shelf(listed.name, listed.versions, listed.flaws, listed.state)
