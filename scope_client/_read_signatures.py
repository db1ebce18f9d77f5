"""Signatures: what tools are told about the methods whose options are not written out one by one."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from ._config.read_options import ByLabel, ByVersion, ReadOptions

if TYPE_CHECKING:
    from inspect import Signature

_Method = TypeVar("_Method", bound=Callable[..., Any])
_READ_OPTIONS = {
    "label": ByLabel.__annotations__["label"],
    "version": ByVersion.__annotations__["version"],
    **ReadOptions.__annotations__,
    "requires": Any,  # a Collection, for which pydantic has no JSON schema, as a tool of a model needs
}
_OTHER_THAN_NONE = {"cache": True}


def with_read_options(method: _Method) -> _Method:
    """Has `inspect.signature` and `__annotations__` tell of each option of a read by its name.

    So an autospec of `unittest.mock`, pydantic and LangChain take the calls that the method takes. The parameters
    before the options are those of its code, also by keyword: the client and the name, and what may be left out.
    """
    told: Any = method
    given = told.__code__.co_varnames[: told.__code__.co_argcount]
    types = {**_READ_OPTIONS, **told.__annotations__}
    told.__annotations__ = {name: types[name] for name in (*given[1:], *_READ_OPTIONS, "return")}
    told.__wrapped__ = _Shown(told, given)
    return method


class _Shown:
    """What such a method seems to wrap. A signature is made when it is asked for: the import of `inspect` is slow."""

    def __init__(self, method: Any, given: tuple[str, ...]) -> None:
        self._given = given
        self._types = method.__annotations__
        # `inspect.getsource` goes on to this, and would turn for ever between a method and itself.
        self.__wrapped__ = FunctionType(method.__code__, method.__globals__, method.__name__)

    @property
    def __signature__(self) -> Signature:
        from inspect import Parameter, Signature

        def parameter(name: str, kind: Any) -> Parameter:
            default = Parameter.empty if name in self._given[:2] else _OTHER_THAN_NONE.get(name)
            return Parameter(name, kind, default=default, annotation=self._types.get(name, Parameter.empty))

        by_position = [parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in self._given]
        options = [parameter(name, Parameter.KEYWORD_ONLY) for name in _READ_OPTIONS if name not in self._given]
        return Signature([*by_position, *options], return_annotation=self._types["return"])
