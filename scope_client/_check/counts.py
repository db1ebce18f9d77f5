"""Counts: numbers with their nouns."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """Such as "1 prompt" and "2,000 prompts"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
