"""Chat templates: the messages of a chat prompt, with their variables filled in as a model's API takes them.

| a part of a message                          | what becomes of it                                               |
|----------------------------------------------|------------------------------------------------------------------|
| a content that is text                       | is filled in                                                     |
| a content that is a list: text, a text part  | is filled in                                                     |
| a content that is a list: an image, a tool   | stays as it is                                                   |
| no content, or None, beside something else   | stays as it is                                                   |
| the arguments of a tool call, as JSON text   | are filled in, with values escaped as JSON text takes them       |
| the arguments of a tool call, as an object   | each text in them is filled in                                   |
| a message of the role placeholder            | the list of messages that the caller gives takes its place       |
| anything else                                | stays as it is                                                   |
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, NoReturn, Optional, Union

from .._frozen import Frozen
from .._wording import shown
from ..errors import ApiError, ValidationError
from .jsonvalue import as_json, copied, parse
from .surplus import STRICT, Surplus
from .template import Template, checked_values
from .values import as_text, flaw_of, is_awaitable, is_none

_MESSAGE = '{"role": text, "content": text}'
_EXPECTED_MESSAGES = f"expected a chat prompt's content as a JSON array of {_MESSAGE}"
_PLACEHOLDER = "placeholder"
_TEXT_PARTS = ("text", "input_text", "output_text")
_CONTENTS = ("content", "parts")
_SAYS_NOTHING = ("role", "content", "name")
_KINDS_OF_CALLS = ("function", "custom")
_CALL_ARGUMENTS = ("arguments", "input", "args")
_MUST_BE = 'must be a list of messages such as {"role": "user", "content": "Hi"}, or [] for none'
_STRINGS = (str, bytes, bytearray, memoryview)
_QUOTES = r'(?s)\\.|"'  # and what is escaped, which no quote is


class JsonText(Template):
    """A Template of JSON text: a value that is within a text there is escaped, so that it stays within it."""

    __slots__ = ()

    def __init__(self, content: str) -> None:
        super().__init__(content)

    def render(self, values: dict[str, Any]) -> str:
        """The JSON text with its variables filled in; raises what `Template.render` raises."""
        is_within = False
        filled = []
        for place, piece in enumerate(self.pieces):
            if place % 2 == 0:
                filled.append(piece)
                is_within ^= re.findall(_QUOTES, piece).count('"') % 2 == 1
                continue
            text = as_text(piece, values[piece])
            filled.append(json.dumps(text, ensure_ascii=False)[1:-1] if is_within else text)
        return "".join(filled)


class Message(Frozen):
    """One message of a chat prompt."""

    __slots__ = ("json", "variables")
    json: Mapping[str, Any]
    """The message, with a Template in the place of each text that may have variables."""
    variables: tuple[str, ...]
    """The names of the variables, in order of appearance, each once."""

    def __init__(self, message: Mapping[str, Any]) -> None:
        is_call = message.keys().isdisjoint(("role", "content"))  # such as a call of a function
        compiled = _compiled_call(message) if is_call else {n: _compiled(n, value) for n, value in message.items()}
        ordered = [compiled.get("content"), *compiled.values()]
        names = (name for template in _templates_in(ordered) for name in template.variables)
        self._freeze(json=compiled, variables=tuple(dict.fromkeys(names)))

    @property
    def role(self) -> str:
        """Who says it, as the prompt has it; "" for what nobody says, such as a call of a function."""
        role: str = self.json.get("role", "")
        return role

    @property
    def text(self) -> Optional[Template]:
        """The content, if it is text and nothing else of the message has a variable."""
        content = self.json.get("content")
        others = [each for each in _templates_in(list(self.json.values())) if each is not content and each.variables]
        return content if isinstance(content, Template) and not others else None

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The message with these values; raises what `Template.render` raises."""
        return {name: _filled(value, values) for name, value in self.json.items()}


