"""Configured calls: the functions of a project's own that take the name of a prompt."""

from __future__ import annotations

import re
from typing import NamedTuple, Union

from .._wording import shown
from ..errors import ConfigurationError

Argument = Union[int, str]
"""Which argument of a call: its position, from 0, or its keyword."""
KEYWORDS_AS_VALUES = "**"
_CALL_PATH = r"(?P<path>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"
_ONE_ARGUMENT = r"(?:\d{1,3}|[^\W\d]\w*)"
_ARGUMENT_CHOICES = rf"{_ONE_ARGUMENT}(?:/{_ONE_ARGUMENT})*"
_CONFIGURED = re.compile(rf"\s*{_CALL_PATH}:(?P<name>{_ARGUMENT_CHOICES})(?P<options>(?:\s+[a-z]+=\S+)*)\s*")
_CALL_EXTRAS = {
    "values": re.compile(rf"\*\*|{_ARGUMENT_CHOICES}"),
    "label": re.compile(_ARGUMENT_CHOICES),
    "version": re.compile(_ARGUMENT_CHOICES),
}
_CALL_EXAMPLES = 'such as "app.llm.prompt:0", "app.llm.ask:name values=1" or "Prompts.get:0/name values=** label=label"'


class ConfiguredCall(NamedTuple):
    """A function or method of a project's own that takes the name of a prompt, as `calls` of the settings names it."""

    path: tuple[str, ...]
    """Its dotted path: ("app", "llm", "prompt"), ("Prompts", "get")."""
    name: tuple[Argument, ...]
    """Which argument is the prompt's name; the first of these that a call has."""
    values: tuple[Argument, ...] = ()
    """Which argument is the mapping of values; ("**",) if the values are the keywords; empty if none are known."""
    label: tuple[Argument, ...] = ()
    """Which argument is the label."""
    version: tuple[Argument, ...] = ()
    """Which argument is the version ID."""

    @property
    def last_name(self) -> str:
        """The name of the function or method alone."""
        return self.path[-1]


def configured_call(text: str) -> ConfiguredCall:
    """The call that an entry of `calls` describes.

    Args:
        text: A dotted path and the argument that is the prompt's name, by position from 0, by keyword, or both
            ("0/name"); then, if wanted, `values=`, `label=` and `version=`.

    Raises:
        ConfigurationError: It cannot be read.
    """
    found = _CONFIGURED.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ConfigurationError(
            f"a call in `calls` must be a dotted path and the argument with the prompt's name, {_CALL_EXAMPLES}, "
            f"got {shown(text)}"
        )
    options: dict[str, tuple[Argument, ...]] = {}
    for part in found["options"].split():
        key, _, value = part.partition("=")
        if key not in _CALL_EXTRAS or key in options or not _CALL_EXTRAS[key].fullmatch(value):
            raise ConfigurationError(
                f"a call in `calls` has values=, label= and version= once each, with a position from 0, a keyword, or "
                f"for values ** as all keywords, {_CALL_EXAMPLES}; got {shown(part)} in {shown(text)}"
            )
        options[key] = _arguments(value)
    return ConfiguredCall(tuple(found["path"].split(".")), _arguments(found["name"]), **options)


def _arguments(text: str) -> tuple[Argument, ...]:
    return tuple(int(part) if part.isdecimal() else part for part in text.split("/"))
