"""The mutants of a room: its source with one place changed, the smallest change that a test should notice."""

from __future__ import annotations

import ast
import copy
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Mutant(NamedTuple):
    """To notice it, a test has to run a statement that begins in one of `lines`, or one that uses one of `names`."""

    room: str
    where: str
    change: str
    lines: tuple[int, ...]
    names: frozenset[str]
    source: bytes


class Place(NamedTuple):
    where: str = ""
    lines: tuple[int, ...] = ()
    names: frozenset[str] = frozenset()
    in_function: bool = False
    bound: Mapping[str, int] = MappingProxyType({})  # the first line that binds a name of the function


_COMPARISONS: dict[type, type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_NEGATIONS: dict[type, type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type, type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_SWAPS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_COPIES = {"dict", "frozenset", "list", "set", "sorted", "tuple"}
_NOT_YET_THERE = (ast.GeneratorExp, ast.Starred)
_SHAPES = {"casefold", "copy", "lower", "rstrip", "strip", "upper"}
_TYPES = {"NamedTuple", "NewType", "ParamSpec", "TypeVar"}


def mutants_of(room: str, source: bytes) -> list[Mutant]:
    """Every mutant of this source, in its order; of two that read the same, the second says so."""
    found: list[Mutant] = []
    seen: dict[tuple[str, str], int] = {}
    made = {each.source: each for each in _Finder(room, source).statements(ast.parse(source).body, Place())}
    for mutant in made.values():
        count = seen[mutant.where, mutant.change] = seen.get((mutant.where, mutant.change), 0) + 1
        found.append(mutant if count == 1 else mutant._replace(change=f"{mutant.change} ({count})"))
    return found


def first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_for_types_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _is_only_told(node: ast.stmt, owner: ast.ClassDef) -> bool:
    """A member of an enumeration whose value says what it means."""
    is_text = (
        isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )
    return is_text and any(ast.unparse(base).endswith("Enum") for base in owner.bases)


def is_elif(node: ast.stmt, parent: ast.stmt, lines: Sequence[bytes]) -> bool:
    return (
        isinstance(parent, ast.If)
        and parent.orelse == [node]
        and lines[node.lineno - 1][node.col_offset :].startswith(b"elif")
    )


def names_bound_by(node: ast.AST) -> frozenset[str]:
    return frozenset(
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    )


def _bound_in(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, int]:
    bound: dict[str, int] = {}
    for each in ast.walk(node):
        if isinstance(each, ast.arg):
            bound[each.arg] = 0
        elif isinstance(each, (ast.Global, ast.Nonlocal)):
            bound.update(dict.fromkeys(each.names, 0))
        elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            bound[each.id] = min(bound.get(each.id, each.lineno), each.lineno)
    return bound


def _swapped(node: ast.AST, **fields: object) -> str:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return ast.unparse(other)


class _Finder:
    def __init__(self, room: str, source: bytes) -> None:
        self._room, self._source = room, source
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def _mutant(self, place: Place, node: ast.expr | ast.stmt, text: str, change: str | None = None) -> Mutant:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[node.end_lineno - 1] + node.end_col_offset
        new = f"({text})" if isinstance(node, ast.expr) else text
        source = self._source[:start] + new.encode() + self._source[end:]
        told = change or f"`{ast.unparse(node)}` -> `{text}`"
        return Mutant(self._room, place.where or "module", told, place.lines, place.names, source)

    def _without(self, place: Place, node: ast.stmt, instead: str = "pass") -> Mutant:
        return self._mutant(place, node, instead, f"without `{ast.unparse(node)}`")

    # ---- statements

    def statements(self, body: Sequence[ast.stmt], place: Place, parent: ast.stmt | None = None) -> Iterator[Mutant]:
        for node in body:
            if is_docstring(node):
                continue
            if is_for_types_only(node):
                yield from self.statements(node.orelse, place)  # type: ignore[attr-defined]
            elif parent and is_elif(node, parent, self._lines):
                yield from self._statement(node, place)
            elif place.in_function:
                yield from self._statement(node, place._replace(lines=(first_line(node),)))
            else:
                yield from self._statement(node, place._replace(names=names_bound_by(node)))

    def _statement(self, node: ast.stmt, place: Place) -> Iterator[Mutant]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from self._function(node, place)
            return
        if isinstance(node, ast.ClassDef):
            inner = place._replace(where=f"{place.where}.{node.name}".lstrip("."), in_function=False)
            yield from self.statements([each for each in node.body if not _is_only_told(each, node)], inner)
            return
        if isinstance(node, ast.Assign) and {"__slots__", "__all__"} & names_bound_by(node):
            return
        if place.in_function:
            yield from self._left_out(node, place)
        if isinstance(node, (ast.For, ast.AsyncFor)):
            yield self._mutant(place, node.iter, "()")
        elif isinstance(node, ast.If) or (isinstance(node, ast.While) and not isinstance(node.test, ast.Constant)):
            yield from self._condition(node.test, place, also_true=isinstance(node, ast.If))
        elif isinstance(node, ast.AugAssign) and type(node.op) in _OPERATORS:
            yield self._mutant(place, node, _swapped(node, op=_OPERATORS[type(node.op)]()))
        for name, value in ast.iter_fields(node):
            if name in ("target", "targets", "annotation", "type_comment", "name", "names"):
                continue
            if name in ("body", "orelse", "finalbody"):
                yield from self.statements(value, place, node)
            elif name == "handlers":
                for handler in value:
                    if handler.type is not None:
                        yield self._mutant(place, handler.type, "()", f"without `except {ast.unparse(handler.type)}`")
                    yield from self.statements(handler.body, place)
            elif name == "cases":
                for case in value:
                    if case.guard is not None:
                        yield from self._condition(case.guard, place)
                        yield from self.expression(case.guard, place, is_condition=True)
                    yield from self.statements(case.body, place)
            elif name == "items":
                for item in value:
                    yield from self.expression(item.context_expr, place)
            else:
                for each in value if isinstance(value, list) else [value]:
                    if isinstance(each, ast.expr):
                        unpacked = isinstance(node, ast.Return) or (
                            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
                        )
                        yield from self.expression(
                            each, place, is_condition=name == "test", is_of_fixed_length=unpacked
                        )

    def _left_out(self, node: ast.stmt, place: Place) -> Iterator[Mutant]:
        if isinstance(node, (ast.Expr, ast.Raise, ast.Delete, ast.Break)):
            if not isinstance(getattr(node, "value", None), (ast.Yield, ast.YieldFrom)):
                yield self._without(place, node)
        elif isinstance(node, ast.Continue):
            yield self._mutant(place, node, "break")
        elif isinstance(node, ast.Return):
            if node.value is None:
                yield self._without(place, node)
            elif not isinstance(node.value, ast.Constant):
                yield self._mutant(place, node, "return None")
        elif isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            was_there = [
                isinstance(each, (ast.Attribute, ast.Subscript))
                or (isinstance(each, ast.Name) and place.bound.get(each.id, node.lineno) < node.lineno)
                for each in targets
            ]
            if all(was_there):
                yield self._without(place, node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, place: Place) -> Iterator[Mutant]:
        inner = Place(f"{place.where}.{node.name}".lstrip("."), in_function=True, bound=_bound_in(node))
        whole = inner._replace(lines=tuple(range(first_line(node), (node.end_lineno or node.lineno) + 1)))
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                yield from self.expression(default, whole)
        yield from self.statements(node.body, inner)

    # ---- expressions

    def _condition(self, test: ast.expr, place: Place, *, also_true: bool = True) -> Iterator[Mutant]:
        for text in ("True", "False") if also_true else ("False",):
            yield self._mutant(place, test, text)

    def expression(
        self, node: ast.expr, place: Place, *, is_condition: bool = False, is_of_fixed_length: bool = False
    ) -> Iterator[Mutant]:
        """A condition is made true and false by the statement around it, which says as much as its opposite does."""
        if isinstance(node, ast.JoinedStr):
            yield from self._pieces(node, place)
            return
        if isinstance(node, ast.Constant):
            yield from (self._mutant(place, node, repr(value)) for value in _other_constants(node.value))
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            swap = _COMPARISONS.get(type(node.ops[0])) or (not is_condition and _NEGATIONS.get(type(node.ops[0])))
            if swap:
                yield self._mutant(place, node, _swapped(node, ops=[swap()]))
        elif isinstance(node, ast.BoolOp):
            for operand in node.values:
                rest = [each for each in node.values if each is not operand]
                text = ast.unparse(rest[0]) if len(rest) == 1 else _swapped(node, values=rest)
                yield self._mutant(place, node, text)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
            if not is_condition:
                yield self._mutant(place, node, ast.unparse(node.operand))
        elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            if not (isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)):
                yield self._mutant(place, node, _swapped(node, op=_OPERATORS[type(node.op)]()))
        elif isinstance(node, ast.IfExp):
            yield from self._condition(node.test, place)
        elif isinstance(node, ast.Lambda) and ast.unparse(node.body) != "None":
            yield self._mutant(place, node.body, "None")
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set)) and not is_of_fixed_length:
            for each in node.elts:
                rest = [other for other in node.elts if other is not each]
                text = "set()" if isinstance(node, ast.Set) and not rest else _swapped(node, elts=rest)
                yield self._mutant(place, node, text, f"without `{ast.unparse(each)}` in `{ast.unparse(node)}`")
        elif isinstance(node, ast.Dict):
            yield from self._dict(node, place)
        elif isinstance(node, ast.Call):
            yield from self._call(node, place)
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            for generator in node.generators:
                for test in generator.ifs:
                    yield from self._condition(test, place)
        yield from self._children(node, place, is_condition, is_of_fixed_length and isinstance(node, ast.IfExp))

    def _children(self, node: ast.expr, place: Place, is_condition: bool, is_of_fixed_length: bool) -> Iterator[Mutant]:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"cast", *_TYPES}:
            if node.func.id == "cast":
                yield from self.expression(node.args[1], place)
            return
        for name, value in ast.iter_fields(node):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.expr):
                    within = name == "test" or (is_condition and isinstance(node, (ast.BoolOp, ast.UnaryOp)))
                    fixed = is_of_fixed_length or name == "slice"
                    yield from self.expression(each, place, is_condition=within, is_of_fixed_length=fixed)
                elif isinstance(each, ast.keyword):
                    yield from self.expression(each.value, place)
                elif isinstance(each, ast.comprehension):
                    yield from self.expression(each.iter, place)
                    for test in each.ifs:
                        yield from self.expression(test, place, is_condition=True)
                elif isinstance(each, ast.arguments):
                    for default in [*each.defaults, *filter(None, each.kw_defaults)]:
                        yield from self.expression(default, place)

    def _pieces(self, node: ast.JoinedStr, place: Place) -> Iterator[Mutant]:
        """A text without one of its pieces; what stands in braces has no place of its own before Python 3.12."""
        for piece in node.values:
            if isinstance(piece, ast.FormattedValue) or any(map(str.isalnum, str(getattr(piece, "value", "")))):
                rest = [each for each in node.values if each is not piece]
                told = ast.unparse(ast.JoinedStr([piece])) if isinstance(piece, ast.FormattedValue) else None
                told = told or repr(getattr(piece, "value", ""))
                try:
                    text = ast.unparse(ast.JoinedStr(rest))
                except ValueError:  # quotes within quotes, which 3.11 cannot write
                    continue
                yield self._mutant(place, node, text, f"without {told} in `{ast.unparse(node)}`")

    def _dict(self, node: ast.Dict, place: Place) -> Iterator[Mutant]:
        for key, value in zip(node.keys, node.values):
            keys = [other for other, its in zip(node.keys, node.values) if its is not value]
            values = [its for its in node.values if its is not value]
            told = f"{ast.unparse(key)}: {ast.unparse(value)}" if key else f"**{ast.unparse(value)}"
            text = _swapped(node, keys=keys, values=values)
            yield self._mutant(place, node, text, f"without `{told}` in a dict")

    def _call(self, node: ast.Call, place: Place) -> Iterator[Mutant]:
        for keyword in node.keywords:
            rest = [other for other in node.keywords if other is not keyword]
            told = f"without `{ast.unparse(keyword)}` in a call of `{ast.unparse(node.func)}`"
            yield self._mutant(place, node, _swapped(node, keywords=rest), told)
        if isinstance(node.func, ast.Name):
            if node.func.id in _SWAPS:
                yield self._mutant(place, node, _swapped(node, func=ast.Name(_SWAPS[node.func.id], ast.Load())))
            elif node.func.id in _COPIES and len(node.args) == 1 and not isinstance(node.args[0], _NOT_YET_THERE):
                yield self._mutant(place, node, ast.unparse(node.args[0]))
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _SHAPES and not node.args:
            yield self._mutant(place, node, ast.unparse(node.func.value))


def _other_constants(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value * 2, value / 2] if value else [1.0]
    if isinstance(value, str):
        return [""] if value else ["XX"]
    if isinstance(value, bytes):
        return [b""] if value else [b"XX"]
    return []
