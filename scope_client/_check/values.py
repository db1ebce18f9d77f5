"""Values: the expressions that an expression may stand for, as far as a module shows them."""

from __future__ import annotations

import ast
from typing import Any

from .annotations import named_by, parts_of
from .classes import Classes
from .imported_constants import ConstantsOf
from .imported_names import ImportedNames
from .items import DEEPEST_NAME, Items
from .known import UNKNOWN, Found, Known, Member, Parts, is_changed, last_name, together
from .name_binding import owner_of
from .reaching import AT_THE_END, bindings_of
from .scopes import Binding, Imported, Parameter, ReadModule, Spot

MOST_VALUES = 200


class Values(Items):
    """Looks values up in one module."""

    def __init__(self, module: ReadModule, constants_of: ConstantsOf | None = None) -> None:
        self.module = module
        self.classes = Classes(module, self.of, self.bound)
        self._imported = ImportedNames(module, constants_of)
        self._depth = 0
        self._under_way: set[int] = set()
        self._found: dict[tuple[ast.AST, Spot], Known] = {}

    def of(self, node: ast.AST, spot: Spot) -> Known:
        """What an expression may stand for: literals, calls, imports, classes, never names.

        Args:
            node: The expression.
            spot: Where it stands.
        """
        resolve = _RESOLVERS.get(type(node))
        if resolve is None:
            return Known([Found(node, spot)])
        if self._depth >= DEEPEST_NAME:
            return UNKNOWN
        key = node, spot
        if key not in self._found:
            self._found[key] = UNKNOWN  # for a name that leads to itself
            self._depth += 1
            try:
                known: Known = resolve(self, node, spot)
            finally:
                self._depth -= 1
            self._found[key] = known if len(known.found) <= MOST_VALUES else UNKNOWN
        return self._found[key]

    def _name(self, node: ast.Name, spot: Spot) -> Known:
        bindings = bindings_of(node.id, spot)
        if bindings is None:
            return self._imported.starred(node.id, spot)
        if not bindings:
            return UNKNOWN
        return together(self.bound(each) for each in bindings).behind_a_name()

    def bound(self, binding: Binding) -> Known:
        node, spot = binding.node, binding.spot
        if node is None:
            return UNKNOWN
        if binding.kind in ("value", "with"):
            known = self.of(node, spot) if binding.kind == "value" else Known([Found(node, spot)])
        elif binding.kind == "item":
            items = self.items(node, spot)
            known = together(self.of(each.node, each.spot) for each in items.found).more_open(items.is_open)
        elif isinstance(node, Imported):
            known = self._imported.constant(node.path, spot)
            known = known if known.found else Known([Found(node, spot)])
        elif isinstance(node, Parameter):
            known = self._parameter(node, spot)
        else:
            known = Known([Found(node, spot)])
        for number in binding.path:
            known = self._part(known, number)
        return known

    def _part(self, known: Known, number: int) -> Known:
        """A part of a value that is taken apart, as by `a, b = ...`."""
        whole = together(self._part_of(each, number) for each in known.found)
        return Known(whole.found, whole.is_open or known.is_open)

    def _part_of(self, whole: Found, number: int) -> Known:
        node, spot = whole.node, whole.spot
        if isinstance(node, Parts):
            part = node.parts[number] if number < len(node.parts) else None
            return self.of(part.node, part.spot) if part else UNKNOWN
        if isinstance(node, ast.Await):  # `a, b = await asyncio.gather(...)`
            inner = self._part(self.of(node.value, spot), number)
            awaited = [Found(ast.Await(each.node), each.spot) for each in inner.found]  # type: ignore[arg-type]  # no statement
            return Known(awaited, inner.is_open)
        is_gathering = isinstance(node, ast.Call) and last_name(node.func) == "gather"
        elements = node.args if is_gathering else getattr(node, "elts", [])  # type: ignore[attr-defined]  # of a call
        if number >= len(elements) or any(isinstance(each, ast.Starred) for each in elements):
            return UNKNOWN
        return self.of(elements[number], spot)

    def _parameter(self, node: Parameter, spot: Spot) -> Known:
        outside = spot.scope.spot if spot.scope.kind == "function" and spot.scope.spot else spot
        is_of_module = outside.scope.kind == "module"  # whose names an annotation may have before they are bound
        read_at = Spot(outside.scope, outside.scope.root, AT_THE_END) if is_of_module else outside
        named = self.named_by(node.annotation, read_at)
        default = Known([]) if node.default is None else self.of(node.default, outside)
        if named is not None:
            return Known([*named.found, *default.found])
        return Known([*default.found, Found(node, outside)], True)

    def is_function(self, path: str) -> bool:
        """Whether an imported module defines a function of its own at a dotted path.

        Args:
            path: The path.
        """
        return self._imported.is_function(path)

    def named_by(self, annotation: ast.AST | None, spot: Spot) -> Known | None:
        """What an annotation says that a value is; None if it says too little.

        Args:
            annotation: The annotation.
            spot: Where it stands.
        """
        return named_by(annotation, spot, self.of, self._members)

    def _members(self, node: ast.AST, spot: Spot) -> Known:
        if isinstance(node, Imported):
            return self._imported.constant(f"{node.path}[]", spot)
        return self.classes.members(node, spot)

    def _attribute(self, node: ast.Attribute, spot: Spot) -> Known:
        members = self.classes.member_part(node, spot)
        if members is not None:
            return members.behind_a_name()
        owner = owner_of(node.value, spot)
        if owner is not None and isinstance(owner.node, ast.ClassDef):
            return self.classes.attribute(owner.node, node.attr, is_of_instance=True).behind_a_name()
        known = self.of(node.value, spot)
        parts = []
        for each in known.found:
            if isinstance(each.node, ast.ClassDef):
                parts.append(self.classes.attribute(each.node, node.attr, is_of_instance=False))
            elif isinstance(each.node, Imported):
                path = f"{each.node.path}.{node.attr}"
                constant = self._imported.constant(path, spot)
                parts.append(constant if constant.found else Known([Found(Imported(path), spot)]))
            elif isinstance(each.node, ast.Constant) and node.attr == "value":  # of an enum that is imported
                parts.append(Known([each]))
            else:
                parts.append(Known([Found(node, spot)]))
        return together(parts).behind_a_name() if parts and not known.is_open else Known([Found(node, spot)])

    def _either(self, node: ast.IfExp, spot: Spot) -> Known:
        return together([self.of(node.body, spot), self.of(node.orelse, spot)])

    def _any(self, node: ast.BoolOp, spot: Spot) -> Known:
        *first, last = [self.of(each, spot) for each in node.values]
        if isinstance(node.op, ast.And):
            return Known(last.found, True)
        true = [Known([each for each in known.found if not is_false(each.node)], known.is_open) for known in first]
        return together([*true, last])

    def _walrus(self, node: ast.NamedExpr, spot: Spot) -> Known:
        return self.of(node.value, spot)

    def _subscript(self, node: ast.Subscript, spot: Spot) -> Known:
        if parts_of(node) is not None:  # a type, such as Literal["a", "b"]
            return Known([Found(node, spot)])
        known = self.of(node.value, spot)
        whole = together(self._picked(each, node.slice, spot) for each in known.found)
        if not known.found:
            return Known([Found(node, spot)], True)
        return whole.more_open(known.is_open or is_changed(node.value, spot)).behind_a_name()

    def _picked(self, whole: Found, key: ast.expr, spot: Spot) -> Known:
        node = whole.node
        if isinstance(node, ast.ClassDef):
            return self._member_named(node, key, spot)
        if isinstance(node, Imported):
            return self._imported.item(node.path, self.of(key, spot), spot)
        wanted = self.of(key, spot)
        keys = [each.node.value for each in wanted.found if isinstance(each.node, ast.Constant)]
        is_sure = not wanted.is_open and len(keys) == len(wanted.found)
        if isinstance(node, ast.Dict) and None not in node.keys:
            pairs = [(getattr(each, "value", None), value) for each, value in zip(node.keys, node.values)]
            picked = [value for each, value in pairs if not is_sure or each in keys]
        elif isinstance(node, (ast.List, ast.Tuple)) and not any(isinstance(each, ast.Starred) for each in node.elts):
            picked = [each for number, each in enumerate(node.elts) if not is_sure or number in keys]
        else:
            return UNKNOWN
        return together(self.of(each, whole.spot) for each in picked) if picked else UNKNOWN

    def _member_named(self, node: ast.ClassDef, key: ast.expr, spot: Spot) -> Known:
        members = self.classes.members(node, spot)
        wanted = self.of(key, spot)
        names = [each.node.value for each in wanted.found if isinstance(each.node, ast.Constant)]
        if wanted.is_open or len(names) != len(wanted.found):
            return members
        return Known([each for each in members.found if isinstance(each.node, Member) and each.node.member in names])

    def _call(self, node: ast.Call, spot: Spot) -> Known:
        name, args = last_name(node.func), node.args
        itself = Known([Found(node, spot)])
        if any(isinstance(each, ast.Starred) for each in args):
            return itself
        if name == "cast" and len(args) == 2:
            return self.of(args[1], spot)
        if name == "str" and isinstance(node.func, ast.Name) and len(args) == 1:
            known = self.of(args[0], spot)
            return known if all(isinstance(each.node, ast.Constant) for each in known.found) else itself
        if name == "choice" and len(args) == 1:
            return self.items(args[0], spot)
        if name == "get" and isinstance(node.func, ast.Attribute) and args:
            return self._got(node, node.func, spot, itself)
        if name == "getenv" and len(args) == 2:
            return Known(self.of(args[1], spot).found, True)
        return itself

    def _got(self, node: ast.Call, function: ast.Attribute, spot: Spot, itself: Known) -> Known:
        """What `PROMPTS.get(key, "greeting")` gives, of a dict that is written out; or the environment."""
        if ast.dump(function.value).find("'environ'") >= 0 and len(node.args) == 2:
            return Known(self.of(node.args[1], spot).found, True)
        known = self.of(function.value, spot)
        if not known.found or not all(isinstance(each.node, ast.Dict) for each in known.found):
            return itself
        picked = together(self._picked(each, node.args[0], spot) for each in known.found)
        other = self.of(node.args[1], spot) if len(node.args) > 1 else Known([])
        is_open = known.is_open or is_changed(function.value, spot) or (picked.is_open and len(node.args) == 1)
        return together([Known(picked.found, is_open), other]).behind_a_name()


def is_false(node: ast.AST) -> bool:
    """Whether a literal is passed over by `or`.

    Args:
        node: The literal.
    """
    return isinstance(node, ast.Constant) and not node.value


_RESOLVERS: dict[type, Any] = {
    ast.Name: Values._name,
    ast.Attribute: Values._attribute,
    ast.IfExp: Values._either,
    ast.BoolOp: Values._any,
    ast.NamedExpr: Values._walrus,
    ast.Subscript: Values._subscript,
    ast.Call: Values._call,
}
