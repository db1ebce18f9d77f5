"""Names for the values of a parametrized test, which have to be the same in every process of the suite."""

from __future__ import annotations


def by_repr(value: object) -> str:
    """Its repr, or its type's name if the repr shows an address."""
    text = repr(value)
    return type(value).__name__ if " at 0x" in text else text
