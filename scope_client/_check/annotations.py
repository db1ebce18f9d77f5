"""Annotations: the values that the type of a parameter leaves, as `Literal["a", "b"]` or an enum does."""

from __future__ import annotations

import ast
from typing import Callable

from .known import Found, Known, is_none, last_name, together
from .scopes import Imported, Spot

DEEPEST_ANNOTATION = 8
_WRAPS_A_TYPE = frozenset({"Optional", "Union", "Annotated", "Final", "ClassVar", "Required", "NotRequired"})
LookUp = Callable[[ast.AST, Spot], Known]


def named_by(annotation: ast.AST | None, spot: Spot, values: LookUp, members: LookUp, depth: int = 0) -> Known | None:
    """What an annotation says that a value is; None if it says too little.

    Args:
        annotation: The annotation; a quoted one too.
        spot: Where it stands.
        values: Looks an expression up.
        members: Gives the members of a class, if it is an enum.
        depth: How many annotations led to this one.
    """
    if annotation is None or depth > DEEPEST_ANNOTATION:
        return None
    annotation = unquoted(annotation)
    parts = parts_of(annotation)
    if parts is None:
        found = values(annotation, spot).found if isinstance(annotation, (ast.Name, ast.Attribute)) else []
        if len(found) != 1:
            return None
        node = found[0].node
        if isinstance(node, (ast.ClassDef, Imported)):
            known = members(node, spot)
            return known if known.found else None
        is_alias = isinstance(node, (ast.Subscript, ast.BinOp))
        return named_by(node, found[0].spot, values, members, depth + 1) if is_alias else None
    name, inner = parts
    if name == "Literal":
        return _literals(inner, spot, values)
    types = [named_by(each, spot, values, members, depth + 1) for each in inner if not is_none(each)]
    if not types or None in types:
        return None
    return together(each for each in types if each is not None)


def _literals(nodes: list[ast.AST], spot: Spot, values: LookUp) -> Known | None:
    found: list[Found] = []
    for node in nodes:
        parts = parts_of(node)
        if parts is not None and parts[0] == "Literal":
            inner = _literals(parts[1], spot, values)
            found += inner.found if inner else []
        elif isinstance(node, ast.Attribute):  # the member of an enum
            found += values(node, spot).found
        elif not isinstance(node, ast.Constant):
            return None
        elif node.value is not None:
            found.append(Found(node, spot, False))
    return Known(found)


def unquoted(annotation: ast.AST) -> ast.AST:
    """The annotation that stands in quotes, or the one that does not.

    Args:
        annotation: The annotation.
    """
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return ast.parse(annotation.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    return annotation


def parts_of(node: ast.AST) -> tuple[str, list[ast.AST]] | None:
    """The types in Optional[...], Union[...] and a | b, or the values of Literal[...], with that word.

    Args:
        node: The annotation; for another one it is None.
    """
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return "Union", [node.left, node.right]
    if not isinstance(node, ast.Subscript):
        return None
    name = last_name(node.value)
    inside: list[ast.AST] = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        return name, inside
    if name not in _WRAPS_A_TYPE:
        return None
    return name, inside[:1] if name == "Annotated" else inside
