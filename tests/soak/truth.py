"""Truth: the content of a prompt in each of its editions, by which a reader can tell what it was given."""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

LONGEST_FILLER = 3_000


class Edition(NamedTuple):
    """What a content says it is: a prompt, the label or version that was asked for, and the number of the edition."""

    name: str
    which: str
    number: int


def content_of(edition: Edition) -> str:
    """Of another length each time; the sum at its end makes a part of it, or a mixture of two, known as such."""
    text = f"{edition.name} {edition.which} in edition {edition.number}: dear {{{{who}}}}, "
    text += "x" * (zlib.crc32(text.encode()) % LONGEST_FILLER)
    return f"{text}#{zlib.crc32(text.encode()):08x}"


def edition_of(content: str) -> Edition | None:
    """None for what never was the content of a prompt."""
    text, _, checksum = content.rpartition("#")
    found = re.match(r"(\S+) (\S+) in edition (\d+): ", text)
    if found is None or checksum != f"{zlib.crc32(text.encode()):08x}":
        return None
    return Edition(found[1], found[2], int(found[3]))
