"""Held values: what JSON can hold, from front matter or from an answer, read-only down to the last mapping."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple, Optional

from .._prompt.jsonvalue import DepthError, is_number, parse, well_formed
from .._wording import cut, shown
from ..errors import ConfigurationError

MAX_METADATA_VALUES = 100_000
MAX_METADATA_CHARACTERS = 10_000_000


def held(what: str, value: object, example: str) -> Mapping[str, Any]:
    """The mapping of a key, read-only; ConfigurationError if it is not one that JSON can hold.

    Front matter may also give the JSON text of a mapping, for one that YAML is too slow for, or that is nested deeply.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = held_json(_parsed(what, value))
        assert isinstance(value, Mapping)  # JSON that begins so is nothing else
        return value
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{what} must be a mapping such as {example}, got {shown(value)}")
    try:
        frozen: Mapping[str, Any] = _Freezer().frozen(_Place(None, what), value)
    except RecursionError:
        raise ConfigurationError(f"{what} is nested too deeply; make it flatter") from None
    return frozen


def held_json(value: Any) -> Any:
    """The same for what was JSON: it has no limit of its own, because nothing in it stands for more than it says."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: held_json(each) for key, each in value.items()})
    return tuple([held_json(each) for each in value]) if isinstance(value, list) else value


def thawed(value: object) -> Any:
    """A copy of a held value, as JSON has it."""
    if isinstance(value, Mapping):
        return {key: thawed(each) for key, each in value.items()}
    return [thawed(each) for each in value] if isinstance(value, tuple) else value


def _parsed(what: str, text: str) -> Any:
    try:
        return parse(text)
    except DepthError:
        raise ConfigurationError(f"{what} is nested too deeply; make it flatter") from None
    except ValueError as error:
        raise ConfigurationError(f"{what} is text that is not JSON: {cut(str(error))}") from None


class _Place(NamedTuple):
    """Where a value is; written out only if it is wrong, because the names on the way to it may be long."""

    within: Optional["_Place"]
    step: str

    def __str__(self) -> str:
        steps: list[str] = []
        place: Optional[_Place] = self
        while place is not None:
            steps.append(place.step)
            place = place.within
        return cut("".join(reversed(steps)))


class _Freezer:
    """Counts what it freezes: a few values that contain each other's may unfold to any number of them."""

    def __init__(self) -> None:
        self._values = self._characters = 0

    def frozen(self, where: _Place, value: object) -> Any:
        """The value as JSON will hold it, read-only down to the last mapping; dates become ISO text."""
        self._values += 1
        self._characters += len(value) if isinstance(value, str) else 0
        if self._values > MAX_METADATA_VALUES or self._characters > MAX_METADATA_CHARACTERS:
            raise ConfigurationError(f"metadata must have at most {MAX_METADATA_VALUES:,} values; make it smaller")
        if isinstance(value, str):
            return well_formed(value)
        if value is None or is_number(value):
            return value
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, Mapping):
            return MappingProxyType(
                {_text_key(where, key): self.frozen(_Place(where, f".{key}"), each) for key, each in value.items()}
            )
        if isinstance(value, (list, tuple)):
            return tuple([self.frozen(_Place(where, f"[{place}]"), each) for place, each in enumerate(value)])
        raise ConfigurationError(f"{where} must be a value that JSON can hold, got {shown(value)}")


def _text_key(where: _Place, key: object) -> str:
    if not isinstance(key, str):
        raise ConfigurationError(f"the keys of {where} must be text, got {shown(key)}; put it in quotes")
    return well_formed(key)