class Placeholder(Frozen):
    """A message in whose place the caller's messages go."""

    __slots__ = ("content", "flaw", "variables")
    content: str
    """What it holds."""
    flaw: str
    """Why it cannot be one, or ""."""
    variables: tuple[str, ...]
    """The name of its variable, alone if it has no flaw."""

    def __init__(self, content: object) -> None:
        text = content if isinstance(content, str) else ""
        template = Template(text)
        is_one = len(template.pieces) == 3 and not template.pieces[0] and not template.pieces[2]
        flaw = f"a placeholder must hold one variable and nothing else, such as {{{{history}}}}; it holds {shown(text)}"
        self._freeze(content=text, flaw="" if is_one else flaw, variables=template.variables)

    def messages(self, values: Mapping[str, Any]) -> list[Any]:
        """The caller's messages, untouched; raises ValidationError for anything but a list of messages."""
        return checked_messages(self.variables[0], values[self.variables[0]])


Part = Union[Message, Placeholder]


class ChatTemplate(Frozen):
    """The messages of a chat prompt; each text is parsed on its own, so that no value can break the JSON."""

    __slots__ = ("_surplus", "content", "flaw", "parts", "variables")
    content: str
    parts: tuple[Part, ...]
    variables: tuple[str, ...]
    flaw: str
    """Why no value can be filled in, or ""."""
    _surplus: Surplus

    def __init__(self, content: str, surplus: Surplus = STRICT) -> None:
        parts = tuple(_part(message) for message in _read_messages(content))
        variables = tuple(dict.fromkeys(name for part in parts for name in part.variables))
        self._freeze(content=content, parts=parts, variables=variables, flaw=_flaw(parts), _surplus=surplus)

    def _values(self) -> tuple[Any, ...]:
        return (self.parts, self._surplus)

    def __reduce__(self) -> Any:
        return type(self), (self.content, self._surplus)

    def messages(self, values: dict[str, Any]) -> list[Any]:
        """The messages with their variables filled in.

        Raises:
            MissingVariableError: A variable has no value.
            ValidationError: A value can only be a bug, or is for no variable, or is no list for a placeholder.
            RenderError: `str()` fails for a value.
        """
        if self.flaw:
            raise ValidationError(self.flaw)
        known = checked_values(self.variables, values, self._surplus, self.content)
        filled: list[Any] = []
        for part in self.parts:
            if isinstance(part, Placeholder):
                filled += part.messages(known)
            else:
                filled.append(part.filled(known))
        return filled

    def render(self, values: dict[str, Any]) -> str:
        """The JSON text of `messages`."""
        messages = self.messages(values)
        try:
            return json.dumps(messages, ensure_ascii=False, allow_nan=False, default=_as_object)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValidationError(f"the messages cannot be written as JSON: {error}") from None


def checked_messages(name: str, value: Any) -> list[Any]:
    """The messages that a caller gives for the placeholder `name`; raises ValidationError for anything else."""
    # Not a text, which is iterable too: its characters would become messages.
    if not isinstance(value, Sequence) or isinstance(value, _STRINGS):
        raise ValidationError(f"the value of {shown(name)} {_MUST_BE}, got {_kind(value)}")
    for number, message in enumerate(value, 1):
        if not _is_message(message):
            raise ValidationError(f"the value of {shown(name)} {_MUST_BE}; item {number} is {_kind(message)}")
    return list(value)


def _is_message(value: Any) -> bool:
    if isinstance(value, Mapping):
        return isinstance(value.get("role", value.get("type")), str)
    is_value = isinstance(value, (*_STRINGS, int, float, Sequence, Set))
    return not is_value and flaw_of(value) is None and not is_awaitable(value)


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "one message, which is to be put into a list" if _is_message(value) else "a mapping without a role"
    return "None" if is_none(value) else f"one of the type {value.__class__.__name__}"


def _as_object(message: Any) -> dict[str, Any]:
    """What JSON does not know: a mapping of another kind than a dict."""
    if isinstance(message, Mapping):
        return dict(message)
    raise ValidationError(
        f"a message of the type {type(message).__name__} cannot be written as JSON: give it as a dict, "
        "or call messages(), which leaves it as it is"
    )


