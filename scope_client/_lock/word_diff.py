"""Word diff: which words of a text went and which came, in a time that does not grow with the square of the text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Callable, NamedTuple

MAX_COMPARED_PAIRS = 500_000
MAX_COMPARED_PAIRS_OF_WORDS = 100_000

SAME, OLD, NEW = "same", "old", "new"

# A variable, a line end, spaces, a sign of a script that is written without spaces, a word, or any other sign.
_TOKENS = re.compile(
    r"\{\{\w+\}\}|\r\n|\n|[^\S\n]+?(?=\r\n)|[^\S\n]+|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
    r"|[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+|[^\w\s]"
)
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


_IsJunk = Callable[[str], bool]


class Piece(NamedTuple):
    """A part of the two texts."""

    kind: str
    """"same", "old" for what only the old text has, or "new"."""
    text: str


def word_diff(old: str, new: str) -> tuple[Piece, ...]:
    """The pieces in their order. Without the new ones they are the old text, and without the old ones the new text.

    Parts that are too large to compare word by word are told as replaced.
    """
    budget = _Budget(MAX_COMPARED_PAIRS)
    lines: list[Piece] = []
    for before, after in _blocks(_LINES.findall(old), _LINES.findall(new), budget, MAX_COMPARED_PAIRS, _is_blank):
        if before == after:
            lines.append(Piece(SAME, before))
        else:
            lines.extend(_words(before, after, budget))
    return tuple(_joined(_without_islands(lines)))


def _words(old: str, new: str, budget: _Budget) -> Iterator[Piece]:
    tokens = _TOKENS.findall(old), _TOKENS.findall(new)
    for before, after in _blocks(*tokens, budget, MAX_COMPARED_PAIRS_OF_WORDS, str.isspace):
        if before == after:
            yield Piece(SAME, before)
        else:
            yield Piece(OLD, before)
            yield Piece(NEW, after)


class _Budget:
    """How many pairs of equal words or lines may still be looked at: that is what comparing takes its time for."""

    def __init__(self, pairs: int) -> None:
        self._pairs = pairs

    def affords(self, pairs: int, most: int) -> bool:
        if pairs > min(most, self._pairs):
            return False
        self._pairs -= pairs
        return True


def _blocks(
    old: Sequence[str], new: Sequence[str], budget: _Budget, most: int, is_junk: _IsJunk
) -> Iterator[tuple[str, str]]:
    """Pairs of texts, equal ones and others in turn."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    yield "".join(old[:start]), "".join(new[:start])
    yield from _middle(old[start : len(old) - end], new[start : len(new) - end], budget, most, is_junk)
    yield "".join(old[len(old) - end :]), "".join(new[len(new) - end :])


def _middle(
    old: Sequence[str], new: Sequence[str], budget: _Budget, most: int, is_junk: _IsJunk
) -> Iterator[tuple[str, str]]:
    matcher: SequenceMatcher[str] = SequenceMatcher(is_junk, autojunk=False)
    counts = Counter(each for each in old if not is_junk(each))
    pairs = sum(counts[each] for each in new)
    if not old or not new or not budget.affords(pairs, most):
        yield "".join(old), "".join(new)
        return
    matcher.set_seqs(old, new)
    for _, one, one_end, other, other_end in matcher.get_opcodes():
        yield "".join(old[one:one_end]), "".join(new[other:other_end])


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many of the first are the same."""
    count = 0
    for one, other in zip(old, new):
        if one != other:
            break
        count += 1
    return count


def _is_blank(line: str) -> bool:
    return not line.strip()


def _without_islands(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Spaces that stay between two changes belong to the change, so that it reads as one."""
    for place, piece in enumerate(pieces):
        is_between = 0 < place < len(pieces) - 1 and SAME not in (pieces[place - 1].kind, pieces[place + 1].kind)
        if piece.kind == SAME and is_between and piece.text.isspace() and "\n" not in piece.text:
            yield Piece(OLD, piece.text)
            yield Piece(NEW, piece.text)
        else:
            yield piece


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Each change as one old piece and one new piece, between pieces that are the same."""
    texts = {SAME: "", OLD: "", NEW: ""}
    for piece in pieces:
        if not piece.text:
            continue
        if (piece.kind == SAME) != bool(texts[SAME]):
            yield from _told(texts)
            texts = {SAME: "", OLD: "", NEW: ""}
        texts[piece.kind] += piece.text
    yield from _told(texts)


def _told(texts: dict[str, str]) -> Iterator[Piece]:
    return (Piece(kind, text) for kind, text in texts.items() if text)
