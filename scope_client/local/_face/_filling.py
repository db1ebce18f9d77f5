"""Filling in: a version with the values of a form, through the very renderer that programs use."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
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
    mark: str = ""
    """What stands around the name of a variable that has no value; nobody can have written it."""

    def pieces(self, text: str) -> list[tuple[str, str]]:
        """As `pieces_of` has them, for a text of the result: what a value brought along is text."""
        found = enumerate(re.split(rf"{self.mark}(\w+?){self.mark}", text) if self.mark else [text])
        return [("slot", f"{{{{{piece}}}}}") if place % 2 else ("", piece) for place, piece in found]

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
    return PromptVersion(record.to_body())


def identity_of(record: VersionRecord) -> str:
    """A text that is another one if the content is."""
    return hashlib.sha256(f"{record.type} {record.content}".encode("utf-8", "replace")).hexdigest()[:16]


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
    mark = f"-{secrets.token_hex()}-"
    values: dict[str, Any] = {}
    for field in fields_of(version, {}):
        itself = f"{mark}{field.name}{mark}"
        values[field.name] = [{"role": "placeholder", "content": itself}] if field.takes_messages else itself
    for field in given:
        with contextlib.suppress(ValidationError):
            values[field.name] = _value(field)
    try:
        return _rendered(version, values)._replace(error=error, mark=mark)
    except ScopeError:
        return Filled(None, None, error)
