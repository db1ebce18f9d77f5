"""Impact: which calls a new version of a prompt touches, and which of them it breaks."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._check.counts import counted
from .._check.use import Place
from .._foreign_text import printable
from .._wording import listed
from .marked_text import as_code


class Broken(NamedTuple):
    """A call that fitted the locked version, and does not fit the new one."""

    place: Place
    """Where it is."""
    messages: tuple[str, ...]
    """What does not fit, a sentence for each."""


class Impact(NamedTuple):
    """What a version does to the code that was looked at."""

    places: tuple[Place, ...]
    """The calls and tags that get this version."""
    broken: tuple[Broken, ...]
    """Those of them that it breaks."""
    is_gone: bool = False
    """Whether there is no new version: the locked one stays."""

    @property
    def verdict(self) -> str:
        """Either "safe", or how many calls it breaks."""
        if self.is_gone:
            return "stays locked"
        return f"breaks {counted(len(self.broken), 'call')}" if self.broken else "safe"

    @property
    def lines(self) -> list[str]:
        """For people."""
        used = listed(self.places, written=_short) if self.places else "nowhere"
        broken = (f"{_short(each.place)} {printable(text)}" for each in self.broken for text in each.messages)
        return [f"used in: {used}", self.verdict, *(f"  {line}" for line in broken)]

    @property
    def markdown_lines(self) -> list[str]:
        """The same as items of a list."""
        used = listed(self.places, written=lambda place: as_code(_short(place))) if self.places else "nowhere"
        broken = (f"{as_code(_short(each.place))} {as_code(text)}" for each in self.broken for text in each.messages)
        return [f"used in: {used}", f"**{self.verdict}**", *(f"  - {line}" for line in broken)]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "calls": [place._asdict() for place in self.places],
            "broken": [{**each.place._asdict(), "messages": list(each.messages)} for each in self.broken],
            "verdict": self.verdict,
        }


def _short(place: Place) -> str:
    return f"{printable(place.file)}:{place.line}"
