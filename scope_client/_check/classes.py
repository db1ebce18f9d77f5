"""Classes: the attributes and enum members that the classes of a module have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Callable

from .known import UNKNOWN, Found, Known, Member, last_name, together
from .reaching import AT_THE_END, reaching
from .scopes import Binding, ReadModule, Spot

_PARTS_OF_A_MEMBER = frozenset({"value", "_value_", "name", "_name_"})
_ENUMS = ("Enum", "Choices")
_MAKES_A_CONSTRUCTOR = frozenset({"dataclass", "define", "frozen", "mutable", "attrs", "s"})
_HAS_A_CONSTRUCTOR = frozenset({"BaseModel", "BaseSettings", "NamedTuple", "Struct", "SQLModel"})


class Classes:
    """Looks into the classes of one module.

    Args:
        module: The module.
        values: Looks an expression up.
        bound: Looks up what a binding gives.
    """

    def __init__(
        self, module: ReadModule, values: Callable[[ast.AST, Spot], Known], bound: Callable[[Binding], Known]
    ) -> None:
        self._module = module
        self._values = values
        self._bound = bound

    def attribute(
        self, node: ast.ClassDef, name: str, *, is_of_instance: bool, seen: tuple[ast.ClassDef, ...] = ()
    ) -> Known:
        """What an attribute may be.

        Args:
            node: The class.
            name: The attribute.
            is_of_instance: Whether it is asked for on an instance, which may have its own.
            seen: The classes that led to this one.
        """
        if node in seen or name in self._module.attributes_set:
            return UNKNOWN
        if name in self.member_names(node):
            return Known([Found(Member(node, name), self._spot(node), False)])
        known = self._own(node, name, is_of_instance)
        if known is None:
            known = self._inherited(node, name, is_of_instance, (*seen, node))
        if is_of_instance and not seen:
            below = [self._own(each, name, True) for each in self._below(node)]
            known = together([known, *(each for each in below if each is not None)])
        return known

    def _own(self, node: ast.ClassDef, name: str, is_of_instance: bool) -> Known | None:
        scope = self._module.inner[node]
        bindings = reaching(scope.names.get(name, []), scope.root, AT_THE_END)
        own = scope.of_instance.get(name, []) if is_of_instance else []
        plain = [*bindings, *(each for each in own if each.kind != "declared")]
        if not plain and not own:
            return None
        known = together(self._bound(each) for each in plain or own)
        return known.more_open(bool(bindings) and is_of_instance and _takes_attributes(node))

    def _inherited(self, node: ast.ClassDef, name: str, is_of_instance: bool, seen: tuple[ast.ClassDef, ...]) -> Known:
        for base in self.bases(node):
            if base is None:
                return UNKNOWN
            known = self.attribute(base, name, is_of_instance=is_of_instance, seen=seen)
            if known.found:
                return known
        return UNKNOWN

    def bases(self, node: ast.ClassDef) -> Iterator[ast.ClassDef | None]:
        """What a class is derived from; None for a class that is not of the module.

        Args:
            node: The class.
        """
        for base in node.bases:
            found = self._values(base, self._spot(node)).found
            yield found[0].node if len(found) == 1 and isinstance(found[0].node, ast.ClassDef) else None

    def _below(self, node: ast.ClassDef) -> list[ast.ClassDef]:
        all_classes = [each for each in self._module.inner if isinstance(each, ast.ClassDef)]
        return [each for each in all_classes if each is not node and node in self.bases(each)]

    def defines(self, node: ast.ClassDef, name: str, seen: tuple[ast.ClassDef, ...] = ()) -> bool:
        """Whether a class has a method or attribute of this name.

        Args:
            node: The class.
            name: The name.
            seen: The classes that led to this one.
        """
        if name in self._module.inner[node].names:
            return True
        bases = [base for base in self.bases(node) if base is not None and base not in seen]
        return any(self.defines(base, name, (*seen, node)) for base in bases)

    def member_names(self, node: ast.ClassDef) -> list[str]:
        """The names of the members of an enum; none of another class.

        Args:
            node: The class.
        """
        if not self._is_enum(node):
            return []
        assigned = [target for each in node.body for target in _targets(each)]
        return [each.id for each in assigned if isinstance(each, ast.Name) and not each.id.startswith("_")]

    def _is_enum(self, node: ast.ClassDef, seen: tuple[ast.AST, ...] = ()) -> bool:
        if any(last_name(base).endswith(_ENUMS) for base in node.bases):
            return True
        bases = [base for base in self.bases(node) if base is not None and base not in seen]
        return any(self._is_enum(base, (*seen, node)) for base in bases)

    def members(self, node: ast.AST, spot: Spot) -> Known:
        """All members of an enum.

        Args:
            node: The class.
            spot: Where they are asked for.
        """
        names = self.member_names(node) if isinstance(node, ast.ClassDef) else []
        return Known([Found(Member(node, name), spot, False) for name in names]) if names else UNKNOWN  # type: ignore[arg-type]  # a class

    def member_value(self, member: Member) -> Known:
        """What a member is.

        Args:
            member: The member.
        """
        bindings = self._module.inner[member.of].names.get(member.member, [])
        if len(bindings) != 1:
            return UNKNOWN
        known = self._bound(bindings[0]).behind_a_name()
        if any(last_name(base).endswith("Choices") for base in member.of.bases):  # of Django: a value and its label
            known = together(_first(each) for each in known.found)
        if not any(isinstance(each.node, ast.Call) and last_name(each.node) == "auto" for each in known.found):
            return known
        is_of_text = any(last_name(base) == "StrEnum" for base in member.of.bases)
        text = ast.Constant(member.member.lower())
        return Known([Found(text, self._spot(member.of), False)]) if is_of_text else UNKNOWN

    def member_part(self, node: ast.Attribute, spot: Spot) -> Known | None:
        """What `.value` or `.name` of a member is; None if the expression is something else.

        Args:
            node: The expression.
            spot: Where it stands.
        """
        if node.attr not in _PARTS_OF_A_MEMBER:
            return None
        known = self._values(node.value, spot)
        members = [each.node for each in known.found if isinstance(each.node, Member)]
        if not members or len(members) < len(known.found):
            return None
        if node.attr.strip("_") == "name":
            return Known([Found(ast.Constant(each.member), spot, False) for each in members], known.is_open)
        return together(self.member_value(each) for each in members).more_open(known.is_open)

    def _spot(self, node: ast.ClassDef) -> Spot:
        spot = self._module.inner[node].spot
        assert spot is not None
        return spot


def _targets(statement: ast.stmt) -> list[ast.expr]:
    if isinstance(statement, ast.Assign):
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AnnAssign) and statement.value is not None else []


def _first(found: Found) -> Known:
    parts = found.node.elts if isinstance(found.node, ast.Tuple) else []
    return Known([Found(parts[0], found.spot, False)] if parts else [found])


def _takes_attributes(node: ast.ClassDef) -> bool:
    """Whether the constructor takes values for the attributes, as that of a dataclass does."""
    made = {last_name(each) for each in node.decorator_list}
    bases = {last_name(each) for each in node.bases}
    return bool(made & _MAKES_A_CONSTRUCTOR or bases & _HAS_A_CONSTRUCTOR)
