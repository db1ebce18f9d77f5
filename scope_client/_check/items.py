"""Items: what going through a list, a dict, an enum or a comprehension gives."""

from __future__ import annotations

import ast
from collections.abc import Callable

from .classes import Classes
from .imported_names import ImportedNames
from .known import UNKNOWN, Found, Known, Parts, is_changed, last_name, together
from .scopes import Imported, ReadModule, Spot

DEEPEST_NAME = 24
_COPIES_ITEMS = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter"})


class Items:
    """Goes through expressions of one module."""

    module: ReadModule
    classes: Classes
    _imported: ImportedNames
    _depth: int
    _under_way: set[int]

    def of(self, node: ast.AST, spot: Spot) -> Known:
        """What an expression may stand for.

        Args:
            node: The expression.
            spot: Where it stands.
        """
        raise NotImplementedError

    def named_by(self, annotation: ast.AST | None, spot: Spot) -> Known | None:
        """What an annotation says that a value is; None if it says too little.

        Args:
            annotation: The annotation.
            spot: Where it stands.
        """
        raise NotImplementedError

    def items(self, node: ast.AST, spot: Spot) -> Known:
        """What going through an expression gives.

        Args:
            node: The expression, such as a list.
            spot: Where it stands.
        """
        if is_changed(node, spot):
            return Known(together(self._items_of(each) for each in self.of(node, spot).found).found, True)
        known = self.of(node, spot)
        items = together(self._items_of(each) for each in known.found)
        return Known(items.found, items.is_open or known.is_open)

    def _items_of(self, whole: Found) -> Known:
        """A list may be made of itself, as `names = [*names, "a"]` in a loop."""
        node = id(whole.node)
        if self._depth >= DEEPEST_NAME or node in self._under_way:
            return UNKNOWN
        self._under_way.add(node)
        try:
            return self._items_of_expression(whole)
        finally:
            self._under_way.remove(node)

    def _items_of_expression(self, whole: Found) -> Known:
        node, spot, is_written = whole
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return together(self._item(each, spot, is_written) for each in node.elts)
        if isinstance(node, ast.Dict):
            keys = [Known([Found(key, spot, is_written)]) if key else UNKNOWN for key in node.keys]
            return together(keys)
        if isinstance(node, ast.ClassDef):
            return self.classes.members(node, spot)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            if any(part.ifs for part in node.generators):
                return UNKNOWN
            inner = self.module.inner[node]
            return Known([Found(node.elt, Spot(inner, inner.root, 0, spot.statement), is_written)])
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.BitOr)):
            return self._deeper(lambda: together([self.items(node.left, spot), self.items(node.right, spot)]))
        if isinstance(node, ast.Call):
            return self._deeper(lambda: self._items_of_call(node, spot))
        return self._items_of_import(node, spot) if isinstance(node, Imported) else UNKNOWN

    def _item(self, node: ast.expr, spot: Spot, is_written: bool) -> Known:
        if isinstance(node, ast.Starred):
            return self.items(node.value, spot)
        return Known([Found(node, spot, is_written)])

    def _deeper(self, look: Callable[[], Known]) -> Known:
        self._depth += 1
        try:
            return look()
        finally:
            self._depth -= 1

    def _items_of_call(self, node: ast.Call, spot: Spot) -> Known:
        function, args = node.func, node.args
        word = last_name(function)
        if any(isinstance(each, ast.Starred) for each in args):
            return UNKNOWN
        if isinstance(function, ast.Attribute) and not args:
            return self._items_of_dict(function, spot)
        if not args:
            return UNKNOWN
        if word == "get_args":
            return self.named_by(args[0], spot) or UNKNOWN
        if isinstance(function, ast.Name) and word in _COPIES_ITEMS:
            return self.items(args[0], spot)
        if isinstance(function, ast.Name) and word == "enumerate":
            inner = self.items(args[0], spot)
            return Known([Found(Parts([None, each]), spot, False) for each in inner.found], inner.is_open)
        return UNKNOWN

    def _items_of_dict(self, function: ast.Attribute, spot: Spot) -> Known:
        if function.attr == "keys":
            return self.items(function.value, spot)
        known = self.of(function.value, spot)
        if function.attr == "values" and len(known.found) == 1 and isinstance(known.found[0].node, Imported):
            return self._imported.constant(f"{known.found[0].node.path}{{}}", spot)
        dicts = [(each.node, each) for each in known.found]
        found: list[Found] = []
        is_open = known.is_open or is_changed(function.value, spot)
        for node, each in dicts:
            if not isinstance(node, ast.Dict) or function.attr not in ("values", "items") or None in node.keys:
                is_open = True
                continue
            for key, value in zip(node.keys, node.values):
                inner = Found(value, each.spot, each.is_written)
                pair = Found(Parts([Found(key or node, each.spot), inner]), each.spot, False)
                found.append(inner if function.attr == "values" else pair)
        return Known(found, is_open)

    def _items_of_import(self, node: Imported, spot: Spot) -> Known:
        return self._imported.constant(f"{node.path}[]", spot)
