"""Texts: the texts that an expression may be, such as the name of a prompt."""

from __future__ import annotations

import ast
from typing import NamedTuple

from .known import Found, Known, Member, is_none
from .scopes import Spot
from .values import Values

MOST_TEXTS = 100
DEEPEST_TEXT = 12


class Text(NamedTuple):
    """One text that an expression may be."""

    text: str
    node: ast.AST | None
    """The literal, if it is written out where it is used."""


class Texts(NamedTuple):
    """The texts that an expression may be."""

    known: list[Text]
    is_open: bool
    """Whether it may be others."""
    has_none: bool = False
    """Whether it may be None."""


OPEN = Texts([], True)


def texts_of(values: Values, node: ast.AST, spot: Spot, depth: int = 0) -> Texts:
    """The texts that an expression may be.

    Args:
        values: Looks names up.
        node: The expression.
        spot: Where it stands.
        depth: How many expressions led to it.
    """
    if depth > DEEPEST_TEXT:
        return OPEN
    known = values.of(node, spot)
    texts = _texts(values, known, depth)
    if len(texts.known) + texts.is_open > 1 and not _are_all_written(texts) and is_tested(node, spot):
        return OPEN  # which of them it is depends on the condition
    return texts if len(texts.known) <= MOST_TEXTS else OPEN


def _texts(values: Values, known: Known, depth: int) -> Texts:
    found: dict[str, Text] = {}
    is_open, has_none = known.is_open, False
    for each in known.found:
        more = _text(values, each, depth)
        has_none = has_none or is_none(each.node)
        if more is None:
            is_open = True
        else:
            for text in more:
                found.setdefault(text.text, text)
    return Texts(list(found.values()), is_open, has_none)


def _text(values: Values, found: Found, depth: int) -> list[Text] | None:
    """The texts of one expression; None if they are known only at run time."""
    node = found.node
    written = node if found.is_written else None
    if isinstance(node, ast.Constant):
        return [Text(node.value, written)] if isinstance(node.value, str) else [] if node.value is None else None
    if isinstance(node, Member):
        member = _texts(values, values.classes.member_value(node), depth + 1)
        return None if member.is_open else member.known
    parts: list[list[str] | None]
    if isinstance(node, ast.JoinedStr):
        parts = [_filled_in(values, each, found.spot, depth) for each in node.values]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        both = [texts_of(values, each, found.spot, depth + 1) for each in (node.left, node.right)]
        parts = [None if each.is_open else [text.text for text in each.known] for each in both]
    else:
        return None
    joined = [""]
    for part in parts:
        if not part or len(joined) * len(part) > MOST_TEXTS:
            return None if part is None or part else []
        joined = [before + after for before in joined for after in part]
    return [Text(each, written) for each in joined]


def _filled_in(values: Values, node: ast.AST, spot: Spot, depth: int) -> list[str] | None:
    """A part of an f-string."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if not isinstance(node, ast.FormattedValue) or node.format_spec is not None or node.conversion not in (-1, 115):
        return None
    if any(isinstance(each.node, Member) for each in values.of(node.value, spot).found):
        return None  # what the text of a member is depends on the Python
    texts = texts_of(values, node.value, spot, depth + 1)
    return None if texts.is_open or texts.has_none else [each.text for each in texts.known]


def _are_all_written(texts: Texts) -> bool:
    return not texts.is_open and all(each.node is not None for each in texts.known)


def is_tested(node: ast.AST, spot: Spot) -> bool:
    """Whether a condition of the function looks at a name in this expression.

    Args:
        node: The expression.
        spot: Where it stands.
    """
    names = {getattr(each, "id", None) or getattr(each, "attr", None) for each in ast.walk(node)} - {None}
    return any(name in scope.tested for scope in spot.scope.around() for name in names)
