"""Known: what is known of the value of an expression."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from .scopes import Spot


class Found(NamedTuple):
    """An expression that a value may come from: a literal, a call, a class, an import; never a name."""

    node: ast.AST
    spot: Spot
    """Where it stands."""
    is_written: bool = True
    """Whether it is written out where it is used, and not behind a name."""


class Known(NamedTuple):
    """What an expression may stand for."""

    found: list[Found]
    is_open: bool = False
    """Whether it may stand for something else too."""

    def behind_a_name(self) -> Known:
        """The same, of which nothing is written out where it is used."""
        return Known([Found(each.node, each.spot, False) for each in self.found], self.is_open)

    def more_open(self, is_open: bool) -> Known:
        """The same, or open.

        Args:
            is_open: Whether it is open in any case.
        """
        return Known(self.found, self.is_open or is_open)


UNKNOWN = Known([], True)


def together(parts: Iterable[Known]) -> Known:
    """What is any of these.

    Args:
        parts: What is known of each.
    """
    found: dict[Found, None] = {}
    is_open = False
    for part in parts:
        found.update(dict.fromkeys(part.found))
        is_open = is_open or part.is_open
    return Known(list(found), is_open)


class Parts(ast.AST):
    """Several values at once, such as a key and its value; None for one of which nothing is known."""

    def __init__(self, parts: list[Found | None]) -> None:
        super().__init__()
        self.parts = parts


class Member(ast.AST):
    """A member of an enum."""

    def __init__(self, of: ast.ClassDef, member: str) -> None:
        super().__init__()
        self.of = of
        self.member = member


def last_name(node: ast.AST) -> str:
    """The `c` of `c`, `a.b.c`, `c(...)` and `c[...]`; "" for something else.

    Args:
        node: The expression.
    """
    if isinstance(node, ast.Call):
        node = node.func
    elif isinstance(node, ast.Subscript):
        node = node.value
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)
    return name if isinstance(name, str) else ""


def is_none(node: ast.AST | None) -> bool:
    """Whether an expression is None, written out.

    Args:
        node: The expression.
    """
    return isinstance(node, ast.Constant) and node.value is None


def is_changed(node: ast.AST, spot: Spot) -> bool:
    """Whether the object behind a name is changed in place somewhere.

    Args:
        node: The name; another expression is not.
        spot: Where it stands.
    """
    name = last_name(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    return bool(name) and any(name in scope.changed for scope in spot.scope.around())
