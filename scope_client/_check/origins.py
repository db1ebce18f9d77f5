"""Origins: where the object behind an expression comes from, as a dotted path: "scope_client.ScopeClient()"."""

from __future__ import annotations

import ast

from .annotations import parts_of, unquoted
from .known import is_none
from .name_binding import SCOPE_PACKAGES, owner_of
from .reaching import bindings_of
from .scopes import Imported, Parameter, ReadModule, Spot
from .values import Values

DEEPEST_ORIGIN = 16


class Origins:
    """Looks origins up in one module.

    Args:
        values: Looks names up.
    """

    def __init__(self, values: Values) -> None:
        self._values = values
        self._module: ReadModule = values.module

    def of(self, node: ast.AST, spot: Spot, depth: int = 0) -> frozenset[str]:
        """The paths that an expression may come from; none if nothing is known.

        Args:
            node: The expression.
            spot: Where it stands.
            depth: How many expressions led to it.
        """
        if depth > DEEPEST_ORIGIN:
            return frozenset()
        if isinstance(node, ast.Await):
            return self.of(node.value, spot, depth + 1)
        if isinstance(node, ast.Name) and bindings_of(node.id, spot) is None:
            return frozenset(f"{source}.{node.id}" for source in self._module.starred_modules)
        found = self._values.of(node, spot).found
        return frozenset().union(*(self._of_found(each.node, each.spot, node, depth + 1) for each in found))

    def _of_found(self, node: ast.AST, spot: Spot, asked: ast.AST, depth: int) -> frozenset[str]:
        if isinstance(node, Imported):
            return frozenset({node.path})
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            scope = self._module.inner[node]
            return frozenset({f"{self._module.path}.{scope.title}"})
        if isinstance(node, ast.Call):
            return frozenset(f"{path}()" for path in self.of(node.func, spot, depth))
        if isinstance(node, ast.Await):
            return self.of(node.value, spot, depth)
        if isinstance(node, ast.Attribute):
            return frozenset(f"{path}.{node.attr}" for path in self.of(node.value, spot, depth))
        if isinstance(node, Parameter):
            owner = owner_of(asked, spot) if node.is_first_of_method else None
            if owner is not None:
                return frozenset({f"{self._module.path}.{owner.title}()"})
            return frozenset(f"{path}()" for path in self.of_annotation(node.annotation, spot, depth))
        return _OF_LITERALS.get(type(node), frozenset())

    def of_annotation(self, annotation: ast.AST | None, spot: Spot, depth: int = 0) -> frozenset[str]:
        """The paths of the classes that an annotation names.

        Args:
            annotation: The annotation.
            spot: Where it stands.
            depth: How many expressions led to it.
        """
        if annotation is None or depth > DEEPEST_ORIGIN:
            return frozenset()
        annotation = unquoted(annotation)
        parts = parts_of(annotation)
        if parts is None:
            return self.of(annotation, spot, depth + 1)
        inner = [each for each in parts[1] if not is_none(each) and parts[0] != "Literal"]
        return frozenset().union(*(self.of_annotation(each, spot, depth + 1) for each in inner))

    def is_of_scope(self, paths: frozenset[str]) -> bool:
        """Whether one of the paths leads into a package of Scope's.

        Args:
            paths: The paths.
        """
        return any(path.split(".")[0] in SCOPE_PACKAGES for path in paths)


_OF_LITERALS: dict[type, frozenset[str]] = {
    ast.Dict: frozenset({"builtins.dict()"}),
    ast.DictComp: frozenset({"builtins.dict()"}),
    ast.List: frozenset({"builtins.list()"}),
    ast.ListComp: frozenset({"builtins.list()"}),
    ast.Set: frozenset({"builtins.set()"}),
    ast.Tuple: frozenset({"builtins.tuple()"}),
    ast.Constant: frozenset({"builtins.str()"}),
    ast.JoinedStr: frozenset({"builtins.str()"}),
}
