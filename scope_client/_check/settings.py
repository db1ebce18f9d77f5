"""Settings: `[tool.scope.check]` in the pyproject.toml of the current folder, or of one above it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._foreign_text import printable
from .._interrupts import pass_on
from .._toml import toml_in
from .._wording import listed, nearest, shown
from ..errors import ConfigurationError

PROJECT_FILE = "pyproject.toml"
MAX_PROJECT_FILE_BYTES = 10 * 1024 * 1024
_TABLE = "[tool.scope.check]"
_IN_OTHER_TABLES = ("tool", "scope", "check")
PLATFORM = "platform"


class CheckSettings(NamedTuple):
    """What a project says of its check; paths are relative to the current folder."""

    paths: tuple[str, ...] = ()
    """Files and folders to look at."""
    exclude: tuple[str, ...] = ()
    """Patterns of paths to leave out."""
    calls: tuple[str, ...] = ()
    """The project's own functions that ask for a prompt, such as "app.llm.prompt:0"."""
    against: str | None = None
    """"platform", a folder or a lock."""
    label: str | None = None
    """The label whose versions stand for those in production."""
    lock: str | None = None
    """The lock that what is in production is to be that of."""
    baseline: str | None = None
    """The file of findings that are known."""
    strict: bool = False
    """Whether what is known only at run time is a finding."""


_KEYS_OF_TEXT = ("against", "label", "lock", "baseline")
_KEYS_OF_LISTS = ("paths", "exclude", "calls")
_KEYS_OF_PATHS = ("paths", "against", "lock", "baseline")


def read_settings(folder: str = ".") -> CheckSettings:
    """The settings of the nearest pyproject.toml that has some; the defaults, if none has.

    Args:
        folder: Where to begin.

    Raises:
        ConfigurationError: The file cannot be read, or a key or a value in the table is wrong.
    """
    found = (_settings_in(path, folder) for path in _project_files(folder))
    return next((settings for settings in found if settings is not None), CheckSettings())


def _settings_in(path: str, folder: str) -> CheckSettings | None:
    try:
        table = _table(_parsed_toml(path))
        return None if table is None else _checked(table, os.path.dirname(path), folder)
    except ConfigurationError as error:
        raise ConfigurationError(f"{os.path.relpath(path, folder)}: {error.message}") from None


def _project_files(folder: str) -> Iterator[str]:
    """The nearest first."""
    above = os.path.abspath(folder)
    while True:
        path = os.path.join(above, PROJECT_FILE)
        if os.path.isfile(path):
            yield path
        above, below = os.path.dirname(above), above
        if above == below:
            return


def _parsed_toml(path: str) -> Mapping[str, Any]:
    try:
        with open(path, "rb") as file:
            octets = file.read(MAX_PROJECT_FILE_BYTES + 1)
        if len(octets) > MAX_PROJECT_FILE_BYTES:
            raise ConfigurationError(f"it is larger than {MAX_PROJECT_FILE_BYTES:,} bytes")
        return toml_in(octets, "it cannot be read: TOML before Python 3.11")
    except OSError as error:
        pass_on(error)
        raise ConfigurationError(f"it cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"it is not TOML ({printable(str(error))})") from None


def _table(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: Any = data
    for name in _IN_OTHER_TABLES:
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"{_TABLE} must be a table, got {shown(found)}")
    return found


def _checked(table: Mapping[str, Any], base: str, folder: str) -> CheckSettings:
    given: dict[str, Any] = {}
    for key, value in table.items():
        if key not in CheckSettings._fields:
            near = nearest(key, CheckSettings._fields)
            advice = f"its keys are {listed(CheckSettings._fields)}" if near is None else f"the nearest one is {near!r}"
            raise ConfigurationError(f"{_TABLE} has no key {shown(key)}; {advice}")
        given[key] = _value(key, value)
    for key in _KEYS_OF_PATHS:
        value = given.get(key)
        if isinstance(value, tuple):
            given[key] = tuple(_seen_from(folder, base, path) for path in value)
        elif value not in (None, PLATFORM):
            given[key] = _seen_from(folder, base, value)
    return CheckSettings(**given)


def _value(key: str, value: Any) -> Any:
    if key in _KEYS_OF_TEXT:
        if not isinstance(value, str) or not value:
            raise ConfigurationError(f"{_TABLE} takes text for {key}, got {shown(value)}")
        return value
    if key in _KEYS_OF_LISTS:
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            example = f'{key} = ["app.llm.prompt:0"]' if key == "calls" else f'{key} = ["src"]'
            raise ConfigurationError(f"{_TABLE} takes a list of text for {key}, such as {example}, got {shown(value)}")
        return tuple(value)
    if not isinstance(value, bool):
        raise ConfigurationError(f"{_TABLE} takes true or false for {key}, got {shown(value)}")
    return value


def _seen_from(folder: str, base: str, path: str) -> str:
    given = os.path.expanduser(path)
    return given if os.path.isabs(given) else os.path.relpath(os.path.join(base, given), folder)
