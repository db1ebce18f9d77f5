"""Which tests run which statement: a source with a probe before each statement of its functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .changes import first_line, is_docstring, is_elif, is_for_types_only, names_bound_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Beside the packages in the copy. The name of the test comes from pytest, through the environment, so that forked
# children and the scripts that a test starts are heard as well. One short write to a file in append mode is atomic.
PROBE = '''"""Notes which test came by."""
import os

_seen = set()
_log = os.open(os.environ["MUTATION_LOG"], os.O_WRONLY | os.O_APPEND) if "MUTATION_LOG" in os.environ else None


def came_by(place):
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    if _log is not None and test and (test, place) not in _seen:
        _seen.add((test, place))
        os.write(_log, f"{place}\\t{test}\\n".encode())
'''


def with_probes(room: str, source: bytes) -> bytes:
    """A fork between two threads is no trouble: a probe takes no lock."""
    lines = source.splitlines(keepends=True)
    tree = ast.parse(source)
    for number, column in sorted(_places(tree.body, lines), reverse=True):
        lines.insert(number - 1, b" " * column + f"_came_by({f'{room}:{number}'!r})\n".encode())
    start = _end_of_head(tree.body)
    lines.insert(start, b"from mutation_probe import came_by as _came_by\n")
    return b"".join(lines)


def users_of(names: frozenset[str], sources: dict[str, bytes]) -> set[str]:
    """The places of all statements that use one of these names, or what is made of it where a module is loaded."""
    trees = {room: ast.parse(source) for room, source in sources.items()}
    known: set[str] = set()
    wanted = set(names)
    found: set[str] = set()
    while wanted:
        known |= wanted
        more: set[str] = set()
        for room, tree in trees.items():
            for node, outer in _statements(tree.body):
                if not _names_in(node) & wanted:
                    continue
                if outer is None:
                    more |= names_bound_by(node)
                else:
                    found.add(f"{room}:{first_line(outer)}")
        wanted = more - known
    return found


def _names_in(node: ast.stmt) -> set[str]:
    found = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            found.add(each.id)
        elif isinstance(each, ast.Attribute):
            found.add(each.attr)
    return found


def _statements(body: Sequence[ast.stmt]) -> Iterator[tuple[ast.stmt, ast.stmt | None]]:
    """Statements outside of functions, and those of functions with the statement whose probe tells of them."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _statements(node.body)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for inner in node.body:
                if not is_docstring(inner):
                    yield inner, inner
        else:
            yield node, None


def _places(body: Sequence[ast.stmt], lines: Sequence[bytes], inside: bool = False) -> Iterator[tuple[int, int]]:
    for node in body:
        if is_for_types_only(node):
            yield from _places(node.orelse, lines, inside)  # type: ignore[attr-defined]
            continue
        if inside and not is_docstring(node):
            yield first_line(node), node.col_offset
        within = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, [])
            if inner and is_elif(inner[0], node, lines):
                yield from _of_elif(inner[0], lines, within)
            else:
                yield from _places(inner, lines, within and not isinstance(node, ast.ClassDef))
        for part in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
            yield from _places(part.body, lines, within)


def _of_elif(node: ast.stmt, lines: Sequence[bytes], inside: bool) -> Iterator[tuple[int, int]]:
    """There is no place for a probe before `elif`; the first `if` has one."""
    for place in _places([node], lines, inside):
        if place != (node.lineno, node.col_offset):
            yield place


def _end_of_head(body: Sequence[ast.stmt]) -> int:
    """The lines of the docstring and of the imports from __future__."""
    end = 0
    for node in body:
        if not is_docstring(node) and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        end = node.end_lineno or end
    return end
