"""Frozen: a value whose attributes are set once, when it is made."""

from __future__ import annotations

from typing import Any, NoReturn


class Frozen:
    """What is shared must not change; equality and repr go by the fields named in `__slots__`.

    So do hash and pickling, where each field allows them.
    """

    __slots__: tuple[str, ...] = ()

    def _freeze(self, **fields: Any) -> None:
        put = object.__setattr__
        for name, value in fields.items():
            put(self, name, value)

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> Any:
        return type(self), self._values()
