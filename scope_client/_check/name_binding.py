"""Name binding: what assignments, imports and the like give to which names."""

from __future__ import annotations

import ast
from typing import Any, Optional

from .import_paths import imported_from
from .known import last_name
from .scopes import Binding, Imported, Parameter, ReadModule, Scope, Spot

SCOPE_PACKAGES = frozenset({"scope_client", "scope_django", "scope_flask", "scope_langchain"})
_Work = tuple[ast.AST, Spot, Optional[ast.AST], bool]


class NameBinding:
    """Binds names in the scopes of a module.

    Args:
        module: The module.
        is_package: Whether it is the module of a package.
    """

    def __init__(self, module: ReadModule, is_package: bool) -> None:
        self._module = module
        self._is_package = is_package
        self._waiting: list[_Work] = []
        """The nodes to go to: each with its spot, its parent, and whether it is in a condition."""

    def _put(self, node: ast.AST | None, spot: Spot, parent: ast.AST | None, is_tested: bool = False) -> None:
        if node is not None:
            self._waiting.append((node, spot, parent, is_tested))

    def _assign(self, target: ast.AST, binding: Binding, spot: Spot) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, binding)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._assign_parts(target, binding, spot)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, Binding("unknown", None, binding.spot), spot)
        elif isinstance(target, ast.Attribute):
            self._assign_attribute(target, binding, spot)
        elif isinstance(target, ast.Subscript):
            self._change(target.value, spot)
            self._put(target.value, spot, target)
            self._put(target.slice, spot, target)

    def _assign_parts(self, target: ast.Tuple | ast.List, binding: Binding, spot: Spot) -> None:
        is_plain = not any(isinstance(each, ast.Starred) for each in target.elts) and not _is_swap(target, binding.node)
        for number, part in enumerate(target.elts):
            inner = Binding(binding.kind, binding.node, binding.spot, (*binding.path, number), binding.is_early)
            self._assign(part, inner if is_plain else Binding("unknown", None, binding.spot), spot)

    def _assign_attribute(self, target: ast.Attribute, binding: Binding, spot: Spot) -> None:
        owner = owner_of(target.value, spot)
        if owner is None:
            self._module.attributes_set.add(target.attr)
            self._put(target.value, spot, target)
        else:
            owner.of_instance.setdefault(target.attr, []).append(binding)

    def _bind(self, name: str, binding: Binding) -> None:
        scope = binding.spot.scope
        declared = scope.outer_names.get(name)
        if declared is None:
            scope.names.setdefault(name, []).append(binding)
            return
        owners = [self._module.top] if declared == "global" else _functions_around(scope)
        for owner in owners:
            owner.names.setdefault(name, []).append(Binding("unknown", None, binding.spot))

    def _import(self, node: ast.Import, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            path = alias.name if alias.asname else name
            self._imported(name, path, spot)

    def _import_from(self, node: ast.ImportFrom, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        source = imported_from(node, self._module.path, self._is_package)
        for alias in node.names:
            if alias.name == "*":
                self._module.starred_modules.append(source)
                self._module.imports_scope |= source.split(".")[0] in SCOPE_PACKAGES
            else:
                self._imported(alias.asname or alias.name, f"{source}.{alias.name}".lstrip("."), spot)

    def _imported(self, name: str, path: str, spot: Spot) -> None:
        self._bind(name, Binding("import", Imported(path), spot))
        self._module.imports_scope |= path.split(".")[0] in SCOPE_PACKAGES

    def _declare(self, target: ast.Name, node: ast.AnnAssign, spot: Spot) -> None:
        if spot.scope.kind == "class":  # `client: ScopeClient` of a class says what `self.client` is
            fake = Parameter(node.annotation, node.value, False)
            spot.scope.of_instance.setdefault(target.id, []).append(Binding("declared", fake, spot))

    def _outer_names(self, node: Any, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        kind = "global" if isinstance(node, ast.Global) else "nonlocal"
        for name in node.names:
            spot.scope.outer_names[name] = kind
            for binding in spot.scope.names.pop(name, []):
                self._bind(name, binding)

    def _hand_on(self, node: ast.AST, spot: Spot) -> None:
        for scope in spot.scope.around():
            scope.handed_on.add(last_name(node))

    def _change(self, node: ast.AST, spot: Spot, *, makes_smaller: bool = False) -> None:
        for scope in spot.scope.around():
            scope.changed.add(last_name(node))
            if makes_smaller:
                scope.made_smaller.add(last_name(node))


def _is_swap(target: ast.Tuple | ast.List, value: ast.AST | None) -> bool:
    """Whether names are given what others of them are, as in `a, b = b, a`."""
    if not isinstance(value, (ast.Tuple, ast.List)):
        return False
    given = {each.id for each in value.elts if isinstance(each, ast.Name)}
    return any(isinstance(each, ast.Name) and each.id in given for each in target.elts)


def owner_of(node: ast.AST, spot: Spot) -> Scope | None:
    """The class whose instance `self` is here, or that `cls` is; None if the expression is something else."""
    if not isinstance(node, ast.Name):
        return None
    for scope in spot.scope.around():
        bindings = scope.names.get(node.id)
        if bindings:
            first = bindings[0].node
            is_self = len(bindings) == 1 and isinstance(first, Parameter) and first.is_first_of_method
            return scope.parent if is_self else None
    return None


def _functions_around(scope: Scope) -> list[Scope]:
    return [each for each in scope.around() if each is not scope and each.kind == "function"]
