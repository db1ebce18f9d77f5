"""Wording: values, lists of names and suggestions as messages show them; short, however long they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Callable, Optional

from ._fork import held_back

LONGEST_SHOWN_VALUE = 100
LONGEST_LIST_CHARACTERS = 400
LONGEST_MESSAGE_PART_CHARACTERS = 500
LONGEST_WORD_TO_COMPARE = 60
MOST_WORDS_TO_COMPARE = 200


def shown(value: object) -> str:
    """The value's repr, cut if it is long."""
    if isinstance(value, str) and len(value) > LONGEST_SHOWN_VALUE:
        return f"{value[:LONGEST_SHOWN_VALUE]!r}... ({len(value):,} characters)"
    try:
        return cut(repr(value), LONGEST_SHOWN_VALUE)
    except ValueError:  # of Python: a number of over 4,300 digits
        return f"one of the type {type(value).__name__}, too long to print"


def cut(text: str, most: int = LONGEST_MESSAGE_PART_CHARACTERS) -> str:
    """The text, or its beginning if it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def listed(
    names: Collection[Any],
    *,
    written: Callable[[Any], str] = shown,
    joint: str = ", ",
    most: int = LONGEST_LIST_CHARACTERS,
) -> str:
    """The names, or the first of them, and how many more there are; "none" if there are none.

    Args:
        names: What to list.
        written: Writes one of them.
        joint: What stands between two.
        most: After so many characters no other name begins.

    Returns:
        The list as text.
    """
    parts: list[str] = []
    length = 0
    for name in names:
        if length > most:
            parts.append(f"and {len(names) - len(parts):,} more")
            break
        parts.append(written(name))
        length += len(parts[-1]) + len(joint)
    return joint.join(parts) or "none"


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> Optional[str]:
    """The word that is most like this one, if it is like enough; None too if there are too many or too long ones.

    Comparing two words takes the product of their lengths.
    """
    with held_back():
        import difflib

    words = list(known)
    if len(words) > MOST_WORDS_TO_COMPARE:
        return None
    short = [each for each in words if len(each) <= LONGEST_WORD_TO_COMPARE]
    found = difflib.get_close_matches(word[:LONGEST_WORD_TO_COMPARE], short, n=1, cutoff=cutoff)
    return found[0] if found else None
