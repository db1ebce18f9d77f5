"""The one walk over the tree of a module: scopes, bindings and calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from .import_paths import dotted_path
from .known import last_name
from .name_binding import NameBinding
from .scopes import BEFORE_ALL, Binding, Block, Function, Parameter, ReadModule, Scope, Spot

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_JUMPS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_CHANGES_IN_PLACE = frozenset(
    "append extend insert update setdefault add __setitem__".split()  # noqa: SIM905
)
_MAKES_SMALLER = frozenset(("remove", "pop", "popitem", "clear", "discard", "__delitem__"))
# Calls that keep no hold of what they are given.
_LOOKS_ONLY = frozenset(
    "print len repr str dict list sorted set frozenset tuple bool isinstance type dumps pprint debug info warning error"  # noqa: SIM905
    " exception format render_prompt arender_prompt invoke ainvoke stream astream batch abatch prefetch aprefetch"
    " get_prompt_version aget_prompt_version read_prompt enumerate zip iter partial".split()
)


def read_module(tree: ast.Module, file: str, *, is_package: bool = False) -> ReadModule:
    """What the tree of a module binds and calls.

    Args:
        tree: As `ast.parse` gives it.
        file: The path of the file, by which relative imports are resolved.
        is_package: Whether it is an `__init__.py`.
    """
    module = ReadModule(tree, dotted_path(file))
    _Walk(module, is_package).walk(tree)
    return module


class _Walk(NameBinding):
    """Without recursion: a sum of a thousand parts is a thousand deep."""

    def walk(self, tree: ast.Module) -> None:
        top = self._module.top
        self._put_block(tree.body, top.root)
        waiting = self._waiting
        while waiting:
            node, spot, parent, is_tested = waiting.pop()
            visit = _VISITS.get(type(node))
            if visit is not None:
                visit(self, node, spot, parent, is_tested)
            else:
                self._put_children(node, spot, is_tested)

    def _put_all(self, nodes: Iterable[Any], spot: Spot, parent: ast.AST | None, is_tested: bool = False) -> None:
        for node in nodes:
            self._put(node, spot, parent, is_tested)

    def _put_children(self, node: ast.AST, spot: Spot, is_tested: bool) -> None:
        waiting = self._waiting
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, ast.AST):
                waiting.append((value, spot, node, is_tested))
            elif isinstance(value, list):
                for each in value:
                    if isinstance(each, ast.AST):
                        waiting.append((each, spot, node, is_tested))

    def _put_block(self, statements: list[Any], block: Block) -> None:
        block.ends = bool(statements) and isinstance(statements[-1], _JUMPS)
        for index, statement in enumerate(statements):
            self._waiting.append((statement, Spot(block.scope, block, index, statement), None, False))

    # Statements with blocks

    def _compound(self, node: Any, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        beside: dict[str, Block] = {}
        for field in node._fields:
            value: Any = getattr(node, field, None)
            if field in ("body", "orelse", "finalbody"):
                if value:
                    self._put_block(value, self._block(node, spot, field, beside))
            elif field == "handlers":
                for number, handler in enumerate(value):
                    block = self._block(node, spot, f"handler{number}", beside)
                    if handler.name:
                        self._bind(handler.name, Binding("unknown", None, Spot(spot.scope, block, BEFORE_ALL)))
                    self._put(handler.type, spot, handler)
                    self._put_block(handler.body, block)
            elif field == "cases":
                for number, case in enumerate(value):
                    block = self._block(node, spot, f"case{number}", beside)
                    inside = Spot(spot.scope, block, BEFORE_ALL, spot.statement)
                    self._put(case.pattern, inside, case)
                    self._put(case.guard, inside, case, True)
                    self._put_block(case.body, block)
            elif field in ("test", "subject"):
                self._put(value, spot, node, True)
            elif field == "target":
                self._assign(value, Binding("item", node.iter, spot), spot)
            elif field == "items":
                self._with_items(node, value, spot)
            elif isinstance(value, ast.AST):
                self._put(value, spot, node, is_tested)

    def _block(self, node: ast.AST, spot: Spot, field: str, beside: dict[str, Block]) -> Block:
        block = Block(spot.scope, spot.block, spot.index, node, field)
        beside[field] = block
        block.beside = beside
        return block

    def _with_items(self, node: ast.AST, items: list[ast.withitem], spot: Spot) -> None:
        for item in items:
            self._put(item.context_expr, spot, node)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, Binding("with", item.context_expr, spot), spot)

    def _function(self, node: Any, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        self._bind(node.name, Binding("def", node, spot))
        self._put_all(node.decorator_list, spot, node)
        self._put(node.returns, spot, node)
        scope = self._scope("function", node, spot, node.name)
        self._parameters(node, scope, spot)
        self._put_block(node.body, scope.root)

    def _lambda(self, node: ast.Lambda, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        scope = self._scope("function", node, spot, "")
        self._parameters(node, scope, spot)
        self._put(node.body, Spot(scope, scope.root, 0, spot.statement), node, is_tested)

    def _class(self, node: ast.ClassDef, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        self._bind(node.name, Binding("class", node, spot))
        self._put_all(node.decorator_list, spot, node)
        self._put_all([*node.bases, *node.keywords], spot, node)
        scope = self._scope("class", node, spot, node.name)
        self._put_block(node.body, scope.root)

    def _scope(self, kind: str, node: ast.AST, spot: Spot, name: str) -> Scope:
        outer = spot.scope.title
        scope = Scope(kind, node, spot, ".".join(filter(None, (outer, name))))
        self._module.inner[node] = scope
        return scope

    def _parameters(self, node: Function, scope: Scope, spot: Spot) -> None:
        given = node.args
        inside = Spot(scope, scope.root, BEFORE_ALL, spot.statement)
        plain = [*given.posonlyargs, *given.args]
        defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
        pairs = [*zip(plain, [*defaults, *given.defaults]), *zip(given.kwonlyargs, given.kw_defaults)]
        is_method = spot.scope.kind == "class" and not _is_static(node)
        for number, (arg, default) in enumerate(pairs):
            is_first = number == 0 and is_method and bool(plain)
            self._bind(arg.arg, Binding("parameter", Parameter(arg.annotation, default, is_first), inside))
            self._put(default, spot, arg)
            self._put(arg.annotation, spot, arg)
        for star in (given.vararg, given.kwarg):
            if star is not None:
                self._bind(star.arg, Binding("unknown", None, inside))

    def _comprehension(self, node: Any, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        scope = self._scope("comprehension", node, spot, "")
        inside = Spot(scope, scope.root, 0, spot.statement)
        for number, part in enumerate(node.generators):
            iterated = spot if number == 0 else inside
            self._assign(part.target, Binding("item", part.iter, Spot(scope, scope.root, BEFORE_ALL)), inside)
            self._put(part.iter, iterated, part)
            self._put_all(part.ifs, inside, part, True)
        values = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        self._put_all(values, inside, node, is_tested)

    # What binds names

    def _assignment(self, node: Any, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if node.value is not None:
                self._assign(target, Binding("value", node.value, spot), spot)
            elif isinstance(target, ast.Name):
                self._declare(target, node, spot)
        annotation = getattr(node, "annotation", None)
        if node.value is not None and isinstance(target, ast.Name) and annotation is not None:
            self._declare(target, node, spot)
        self._put(annotation, spot, node)
        self._put(node.value, spot, node)

    def _augmented(self, node: ast.AugAssign, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        self._assign(node.target, Binding("unknown", None, spot), spot)
        self._change(node.target, spot)
        self._put(node.value, spot, node)

    def _walrus(self, node: ast.NamedExpr, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        scope = next(scope for scope in spot.scope.around() if scope.kind != "comprehension")
        outer = spot
        while outer.scope is not scope and outer.scope.spot is not None:
            outer = outer.scope.spot
        self._assign(node.target, Binding("value", node.value, outer, is_early=True), outer)
        if is_tested and isinstance(node.target, ast.Name):
            spot.scope.tested.add(node.target.id)
        self._put(node.value, spot, node, is_tested)

    def _delete(self, node: ast.Delete, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        for target in node.targets:
            self._assign(target, Binding("unknown", None, spot), spot)
            if isinstance(target, ast.Subscript):
                self._change(target.value, spot, makes_smaller=True)

    def _alias(self, node: Any, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        if isinstance(node.name, ast.Name):  # `type Name = Literal["a", "b"]`
            self._bind(node.name.id, Binding("value", node.value, spot))

    def _pattern(self, node: Any, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(name, str):
            self._bind(name, Binding("unknown", None, spot))
        self._put_children(node, spot, True)

    # What is looked at

    def _call(self, node: ast.Call, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        self._module.calls.append((node, spot))
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in _CHANGES_IN_PLACE:
            self._change(function.value, spot)
        elif isinstance(function, ast.Attribute) and function.attr in _MAKES_SMALLER:
            self._change(function.value, spot, makes_smaller=True)
        self._put(function, spot, node, is_tested)
        self._put_all(node.args, spot, node, is_tested)
        self._put_all(node.keywords, spot, node, is_tested)

    def _name(self, node: ast.Name, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        if is_tested:
            spot.scope.tested.add(node.id)
        elif _hands_on(parent):
            self._hand_on(node, spot)

    def _attribute(self, node: ast.Attribute, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        if is_tested:
            spot.scope.tested.add(node.attr)
        elif _hands_on(parent):
            self._hand_on(node, spot)
        self._put(node.value, spot, node, is_tested)

    def _keyword(self, node: ast.keyword, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        self._put(node.value, spot, parent if node.arg else node, is_tested)

    def _either(self, node: ast.IfExp, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        self._put(node.test, spot, node, True)
        self._put(node.body, spot, node, is_tested)
        self._put(node.orelse, spot, node, is_tested)

    def _assert(self, node: ast.Assert, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        self._put(node.test, spot, node, True)
        self._put(node.msg, spot, node)

    def _binary(self, node: ast.BinOp, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        if isinstance(node.op, ast.BitOr):
            self._module.pipes.append((node, spot))
        self._put(node.left, spot, node, is_tested)
        self._put(node.right, spot, node, is_tested)

    def _dict(self, node: ast.Dict, spot: Spot, parent: ast.AST | None, is_tested: bool) -> None:
        for key, value in zip(node.keys, node.values):
            self._put(key, spot, node, is_tested)
            self._put(value, spot, node if key else None, is_tested)  # `{**values}` copies


def _is_static(node: Function) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in decorators)


def _hands_on(parent: ast.AST | None) -> bool:
    """Whether this parent of an expression may change its object, or give it to others."""
    if isinstance(parent, ast.Call):
        return last_name(parent.func) not in _LOOKS_ONLY
    return isinstance(parent, _KEEPERS)


_KEEPERS = (
    *(ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Yield, ast.YieldFrom),
    *(ast.BoolOp, ast.IfExp, ast.Lambda),
)
_VISITS: dict[type, Any] = {
    ast.FunctionDef: _Walk._function,
    ast.AsyncFunctionDef: _Walk._function,
    ast.Lambda: _Walk._lambda,
    ast.ClassDef: _Walk._class,
    ast.Assign: _Walk._assignment,
    ast.AnnAssign: _Walk._assignment,
    ast.AugAssign: _Walk._augmented,
    ast.NamedExpr: _Walk._walrus,
    ast.Import: _Walk._import,
    ast.ImportFrom: _Walk._import_from,
    ast.Global: _Walk._outer_names,
    ast.Nonlocal: _Walk._outer_names,
    ast.Delete: _Walk._delete,
    ast.Call: _Walk._call,
    ast.Name: _Walk._name,
    ast.Attribute: _Walk._attribute,
    ast.keyword: _Walk._keyword,
    ast.IfExp: _Walk._either,
    ast.Assert: _Walk._assert,
    ast.BinOp: _Walk._binary,
    ast.Dict: _Walk._dict,
    **dict.fromkeys(_COMPREHENSIONS, _Walk._comprehension),
    **dict.fromkeys((ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try), _Walk._compound),
}
for _name in ("TryStar", "Match"):
    if hasattr(ast, _name):
        _VISITS[getattr(ast, _name)] = _Walk._compound
for _name in ("MatchAs", "MatchStar", "MatchMapping"):
    if hasattr(ast, _name):
        _VISITS[getattr(ast, _name)] = _Walk._pattern
if hasattr(ast, "TypeAlias"):
    _VISITS[ast.TypeAlias] = _Walk._alias
