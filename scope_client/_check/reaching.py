"""Reaching: which of the bindings of a name may be the one that is in force at a place."""

from __future__ import annotations

import ast
import sys

from .scopes import Binding, Block, Scope, Spot

MOST_BINDINGS = 40
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_MANAGERS = (ast.With, ast.AsyncWith)
_HANDLING = ("Try", "TryStar")
AT_THE_END = sys.maxsize


def bindings_of(name: str, spot: Spot) -> list[Binding] | None:
    """The bindings that a name may have at a place; None if nothing binds it, an empty list if that cannot be told.

    Args:
        name: The name.
        spot: The place.
    """
    block, index = spot.block, spot.index
    is_at_once = True  # whether the scope that binds it runs up to the place, and no further
    scope: Scope | None = spot.scope
    is_inside_function = False
    while scope is not None:
        if name in scope.outer_names and scope.outer_names[name] == "global":
            return _of_global(name, scope)
        is_visible = scope.kind != "class" or not is_inside_function
        if is_visible and name in scope.names:
            bindings = scope.names[name]
            if len(bindings) > MOST_BINDINGS or any(each.spot.scope is not scope for each in bindings):
                return []
            return reaching(bindings, block, index) if is_at_once else _whenever(bindings, scope)
        is_inside_function = is_inside_function or scope.kind == "function"
        is_at_once = is_at_once and scope.kind != "function"
        if scope.spot is None:
            return None
        block, index = scope.spot.block, scope.spot.index
        scope = scope.parent
    return None


def _of_global(name: str, scope: Scope) -> list[Binding] | None:
    *_, top = scope.around()
    bindings = top.names.get(name)
    if bindings is None or any(each.spot.scope is not top for each in bindings):
        return [] if bindings else None
    return _whenever(bindings, top)


def _whenever(bindings: list[Binding], scope: Scope) -> list[Binding]:
    """What a function that runs later sees: the last value, if no earlier one was in force for a while."""
    if len(bindings) == 1:
        return bindings
    at_the_end = reaching(bindings, scope.root, AT_THE_END)
    return at_the_end if len(at_the_end) == len(bindings) else []


def reaching(bindings: list[Binding], block: Block, index: int) -> list[Binding]:
    """The bindings, all of one scope, that may be in force before a statement of this scope.

    Args:
        bindings: All that the name has there.
        block: The block of the statement.
        index: Its place in the block.
    """
    found: list[Binding] = []
    here = [each for each in bindings if block in each.chain]
    own = [each for each in here if each.chain[block] == index]
    found += [each for each in own if each.is_early or (each.spot.block is not block and _is_of_loop(each, block))]
    if _before(here, block, index, found):
        return _each_once(found)
    inner: Block = block
    while inner.parent is not None:
        outer = inner.parent
        here = [each for each in bindings if outer in each.chain]
        own = [each for each in here if each.chain[outer] == inner.index]
        if isinstance(inner.statement, _LOOPS):
            found += [each for each in own if each.spot.block is not outer]  # of the round before
        if type(inner.statement).__name__ in _HANDLING and inner.field != "body":
            found += [each for each in own if inner.beside.get("body") in each.chain]
        header = [each for each in own if each.spot.block is outer]
        found += header
        if header and not (isinstance(inner.statement, _LOOPS) and inner.field == "orelse"):
            break
        if _before(here, outer, inner.index, found):
            break
        inner = outer
    return _each_once(found)


def _each_once(found: list[Binding]) -> list[Binding]:
    return sorted(dict.fromkeys(found), key=lambda each: getattr(each.spot.statement, "lineno", 0))


def _before(here: list[Binding], block: Block, end: int, found: list[Binding]) -> bool:
    """Adds what is in force before the statement `end`; whether one of them surely is."""
    for index in sorted({each.chain[block] for each in here if each.chain[block] < end}, reverse=True):
        if _after_statement([each for each in here if each.chain[block] == index], block, found):
            return True
    return False


def _after_statement(group: list[Binding], block: Block, found: list[Binding]) -> bool:
    """Adds what is in force after a statement that binds the name; whether it surely does."""
    header = [each for each in group if each.spot.block is block]
    nested = [each for each in group if each.spot.block is not block]
    if not nested:
        found += header
        return not any(_is_header_of_loop(each) for each in header)
    beside = _child(nested[0], block).beside
    statement = _child(nested[0], block).statement
    if isinstance(statement, ast.If):
        is_complete = _after_branches(nested, list(beside.values()), found) and "orelse" in beside
    elif isinstance(statement, _MANAGERS) and "suppress" not in _shown_items(statement):
        is_complete = _before(_in(nested, beside["body"]), beside["body"], AT_THE_END, found)
    elif type(statement).__name__ in _HANDLING:
        is_complete = _after_handling(nested, beside)
        found += nested
    else:
        is_complete = False
        found += nested
    found += header
    return is_complete or bool(header and not isinstance(statement, _LOOPS))


def _after_branches(nested: list[Binding], blocks: list[Block], found: list[Binding]) -> bool:
    results = []
    for block in blocks:
        bound: list[Binding] = []
        results.append(_before(_in(nested, block), block, AT_THE_END, bound) or block.ends)
        if not block.ends:
            found += bound
    return all(results)


def _after_handling(nested: list[Binding], beside: dict[str, Block]) -> bool:
    def binds(field: str) -> bool:
        block = beside.get(field)
        return block is not None and (_before(_in(nested, block), block, AT_THE_END, []) or block.ends)

    handlers = [field for field in beside if field.startswith("handler")]
    return binds("finalbody") or ((binds("body") or binds("orelse")) and all(map(binds, handlers)))


def _in(bindings: list[Binding], block: Block) -> list[Binding]:
    return [each for each in bindings if block in each.chain]


def _child(binding: Binding, block: Block) -> Block:
    """The block below this one that leads to the binding."""
    inner = binding.spot.block
    while inner.parent is not None and inner.parent is not block:
        inner = inner.parent
    return inner


def _is_of_loop(binding: Binding, block: Block) -> bool:
    return isinstance(_child(binding, block).statement, _LOOPS)


def _is_header_of_loop(binding: Binding) -> bool:
    return isinstance(binding.spot.statement, _LOOPS) and not binding.is_early


def _shown_items(statement: ast.With | ast.AsyncWith) -> str:
    return " ".join(ast.dump(item.context_expr) for item in statement.items)
