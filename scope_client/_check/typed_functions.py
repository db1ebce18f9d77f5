"""Typed functions: what the functions of a module that `scope types` wrote give to their prompts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .annotations import unquoted
from .call_forms import Arguments
from .given_values import Locate
from .known import last_name
from .scopes import ReadModule, Spot
from .use import Given

TYPES_REMEDY = "run `scope types` again"
_MAPPING_OF_TYPES = "TypedDict"


class TypedFunctions:
    """Reads them in one module.

    Args:
        module: The module.
        locate: Gives the place of a node.
    """

    def __init__(self, module: ReadModule, locate: Locate) -> None:
        self._module = module
        self._locate = locate

    def given(self, arguments: Arguments, spot: Spot) -> tuple[Given, ...]:
        """The variables that a caller has to give. One that may be left out counts as none.

        Args:
            arguments: Those of the call in the function.
            spot: Where the call stands.
        """
        parameters = _parameters(spot)
        values = arguments.get((1,))
        if not isinstance(values, ast.Dict):
            return ()
        given: list[Given] = []
        for key, value in zip(values.keys, values.values):
            parameter, is_needed = parameters.get(last_name(value), (None, True))
            if key is None:
                given += self._of_mapping(parameter)
            elif isinstance(key, ast.Constant) and isinstance(key.value, str) and is_needed:
                given.append(Given(key.value, self._locate(key), _kind(parameter.annotation if parameter else None)))
        return tuple(given)

    def _of_mapping(self, parameter: ast.arg | None) -> Iterator[Given]:
        """The keys that have to be in it; one that may be None has no such keys."""
        annotation = None if parameter is None or parameter.annotation is None else unquoted(parameter.annotation)
        if not isinstance(annotation, ast.Name):
            return
        for name in (annotation.id, f"{annotation.id}_needed"):
            for binding in self._module.top.names.get(name, ()):
                yield from self._of_typed_dict(binding.node)

    def _of_typed_dict(self, node: object) -> Iterator[Given]:
        if not isinstance(node, ast.Call) or last_name(node.func) != _MAPPING_OF_TYPES or len(node.args) < 2:
            return
        types = node.args[1]
        for key, annotation in zip(types.keys, types.values) if isinstance(types, ast.Dict) else ():
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield Given(key.value, self._locate(key), _kind(annotation))


def _parameters(spot: Spot) -> dict[str, tuple[ast.arg, bool]]:
    """Those of the function around, by name, and whether each has to be given."""
    node = spot.scope.node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return {}
    return {arg.arg: (arg, default is None) for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults)}


def _kind(annotation: ast.AST | None) -> str:
    return "messages" if isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "list" else "text"
