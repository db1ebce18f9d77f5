"""Templates: `{{name}}` in a text; the content is parsed once and filled in one pass."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from .._frozen import Frozen
from .._interrupts import pass_on
from .._wording import cut, listed, shown
from ..errors import ApiError, MissingVariableError, RenderError, ValidationError
from .jsonvalue import as_json, copied, parse

_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_NAMES = slice(1, None, 2)  # of the pieces
_MESSAGE = '{"role": text, "content": text}'
_EXPECTED_MESSAGES = f"expected a chat prompt's content as a JSON array of {_MESSAGE}"


class Template(Frozen):
    """One text, parsed: literal pieces and variable names by turns."""

    __slots__ = ("_pieces", "_places", "variables")
    variables: tuple[str, ...]
    _pieces: list[str]
    _places: tuple[tuple[int, str], ...]

    def __init__(self, content: str) -> None:
        pieces = _VARIABLE.split(content) if "{{" in content else [content]
        names = pieces[_NAMES] = [sys.intern(name) for name in pieces[_NAMES]]  # as the names of keywords are
        places = tuple(zip(range(1, len(pieces), 2), names))
        self._freeze(_pieces=pieces, _places=places, variables=tuple(dict.fromkeys(names)))

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
            ValidationError: A value is None, or the text has no such variable.
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
        own = dict(values)
        check_names(self.variables, own)
        return self.render(own)

    def messages(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """The text as one message from the user."""
        return [{"role": "user", "content": self.render(values)}]

    def _values(self) -> tuple[Any, ...]:
        return (self.content,)


class ChatTemplate(Frozen):
    """The messages of a chat prompt; each content is parsed on its own, so that no value can break the JSON."""

    __slots__ = ("_messages", "content", "variables")
    content: str
    variables: tuple[str, ...]
    _messages: tuple[tuple[dict[str, Any], Template], ...]

    def __init__(self, content: str) -> None:
        messages = tuple(({**each, "content": ""}, Template(each["content"])) for each in _read_messages(content))
        variables = tuple(dict.fromkeys(name for _, part in messages for name in part.variables))
        self._freeze(_messages=messages, variables=variables, content=content)

    def _values(self) -> tuple[Any, ...]:
        return (self._messages,)

    @property
    def parts(self) -> tuple[tuple[str, Template], ...]:
        """The role and the parsed content of each message."""
        return tuple((message["role"], part) for message, part in self._messages)

    def __reduce__(self) -> Any:
        return type(self), (self.content,)

    def messages(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """The messages with their variables filled in; raises what `Template.render` raises."""
        check_names(self.variables, values)
        return [
            {**copied(message), "content": part.render({name: values[name] for name in part.variables})}
            for message, part in self._messages
        ]

    def render(self, values: dict[str, Any]) -> str:
        """The JSON text of `messages`."""
        return json.dumps(self.messages(values), ensure_ascii=False)


class _Tolerant:
    """Leaves out the values for which the template has no variable."""

    __slots__ = ()

    def render(self: Any, values: dict[str, Any]) -> str:
        return super().render(self._known(values))  # type: ignore[misc, no-any-return]  # of what this is mixed into

    def messages(self: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
        return super().messages(self._known(values))  # type: ignore[misc, no-any-return]  # of what this is mixed into

    def _known(self: Any, values: dict[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in self.variables if name in values}


class TolerantTemplate(_Tolerant, Template):
    """A Template for a stand-in."""

    __slots__ = ()


class TolerantChatTemplate(_Tolerant, ChatTemplate):
    """A ChatTemplate for a stand-in."""

    __slots__ = ()


def _read_messages(content: str) -> list[dict[str, Any]]:
    try:
        messages = as_json(parse(content))
    except ValueError as error:
        raise ApiError(f"{_EXPECTED_MESSAGES}, got text that is not JSON: {error}") from None
    if not isinstance(messages, list):
        kind = type(messages).__name__
        raise ApiError(f"{_EXPECTED_MESSAGES}, got {'an' if kind == 'int' else 'a'} {kind}")
    for number, message in enumerate(messages, 1):
        if not isinstance(message, dict) or not all(isinstance(message.get(key), str) for key in ("role", "content")):
            raise ApiError(f"expected message {number} of a chat prompt as {_MESSAGE}")
    return messages


def check_names(variables: tuple[str, ...], values: Mapping[str, object]) -> None:
    """Raises MissingVariableError if a variable has no value, ValidationError if a value has no variable."""
    missing = [name for name in variables if name not in values]
    if not missing and len(values) == len(variables):
        return
    known = frozenset(variables)
    unknown = [name for name in values if name not in known]
    surplus = f"the prompt has no variable {listed(unknown)}"
    if missing:
        needs = f"no value was given for {listed(missing)}; the prompt needs {listed(variables)}"
        raise MissingVariableError(f"{needs}; {surplus}" if unknown else needs, missing_variables=missing)
    if unknown:
        raise ValidationError(f"{surplus}; its variables are: {listed(variables)}")


def as_text(name: str, value: object) -> str:
    """What `str()` makes of a value; None is refused, because "None" in a prompt is a bug."""
    if value is None:
        raise ValidationError(f"the value of {shown(name)} is None; give text, or '' to leave it empty")
    try:
        return str(value)
    except Exception as error:
        pass_on(error)
        said = cut(_said(error))
        raise RenderError(f"str() fails for the value of {shown(name)}, a {type(value).__name__}: {said}") from error


def _said(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # the exception of a broken value may be broken too
        return type(error).__name__
