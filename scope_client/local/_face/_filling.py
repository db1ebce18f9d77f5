"""Filling in: a version with the values of a form, through the very renderer that programs use."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from ..._prompt.chat_template import ChatTemplate, Placeholder
from ..._prompt.prompt_version import PromptVersion
from ...errors import ScopeError, ValidationError
from ._messages import ShownMessage, shown_message, written_messages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._folder.record import VersionRecord

FIELD_PREFIX = "v-"


class Field(NamedTuple):
    """A variable, and what the form has for it."""

    name: str
    value: str
    takes_messages: bool


class Filled(NamedTuple):
    """What a model gets; or the error of the renderer, and what there would be if the missing values were variables."""

    text: Optional[str]
    messages: Optional[list[ShownMessage]]
    error: str = ""

    @property
    def said(self) -> str:
        """What came out, in a few words."""
        if self.messages is not None:
            count = len(self.messages)
            return f"{count:,} message{'' if count == 1 else 's'}"
        count = len(self.text or "")
        return f"{count:,} character{'' if count == 1 else 's'}"


def version_of(record: VersionRecord) -> PromptVersion:
    """What a client would have of it."""
    return PromptVersion({"id": record.id, "version_number": record.number, **record.to_body()})


def fields_of(version: PromptVersion, form: Mapping[str, str]) -> list[Field]:
    """A field for each variable; line ends are as in a file, since a browser sends CR LF."""
    template = version.template
    parts = template.parts if isinstance(template, ChatTemplate) else ()
    held = {name for part in parts if isinstance(part, Placeholder) for name in part.variables}
    return [
        Field(name, form.get(f"{FIELD_PREFIX}{name}", "").replace("\r\n", "\n"), name in held)
        for name in version.variables
    ]


def filled_in(version: PromptVersion, fields: list[Field], *, takes_empty: bool) -> Filled:
    """The version with these values; a field that is empty counts as one that was not given, unless it is taken."""
    given = [field for field in fields if field.value or takes_empty]
    try:
        values = {field.name: _value(field) for field in given}
        return _rendered(version, values)
    except ScopeError as error:
        return _with_variables_left(version, given, error.message)


def _value(field: Field) -> Any:
    return written_messages(field.name, field.value) if field.takes_messages else field.value


def _rendered(version: PromptVersion, values: dict[str, Any]) -> Filled:
    text = version.render(**values)
    if version.type == "text":
        return Filled(text, None)
    return Filled(text, [shown_message(message) for message in version.messages(**values)])


def _with_variables_left(version: PromptVersion, given: list[Field], error: str) -> Filled:
    """As far as it goes: a variable without a value stands for itself."""
    values: dict[str, Any] = {}
    for field in fields_of(version, {}):
        itself = f"{{{{{field.name}}}}}"
        values[field.name] = [{"role": "placeholder", "content": itself}] if field.takes_messages else itself
    for field in given:
        with contextlib.suppress(ValidationError):
            values[field.name] = _value(field)
    try:
        return _rendered(version, values)._replace(error=error)
    except ScopeError:
        return Filled(None, None, error)
