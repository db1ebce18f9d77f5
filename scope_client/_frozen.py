"""Frozen: a value whose attributes are set once, when it is made. CopiedAsItself: what no copy is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, ClassVar, NoReturn, TypeVar

_Kind = TypeVar("_Kind")
if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:  # `typing` has it from 3.11 on

    def dataclass_transform(**_: Any) -> Callable[[_Kind], _Kind]:
        return lambda kind: kind


_Self = TypeVar("_Self")
set_slot = object.__setattr__  # what `Frozen._freeze` does, one by one: for the values that are made in every fetch


class CopiedAsItself:
    """`copy.copy` and `copy.deepcopy` give the object itself, also in a copy of what holds it."""

    __slots__ = ()

    def __copy__(self: _Self) -> _Self:
        return self

    def __deepcopy__(self: _Self, memo: dict[int, Any]) -> _Self:
        return self


@dataclass_transform(frozen_default=True)
class Frozen(CopiedAsItself):
    """Equality, hash, repr and pickling go by the fields: the names in `__slots__`, apart from those in `_derived`."""

    __slots__: tuple[str, ...] = ()
    _derived: ClassVar[tuple[str, ...]] = ()  # slots that hold what follows from the fields

    def _freeze(self, **slots: Any) -> None:
        for name, value in slots.items():
            set_slot(self, name, value)

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if name not in self._derived}

    def _values(self) -> tuple[Any, ...]:
        return tuple(self._fields().values())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._fields().items())
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> Any:
        return type(self), self._values()
