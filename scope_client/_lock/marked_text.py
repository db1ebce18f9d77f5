"""Marked text: a word diff as people read it, with the spaces that changed made visible, without long equal parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Callable

from .._foreign_text import printable, printable_lines
from .word_diff import NEW, OLD, SAME, Piece

LINES_AROUND_A_CHANGE = 2
CHARACTERS_AROUND_A_CHANGE = 300
MIN_LINES_LEFT_OUT = 4
_VISIBLE = str.maketrans({" ": "·", "\t": "⇥", "\r": "␍", "\n": "⏎\n"})
_RETURNS = str.maketrans({"\r": "␍"})

Mark = Callable[[str, str], str]


def in_brackets(kind: str, text: str) -> str:
    """`[-old-]` and `{+new+}`, as git writes a word diff."""
    return f"[-{text}-]" if kind == OLD else f"{{+{text}+}}"


def marked(pieces: Sequence[Piece], mark: Mark = in_brackets) -> str:
    """The texts in one, fit to be shown.

    Args:
        pieces: Of a word diff.
        mark: Marks a text of the kind "old" or "new".
    """
    return "".join([each.text if each.kind == SAME else mark(*each) for each in _shown(pieces)])


def _shown(pieces: Sequence[Piece]) -> Iterator[Piece]:
    for place, (kind, text) in enumerate(pieces):
        if kind != SAME:
            rest = "".join([each.text for each in pieces[place + 1 : place + 3] if each.kind not in (OLD, NEW)])
            is_at_end = rest[:1] in ("", "\r", "\n")
            yield Piece(kind, _visible(text, is_at_end=is_at_end))
            continue
        kept = _context(text.replace("\r\n", "\n"), has_before=place > 0, has_after=place < len(pieces) - 1)
        yield Piece(SAME, printable_lines(kept))


def _visible(text: str, *, is_at_end: bool) -> str:
    """A change of spaces alone would not be seen otherwise, nor one at the end of a line."""
    if text.isspace():
        return printable_lines(text.translate(_VISIBLE))
    end = len(text.rstrip()) if is_at_end else len(text)
    return printable_lines(f"{text[:end].translate(_RETURNS)}{text[end:].translate(_VISIBLE)}")


def _context(text: str, *, has_before: bool, has_after: bool) -> str:
    """The parts of an equal text that are near a change."""
    lines = text.split("\n")
    first = lines[: LINES_AROUND_A_CHANGE + 1] if has_before else []
    last = lines[-LINES_AROUND_A_CHANGE - 1 :] if has_after else []
    left_out = len(lines) - len(first) - len(last)
    if left_out < MIN_LINES_LEFT_OUT:
        return _short(text, has_before=has_before, has_after=has_after)
    head = _short("\n".join(first), has_before=True, has_after=False)
    tail = _short("\n".join(last), has_before=False, has_after=True)
    parts = [*([head] if first else []), f"... {left_out:,} lines ...", *([tail] if last else [])]
    return "\n".join(parts)


def _short(text: str, *, has_before: bool, has_after: bool) -> str:
    if len(text) <= 2 * CHARACTERS_AROUND_A_CHANGE:
        return text
    first = text[:CHARACTERS_AROUND_A_CHANGE] if has_before else ""
    last = text[-CHARACTERS_AROUND_A_CHANGE:] if has_after else ""
    return f"{first} ... {last}"


def indented(text: str, by: str) -> Iterable[str]:
    """The lines, each after some signs."""
    return (f"{by}{line}".rstrip() for line in text.split("\n"))


def as_code(text: str) -> str:
    """The text in one line, as code that no sign in it ends."""
    shown = printable(text)
    ticks = "`" * (_longest_run(shown) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{ticks}{space}{shown or ' '}{space}{ticks}"


def fenced(text: str) -> str:
    """The lines as a block of code that no line in it ends."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest
