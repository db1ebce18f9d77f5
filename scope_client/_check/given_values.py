"""Given values: which variables a mapping or keywords give values for."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Callable, NamedTuple

from .known import Found, is_changed, is_none, last_name
from .scopes import Spot
from .texts import texts_of
from .use import Given, Place
from .values import Values

Locate = Callable[[ast.AST], Place]
_TEXT_METHODS = frozenset({"format", "join", "strip", "upper", "lower", "title", "replace"})


class GivenValues(NamedTuple):
    """The variables that get values."""

    given: tuple[Given, ...] = ()
    is_open: bool = False
    """Whether more may be given."""
    is_either: bool = False
    """Whether they are those of several mappings, of which one is given."""

    def joined(self, other: GivenValues) -> GivenValues:
        """Both together.

        Args:
            other: The other ones, which win.
        """
        named = {each.name: each for each in (*self.given, *other.given)}
        return GivenValues(tuple(named.values()), self.is_open or other.is_open, self.is_either or other.is_either)

    def of_one(self) -> GivenValues:
        """What is certain if each of several prompts may have a mapping of its own."""
        return NOT_SEEN if self.is_either else self


NOT_SEEN = GivenValues((), True)
MAX_MAPPINGS_OF_A_CALL = 1000


class Mappings:
    """Reads what mappings give in one module.

    Args:
        values: Looks names up.
        locate: Gives the place of a node.
    """

    def __init__(self, values: Values, locate: Locate) -> None:
        self._values = values
        self._locate = locate
        self._under_way: set[int] = set()
        self._looked_at = 0

    def of(self, node: ast.AST | None, spot: Spot) -> GivenValues:
        """What a mapping gives; the variables of all that it may be, if it may be several.

        Args:
            node: The mapping, such as a dict; None for none.
            spot: Where it stands.
        """
        if node is None:
            return GivenValues()
        if _may_lose(node, spot):
            return NOT_SEEN
        known = self._values.of(node, spot)
        given = GivenValues((), known.is_open or not known.found or _may_grow(node, spot))
        kinds = [self._of_one(each) for each in known.found]
        for each in kinds:
            given = given.joined(each)
        is_one = len({frozenset(name.name for name in each.given) for each in kinds}) <= 1
        return given if is_one else given._replace(is_open=True, is_either=True)

    def keywords(
        self, keywords: Iterable[ast.keyword], spot: Spot, options: frozenset[str] = frozenset()
    ) -> GivenValues:
        """What the keywords of a call give.

        Args:
            keywords: The keywords; `**values` too.
            spot: Where the call stands.
            options: The keywords that are no values.
        """
        given = GivenValues()
        for keyword in keywords:
            if keyword.arg is None:
                more = self.of(keyword.value, spot)
                more = more._replace(given=tuple(each for each in more.given if each.name not in options))
                given = given.joined(more)
            elif keyword.arg not in options:
                kind = self._kind(keyword.value, spot)
                given = given.joined(GivenValues((Given(keyword.arg, self._locate(keyword), kind),)))
        return given

    def _of_one(self, found: Found) -> GivenValues:
        """A mapping may be made of itself, as `v = {**v}` in a loop; and each of a chain of the one before, twice."""
        node = id(found.node)
        if not self._under_way:
            self._looked_at = 0
        self._looked_at += 1
        if node in self._under_way or self._looked_at > MAX_MAPPINGS_OF_A_CALL:
            return NOT_SEEN
        self._under_way.add(node)
        try:
            return self._of_expression(found.node, found.spot)
        finally:
            self._under_way.remove(node)

    def _of_expression(self, node: ast.AST, spot: Spot) -> GivenValues:
        if is_none(node):
            return GivenValues()
        if isinstance(node, ast.Dict):
            return self._of_dict(node, spot)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self.of(node.left, spot).joined(self.of(node.right, spot))
        if isinstance(node, ast.Call):
            return self._of_call(node, spot)
        return NOT_SEEN

    def _of_dict(self, node: ast.Dict, spot: Spot) -> GivenValues:
        given = GivenValues()
        for key, value in zip(node.keys, node.values):
            if key is None:
                given = given.joined(self.of(value, spot))
                continue
            texts = texts_of(self._values, key, spot)
            if texts.is_open or len(texts.known) != 1:
                given = given._replace(is_open=True)
            else:
                name = Given(texts.known[0].text, self._locate(key), self._kind(value, spot))
                given = given.joined(GivenValues((name,)))
        return given

    def _of_call(self, node: ast.Call, spot: Spot) -> GivenValues:
        name = last_name(node)
        if name == "copy" and isinstance(node.func, ast.Attribute) and not node.args:
            return self.of(node.func.value, spot)
        if name in ("deepcopy", "copy", "MappingProxyType") and len(node.args) == 1:
            return self.of(node.args[0], spot)
        if name != "dict" or not isinstance(node.func, ast.Name) or len(node.args) > 1:
            return NOT_SEEN
        given = self.of(node.args[0], spot) if node.args else GivenValues()
        return given.joined(self.keywords(node.keywords, spot))

    def _kind(self, node: ast.AST, spot: Spot) -> str | None:
        """What a value is, where its literal shows it: a text, or a list of messages."""
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            return "text"
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
            return self._kind(node.left, spot)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_METHODS:
            return self._kind(node.func.value, spot)
        return "messages" if is_list_of_messages(node) else None


def is_list_of_messages(node: ast.AST) -> bool:
    """Whether a literal is a list with a message of a chat in it.

    Args:
        node: The literal.
    """
    if not isinstance(node, (ast.List, ast.Tuple)):
        return False
    dicts = [each for each in node.elts if isinstance(each, ast.Dict)]
    return any(isinstance(key, ast.Constant) and key.value == "role" for each in dicts for key in each.keys)


def _may_lose(node: ast.AST, spot: Spot) -> bool:
    """Whether values are taken out of the mapping behind a name somewhere."""
    name = last_name(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    return bool(name) and any(name in scope.made_smaller for scope in spot.scope.around())


def _may_grow(node: ast.AST, spot: Spot) -> bool:
    """Whether somebody else may put more values into the mapping behind a name."""
    name = last_name(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    return is_changed(node, spot) or any(name in scope.handed_on for scope in spot.scope.around())