def _part(message: dict[str, Any]) -> Part:
    is_placeholder = message.get("role", "").lower() == _PLACEHOLDER
    return Placeholder(message.get("content")) if is_placeholder else Message(message)


def _flaw(parts: tuple[Part, ...]) -> str:
    held = {name for part in parts if isinstance(part, Placeholder) for name in part.variables}
    twice = [name for part in parts if isinstance(part, Message) for name in part.variables if name in held]
    flaws = [part.flaw for part in parts if isinstance(part, Placeholder) and part.flaw]
    flaws += [
        f"{shown(name)} is a placeholder for messages and is in a text: give one of them another name"
        for name in twice[:1]
    ]
    return flaws[0] if flaws else ""


def _compiled(name: str, value: Any) -> Any:
    if name in _CONTENTS:
        return [_compiled_part(each) for each in value] if isinstance(value, list) else _template_of(value)
    if name == "tool_calls" and isinstance(value, list):
        return [_compiled_call(call) for call in value]
    return _compiled_call(value) if name == "function_call" else value


def _compiled_part(part: Any) -> Any:
    if isinstance(part, dict) and part.get("type", "text") in _TEXT_PARTS:
        return {name: _template_of(value) if name == "text" else value for name, value in part.items()}
    return _template_of(part)


def _compiled_call(call: Any) -> Any:
    """The arguments of a tool call, wherever an API keeps them."""
    if not isinstance(call, dict):
        return call
    compiled = dict(call)
    for name, value in call.items():
        if name in _CALL_ARGUMENTS:
            compiled[name] = _compiled_texts(value, JsonText if name == "arguments" else Template)
        elif name in _KINDS_OF_CALLS:
            compiled[name] = _compiled_call(value)
    return compiled


def _compiled_texts(value: Any, kind: type[Template] = Template) -> Any:
    """Texts within an object are texts as they are, also those of the arguments of a tool call."""
    if isinstance(value, dict):
        return {name: _compiled_texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_compiled_texts(each) for each in value]
    return kind(value) if isinstance(value, str) else value


def _template_of(value: Any) -> Any:
    return Template(value) if isinstance(value, str) else value


def _templates_in(value: Any) -> Iterator[Template]:
    if isinstance(value, Template):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _templates_in(each)


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Template):
        return value.render({name: values[name] for name in value.variables})
    if isinstance(value, dict):
        return {name: _filled(each, values) for name, each in value.items()}
    return [_filled(each, values) for each in value] if isinstance(value, list) else copied(value)


def _read_messages(content: str) -> list[dict[str, Any]]:
    try:
        messages = as_json(parse(content))
    except ValueError as error:
        raise ApiError(f"{_EXPECTED_MESSAGES}, got text that is not JSON: {error}") from None
    if not isinstance(messages, list):
        kind = type(messages).__name__
        raise ApiError(f"{_EXPECTED_MESSAGES}, got {'an' if kind == 'int' else 'a'} {kind}")
    for number, message in enumerate(messages, 1):
        if not _is_readable(message):
            _refuse(number)
    return messages


def _is_readable(message: Any) -> bool:
    """Whether a model's API takes a message of this shape."""
    if not isinstance(message, dict) or not isinstance(message.get("role", message.get("type")), str):
        return False
    content = message.get("content")
    if content is None:
        # Beside a tool call, say, or what the model thought; each API has names of its own for what may be there.
        says_something = any(value for name, value in message.items() if name not in _SAYS_NOTHING)
        return says_something or message.get("role", "").lower() == "function"
    return isinstance(content, str) or (
        isinstance(content, list) and all(isinstance(part, (dict, str)) for part in content)
    )


def _refuse(number: int) -> NoReturn:
    raise ApiError(
        f"expected message {number} of a chat prompt as {_MESSAGE}, with a list of parts or tool calls in place of text"
    )
