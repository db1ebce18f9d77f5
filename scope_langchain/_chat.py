"""ScopeChatPromptTemplate: LangChain's own, of messages that are filled in by the core's rules."""

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from pydantic import Field
from typing_extensions import Self

from scope_client import PromptVersion, ResourceError
from scope_client.frameworks import renderings

from . import _fstring as fstring
from ._errors import name_prompt
from ._options import plain_metadata
from ._reading import ScopeTemplate, names_itself, raise_for_missing
from ._saving import as_sequence
from ._text import ScopePromptTemplate
from ._tracing import tell_rendering, trace_metadata, trace_tags
from .messages import message_templates


@names_itself
class ScopeChatPromptTemplate(ScopeTemplate, ChatPromptTemplate):
    """A ChatPromptTemplate of ScopePromptTemplates. A text prompt is one message of the user.

    The template is saved as a ChatPromptTemplate, or as a sequence with one if a message needs more than that has.
    """

    version_metadata: dict[str, Any] = Field(default_factory=dict, exclude=True, repr=False)
    """The metadata of the version, which `scope_model` may take options from."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """LangChain's own class, as which the template is saved."""
        return ChatPromptTemplate.lc_id()

    def to_json(self) -> Any:
        """What LangChain saves."""
        sequence = as_sequence(self)
        return super().to_json() if sequence is None else sequence.to_json()

    @classmethod
    def of(cls, version: PromptVersion, partials: Mapping[str, Any], role: str = "user") -> Self:
        """The template of a prompt of either type; see `ScopeTemplate.of`. A text prompt is one message of `role`."""
        fstring.check_names(version)
        kind: Any = cls
        traced = {"metadata": trace_metadata(version), "tags": trace_tags(version)}
        made = kind(message_templates(version, role), version_metadata=plain_metadata(version), **traced)
        return made.partial(**partials) if partials else made  # type: ignore[no-any-return]  # of this class

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """The messages of the prompt with its values.

        Args:
            kwargs: The values that are not given in advance.

        Returns:
            The messages.

        Raises:
            MissingInputError: A value is missing.
            ValidationError: A value is None.
            RenderError: A value has no text.
        """
        raise_for_missing(self, kwargs)
        values = self._merge_partial_and_user_variables(**kwargs)
        try:
            parts = [
                [each] if isinstance(each, BaseMessage) else each.format_messages(**_taken_by(each, values))
                for each in self.messages
            ]
        except ResourceError as error:
            name_prompt(error, self.metadata)
            raise
        return self._told(values, [message for part in parts for message in part])

    async def aformat_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """`format_messages` for an event loop."""
        raise_for_missing(self, kwargs)
        values = self._merge_partial_and_user_variables(**kwargs)
        try:
            parts = [
                [each] if isinstance(each, BaseMessage) else await each.aformat_messages(**_taken_by(each, values))
                for each in self.messages
            ]
        except ResourceError as error:
            name_prompt(error, self.metadata)
            raise
        return self._told(values, [message for part in parts for message in part])

    def _told(self, values: Mapping[str, Any], messages: list[BaseMessage]) -> list[BaseMessage]:
        if renderings.are_heard:
            tell_rendering(self.metadata, self._variables(), values, messages)
        return messages

    def __add__(self, other: Any) -> "ScopeChatPromptTemplate":
        """This template and another one, or messages, after it; by the same rules, with this one's metadata."""
        joined = super().__add__(other)
        kind: Any = type(self)
        traced = {"metadata": self.metadata and dict(self.metadata), "tags": self.tags and list(self.tags)}
        made = kind(joined.messages, version_metadata=self.version_metadata, **traced)
        partials = joined.partial_variables
        return made.partial(**partials) if partials else made  # type: ignore[no-any-return]  # of this class

    def needed(self) -> list[str]:
        """The input variables, in the order of the prompt; see `ScopeTemplate.needed`."""
        taken = frozenset(self.input_variables)
        return [name for name in self._variables() if name in taken]

    def _variables(self) -> list[str]:
        known: dict[str, None] = {}
        for message in self.messages:
            prompt = getattr(message, "prompt", message)
            names = (
                prompt.needed() if isinstance(prompt, ScopePromptTemplate) else getattr(message, "input_variables", ())
            )
            known.update(dict.fromkeys(names))
        return list(known)


def _taken_by(message: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values that a message takes. LangChain hands those of all messages to each, and copies them on the way."""
    prompt = getattr(message, "prompt", None)
    names: Iterable[str] = values
    if isinstance(message, MessagesPlaceholder):
        names = [message.variable_name]
    elif isinstance(prompt, ScopePromptTemplate) and prompt.template_format == "f-string":
        template = fstring.parsed(prompt.template)
        names = values if template is None else template.variables
    return {name: values[name] for name in names if name in values}
