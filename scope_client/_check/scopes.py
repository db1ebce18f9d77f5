"""Scopes: which names a module binds, where, and to what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Union

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda]
BEFORE_ALL = -1  # the index of what a function has before its first statement: its parameters


class Scope:
    """A module, a class, a function, a lambda or a comprehension."""

    __slots__ = (
        "kind",
        "node",
        "spot",
        "names",
        "of_instance",
        "outer_names",
        "tested",
        "handed_on",
        "made_smaller",
        "changed",
        "title",
        "root",
    )

    def __init__(self, kind: str, node: ast.AST, spot: Spot | None, title: str) -> None:
        self.kind = kind
        self.node = node
        self.spot = spot
        """Where it stands in the scope around it."""
        self.names: dict[str, list[Binding]] = {}
        self.of_instance: dict[str, list[Binding]] = {}
        """Of a class: what its methods put into `self`."""
        self.outer_names: dict[str, str] = {}
        """Names that are declared "global" or "nonlocal"."""
        self.tested: set[str] = set()
        """Names that a condition looks at, so that their value in a branch is not any of theirs."""
        self.handed_on: set[str] = set()
        """Names whose object somebody else gets hold of, who may change it."""
        self.changed: set[str] = set()
        """Names whose object is changed in place."""
        self.made_smaller: set[str] = set()
        """Those of them that something is taken out of."""
        self.title = title
        """As in "Mailer.send"."""
        self.root = Block(self)

    @property
    def parent(self) -> Scope | None:
        """The scope around it."""
        return self.spot.scope if self.spot else None

    def around(self) -> Iterator[Scope]:
        """It and the scopes around it, from the inside."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


class Block:
    """Statements that run one after another."""

    __slots__ = ("scope", "parent", "index", "statement", "field", "beside", "ends")

    def __init__(
        self,
        scope: Scope,
        parent: Block | None = None,
        index: int = 0,
        statement: ast.AST | None = None,
        field: str = "",
    ) -> None:
        self.scope = scope
        self.parent = parent
        self.index = index
        """Of its statement in the parent."""
        self.statement = statement
        """The `if`, `for` and so on that it is in."""
        self.field = field
        self.beside: dict[str, Block] = {}
        """All blocks of its statement, by field."""
        self.ends = False
        """Whether what follows its statement is not reached from it: it ends in "return" or the like."""


class Spot:
    """Where a statement stands: what the names in it mean depends on nothing else."""

    __slots__ = ("scope", "block", "index", "statement")

    def __init__(self, scope: Scope, block: Block, index: int, statement: ast.AST | None = None) -> None:
        self.scope = scope
        self.block = block
        self.index = index
        self.statement = statement


class Binding:
    """One place that gives a name a value."""

    __slots__ = ("kind", "node", "spot", "path", "is_early", "_chain")

    def __init__(
        self, kind: str, node: ast.AST | None, spot: Spot, path: tuple[int, ...] = (), is_early: bool = False
    ) -> None:
        self.kind = kind
        """"value" of the expression `node`, "item" if it is each of its items, "with", "import", "def", "class",
        "parameter", "declared" by an annotation alone, or "unknown"."""
        self.node = node
        self.spot = spot
        self.path = path
        """Which part of the value, where it is taken apart: (1,) for `b` of `a, b = ...`."""
        self.is_early = is_early
        """Whether the rest of its own statement sees it, as with `:=`."""
        self._chain: dict[Block, int] = {}

    @property
    def chain(self) -> dict[Block, int]:
        """The blocks that it is in, each with the index of the statement that holds it."""
        if not self._chain:
            block: Block | None = self.spot.block
            index = self.spot.index
            while block is not None:
                self._chain[block] = index
                index, block = block.index, block.parent
        return self._chain


class Imported(ast.AST):
    """What an import gives a name: a dotted path."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


class Parameter(ast.AST):
    """A parameter of a function."""

    def __init__(self, annotation: ast.expr | None, default: ast.expr | None, is_first_of_method: bool) -> None:
        super().__init__()
        self.annotation = annotation
        self.default = default
        self.is_first_of_method = is_first_of_method


class ReadModule:
    """What one walk over the tree of a module brings."""

    def __init__(self, tree: ast.Module, path: str) -> None:
        self.path = path
        """Its dotted path, by the path of its file."""
        self.top = Scope("module", tree, None, "")
        self.calls: list[tuple[ast.Call, Spot]] = []
        """All calls, in no order."""
        self.pipes: list[tuple[ast.BinOp, Spot]] = []
        """All `a | b`."""
        self.inner: dict[ast.AST, Scope] = {}
        """The scopes of classes, functions, lambdas and comprehensions."""
        self.imports_scope = False
        self.starred_modules: list[str] = []
        """What names are imported from by `*`."""
        self.attributes_set: set[str] = set()
        """Attributes that are set on something other than `self`."""
