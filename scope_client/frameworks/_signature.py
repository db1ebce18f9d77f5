"""called_like: a function with the parameters of a method, which are written once."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Callable, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    _Parameters = ParamSpec("_Parameters")
else:  # `typing` has them from 3.10 on; what `typing.get_type_hints` reads says "any parameters"
    _Parameters = ...
    Concatenate = {(Any, _Parameters): ...}

_Result = TypeVar("_Result")


def called_like(
    method: Callable[Concatenate[Any, _Parameters], Any],
) -> Callable[[Callable[..., _Result]], Callable[_Parameters, _Result]]:
    """Decorates a function that passes its arguments on to this method.

    Type checkers, `help` and `inspect.signature` then see the parameters of the method, without `self`.
    """

    def decorated(function: Any) -> Any:
        signature = inspect.signature(method)
        parameters = [*signature.parameters.values()][1:]
        result = function.__annotations__["return"]
        function.__signature__ = signature.replace(parameters=parameters, return_annotation=result)
        function.__annotations__ = {**method.__annotations__, "return": result}
        function.__wrapped__ = method  # in whose module `typing.get_type_hints` finds the names
        return function

    return decorated
