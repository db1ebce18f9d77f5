"""Templates: `{{name}}` in a text; the content is parsed once and filled in one pass."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from .._frozen import Frozen
from .._wording import listed
from ..errors import MissingVariableError
from .surplus import STRICT, Surplus
from .values import as_text

_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_NAMES = slice(1, None, 2)  # of the pieces


class Template(Frozen):
    """One text, parsed: literal pieces and variable names by turns; `surplus` is about values without a variable."""

    __slots__ = ("_pieces", "_places", "_surplus", "variables")
    variables: tuple[str, ...]
    _pieces: list[str]
    _places: tuple[tuple[int, str], ...]
    _surplus: Surplus

    def __init__(self, content: str, surplus: Surplus = STRICT) -> None:
        pieces = _VARIABLE.split(content) if "{{" in content else [content]
        names = pieces[_NAMES] = [sys.intern(name) for name in pieces[_NAMES]]  # as the names of keywords are
        places = tuple(zip(range(1, len(pieces), 2), names))
        self._freeze(_pieces=pieces, _places=places, _surplus=surplus, variables=tuple(dict.fromkeys(names)))

    @property
    def pieces(self) -> tuple[str, ...]:
        """Literal text at even places, variable names at odd ones."""
        return tuple(self._pieces)

    @property
    def content(self) -> str:
        return "".join(["{{%s}}" % piece if place % 2 else piece for place, piece in enumerate(self._pieces)])  # noqa: UP031

    def render(self, values: dict[str, Any]) -> str:
        """The text with its variables filled in.

        Raises:
            MissingVariableError: A variable has no value.
            ValidationError: A value can only be a bug, or the text has no such variable.
            RenderError: `str()` fails for a value.
        """
        if len(values) != len(self.variables):
            return self._render_checked(values)
        filled = self._pieces.copy()
        try:
            for place, name in self._places:
                value = values[name]
                filled[place] = value if type(value) is str else as_text(name, value)
        except KeyError:
            return self._render_checked(values)
        return "".join(filled)

    def _render_checked(self, values: dict[str, Any]) -> str:
        """Raises what is wrong with the names, unless another thread has put the caller's dict right in between."""
        return self.render(checked_values(self.variables, dict(values), self._surplus, self.content))

    def messages(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """The text as one message from the user."""
        return [{"role": "user", "content": self.render(values)}]

    def _values(self) -> tuple[Any, ...]:
        return (self.content, self._surplus)


def checked_values(
    variables: tuple[str, ...], values: Mapping[str, object], surplus: Surplus, content: str
) -> dict[str, Any]:
    """The values of the variables, in their order.

    Raises:
        MissingVariableError: A variable has no value.
        ValidationError: A value has no variable, and `surplus` does not take it.
    """
    missing = [name for name in variables if name not in values]
    known = frozenset(variables)
    unknown = [name for name in values if name not in known]
    if missing:
        needs = f"no value was given for {listed(missing)}; the prompt needs {listed(variables)}"
        also = surplus.said(unknown, content)
        raise MissingVariableError(f"{needs}; {also}" if also else needs, missing_variables=missing)
    if unknown:
        surplus.take(unknown, variables, content)
    return {name: values[name] for name in variables}
