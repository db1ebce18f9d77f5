"""Packed: JSON objects of which a cache keeps thousands, and that few readers ask for."""

from __future__ import annotations

import sys
from typing import Any, Optional

from .jsonvalue import copied


def packed(mapping: Optional[dict[str, Any]]) -> tuple[Any, ...]:
    """The mapping as a tuple of its names and values by turns.

    Such a tuple takes half of a dict's memory, which counts: a cache keeps thousands of versions, and few readers ask
    for their metadata. The names are interned, because many versions have the same ones.
    """
    if not mapping:
        return ()
    return tuple([each for name, value in mapping.items() for each in (interned(name), value)])


def interned(name: Any) -> Any:
    """One object for the same text in many versions."""
    return sys.intern(name) if type(name) is str else name


def unpacked(packed: tuple[Any, ...]) -> dict[str, Any]:
    unpacked: dict[str, Any] = copied(dict(zip(packed[::2], packed[1::2])))
    return unpacked
