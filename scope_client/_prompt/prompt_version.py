"""PromptVersion: one state of a prompt, as the platform sent it, frozen."""

import functools
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any, Literal, NoReturn, Optional, Union

from .._frozen import set_slot
from .._interrupts import pass_on
from .._wording import shown
from ..errors import ApiError, ResourceError
from .chat_template import ChatTemplate
from .fields import Fields, refuse_mapping
from .jsonvalue import as_json, copied
from .ref import PromptRef
from .surplus import TOLERANT, Surplus
from .template import Template
from .version_body import fields_in, unpacked


class PromptVersion(Fields):
    """One state of a prompt, frozen because all its readers share it. A field that the platform did not send is None.

    A client makes it, or `from_api`.
    """

    __slots__ = (
        "_content",
        "_declared",
        "_extra_values",
        "_metadata",
        "_more",
        "_template",
        "created_at",
        "id",
        "is_fallback",
        "is_production",
        "name",
        "promoted_at",
        "promoted_by",
        "prompt_id",
        "status",
        "tags",
        "type",
        "updated_at",
        "version_number",
    )
    id: Optional[str]
    """The ID of this version."""
    prompt_id: Optional[str]
    """The ID of the prompt."""
    name: str
    """The prompt's name, or what was asked for if the platform did not send a name."""
    version_number: Optional[int]
    """1 for the first version of a prompt, and so on."""
    status: Optional[str]
    """"draft", "published" or "archived"."""
    is_production: bool
    """Whether this was the production version when it was fetched."""
    type: Literal["text", "chat"]
    """"text" or "chat"."""
    tags: tuple[str, ...]
    """The tags of the version, in the platform's order."""
    created_at: Optional[str]
    """When the version was made, as text in the platform's form (RFC 3339)."""
    updated_at: Optional[str]
    """When the version was last changed, as text in the platform's form (RFC 3339)."""
    promoted_at: Optional[str]
    """When the version went into production, as text in the platform's form (RFC 3339)."""
    promoted_by: Optional[str]
    """Who put it there, in the platform's words."""
    is_fallback: bool
    """Whether this is a stand-in for what the platform could not give.

    A stand-in takes values for which it has no variable, because the prompt it stands in for may have one.
    """
    _content: Optional[str]
    _declared: tuple[str, ...]
    _extra_values: str
    _metadata: tuple[Any, ...]
    _more: tuple[Any, ...]
    _template: Union[Template, ChatTemplate, None]

    def __init__(
        self,
        body: Mapping[str, Any],
        ref: Optional[PromptRef] = None,
        *,
        is_fallback: bool = False,
        extra_values: str = "error",
    ) -> None:
        try:
            body = as_json(body)
        except ValueError as error:
            raise ApiError(f"expected a prompt version as JSON, got {error}") from None
        self._read(body, ref, is_fallback, extra_values)

    def _read(self, body: Mapping[str, Any], ref: Optional[PromptRef], is_fallback: bool, extra_values: str) -> None:
        for name, value in fields_in(body, "" if ref is None else ref.name).items():
            set_slot(self, name, value)
        set_slot(self, "is_fallback", is_fallback)
        set_slot(self, "_extra_values", extra_values)
        set_slot(self, "_template", None)
        if self.type == "chat":  # its content may not be a list of messages, which the first reader should hear of
            self._parse()

    @classmethod
    def from_api(cls, body: Mapping[str, Any], ref: Optional[PromptRef] = None) -> "PromptVersion":
        """Reads the body of an answer, in the words of either generation of the API.

        Args:
            body: The JSON object that the platform sent.
            ref: What was asked for, which gives the version its name if the body has none.

        Returns:
            The version, which shares nothing with `body`.

        Raises:
            ApiError: The body breaks the promise of the API.
        """
        return cls(body, ref)

    @classmethod
    def _from_parsed(
        cls, body: Mapping[str, Any], ref: Optional[PromptRef], *, extra_values: str = "error"
    ) -> "PromptVersion":
        """As `from_api`, for what `jsonvalue.parse` has just made: it is JSON, and nobody else has it."""
        version = cls.__new__(cls)
        version._read(body, ref, is_fallback=False, extra_values=extra_values)
        return version

    @property
    def content(self) -> str:
        """The text with its `{{variables}}`; for a chat prompt the JSON text of its messages."""
        content = self._content
        return self.template.content if content is None else content

    @property
    def template(self) -> Union[Template, ChatTemplate]:
        """The content, parsed."""
        return self._template or self._parse()

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables, in order of appearance, each once."""
        return self.template.variables

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the platform keeps with the version, such as the model; read-only, and a copy below the top."""
        return MappingProxyType(unpacked(self._metadata))

    def get_metadata(self, key: str, default: Any = None) -> Any:
        """One value of the metadata.

        Args:
            key: Its name.
            default: What to return if the metadata has no such name.

        Returns:
            A copy of the value, which the caller may change.
        """
        names = self._metadata[::2]
        return copied(self._metadata[2 * names.index(key) + 1]) if key in names else default

    def render(self, /, *mapping: NoReturn, **variables: object) -> str:
        """The content with its variables filled in.

        Args:
            mapping: Nothing: `ScopeClient.render_prompt` is what takes a mapping of values.
            variables: A value for each variable of the content; it is put through `str()`. For a placeholder, a list of
                messages.

        Returns:
            The text; for a chat prompt the JSON text of its messages.

        Raises:
            MissingVariableError: A variable has no value.
            ValidationError: A value can only be a bug, such as None or a method that was not called. Or the prompt has
                no such variable, and `extra_values` is "error".
            RenderError: `str()` fails for a value.
        """
        if mapping:
            refuse_mapping("render", mapping)
        return self._render(variables)

    def messages(self, /, *mapping: NoReturn, **variables: object) -> list[Any]:
        """The messages to send to a model, with their variables filled in.

        Args:
            mapping: Nothing: `ScopeClient.render_prompt` is what takes a mapping of values.
            variables: A value for each variable of the content; it is put through `str()`. For a placeholder, a list of
                messages, which take its place untouched.

        Returns:
            One dict with a role and a content for each message; a text prompt is one message from the user. Type
            checkers take the list as an argument of the OpenAI and Anthropic clients.

        Raises:
            MissingVariableError: A variable has no value.
            ValidationError: A value can only be a bug, such as None or a method that was not called. Or the prompt has
                no such variable, and `extra_values` is "error".
            RenderError: `str()` fails for a value.
        """
        if mapping:
            refuse_mapping("messages", mapping)
        try:
            return self.template.messages(variables)
        except ResourceError as error:
            self._name_itself(error)
            raise

    def in_use(self) -> AbstractContextManager["PromptVersion"]:
        """For `with version.in_use():`, the exact way to say which calls of a model this version is for.

        With `scope_client.otel.instrument()`, the spans of models that start in the block carry this version, whatever
        was rendered meanwhile. Of blocks inside one another, the inner one counts; in generators whose steps alternate,
        each one's own. Without OpenTelemetry the block changes nothing.
        """
        from .in_use import InUse  # with it, `contextvars`

        return InUse(self)

    def _render(self, values: dict[str, Any]) -> str:
        try:
            return (self._template or self._parse()).render(values)
        except ResourceError as error:
            self._name_itself(error)
            raise

    def _name_itself(self, error: ResourceError) -> None:
        """Begins the message of an error of a render with the prompt."""
        pass_on(error)
        error.message = f"prompt {shown(self.name or self.id or 'without a name')}: {error.message}"
        error.args = (error.message,)

    def to_dict(self) -> dict[str, Any]:
        """All that the platform sent, with the fields that this class does not know; fit for JSON."""
        return {
            "id": self.id,
            "prompt_id": self.prompt_id,
            "name": self.name,
            "version_number": self.version_number,
            "content": self.content,
            "variables": list(dict.fromkeys((*self.variables, *self._declared))),
            "status": self.status,
            "is_production": self.is_production,
            "type": self.type,
            "metadata": unpacked(self._metadata),
            "tags": list(self.tags),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "promoted_at": self.promoted_at,
            "promoted_by": self.promoted_by,
            **unpacked(self._more),
        }

    def _parse(self) -> Union[Template, ChatTemplate]:
        """Keeps the text once: from here on the template has it. Several threads may do this at the same time."""
        rule = TOLERANT if self.is_fallback else Surplus(self.name, self._declared, self._extra_values)
        template = ChatTemplate(self.content, rule) if self.type == "chat" else Template(self.content, rule)
        self._freeze(_template=template, _content=None)  # in this order: a thread that finds no text takes the template
        return template

    def __repr__(self) -> str:
        which = f"name={self.name!r}, id={self.id!r}, version_number={self.version_number!r}"
        return f"PromptVersion({which}, type={self.type!r}, variables={self.variables!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PromptVersion):
            return NotImplemented
        return self.is_fallback == other.is_fallback and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.prompt_id, self.id, self.version_number, self.content))

    def __reduce__(self) -> Any:
        made = functools.partial(type(self), is_fallback=self.is_fallback, extra_values=self._extra_values)
        return made, (self.to_dict(),)


version_in = PromptVersion._from_parsed


def refused_values(version: PromptVersion, names: Iterable[str]) -> list[str]:
    """Those of these names for which a value is an error, of names that the content has no variable for.

    Args:
        version: The version.
        names: The names.

    Returns:
        None of them for a fallback, for a name that the platform declares, and with another rule than "error".
    """
    is_strict = version._extra_values == "error" and not version.is_fallback
    declared = frozenset(version._declared)
    return [name for name in names if name not in declared] if is_strict else []
