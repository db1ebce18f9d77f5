"""ScopeChatPromptTemplate: LangChain's own, of messages that are filled in by the core's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage
from langchain_core.prompts import ChatPromptTemplate

from scope_client import PromptVersion, ScopeClient

from . import _fstring as fstring
from ._reading import Fallback, checked_partials, raise_for_missing, read
from ._text import ScopePromptTemplate
from ._tracing import trace_metadata, trace_tags
from .messages import message_templates

if TYPE_CHECKING:
    from typing_extensions import Self


class ScopeChatPromptTemplate(ChatPromptTemplate):
    """A ChatPromptTemplate of ScopePromptTemplates. It is saved as a ChatPromptTemplate."""

    @classmethod
    def lc_id(cls) -> list[str]:
        return ChatPromptTemplate.lc_id()

    @classmethod
    def from_scope(
        cls,
        name: str,
        *,
        client: ScopeClient | None = None,
        label: str | None = None,
        version: str | None = None,
        fallback: Fallback = None,
        partial_variables: Mapping[str, Any] | None = None,
    ) -> Self:
        """The version that is there now; a text prompt is one message of the user's.

        Raises what `get_prompt_version` raises.
        """
        found = read(client, name, label, version, fallback)
        return cls.of(found, checked_partials(found, partial_variables))

    @classmethod
    def of(cls, version: PromptVersion, partials: Mapping[str, Any]) -> Self:
        """The template of any prompt; raises ValidationError for what LangChain cannot take."""
        fstring.check_names(version)
        kind: Any = cls
        made = kind(message_templates(version), metadata=trace_metadata(version), tags=trace_tags(version))
        return made.partial(**partials) if partials else made  # type: ignore[no-any-return]  # of this class

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """Raises MissingInputError, ValidationError for None, RenderError for a value without text."""
        raise_for_missing(self.needed(), kwargs)
        return super().format_messages(**kwargs)

    async def aformat_messages(self, **kwargs: Any) -> list[BaseMessage]:
        raise_for_missing(self.needed(), kwargs)
        return await super().aformat_messages(**kwargs)

    def __add__(self, other: Any) -> ScopeChatPromptTemplate:
        """By the same rules, under this one's metadata."""
        joined = super().__add__(other)
        kind: Any = type(self)
        made = kind(joined.messages, metadata=self.metadata and dict(self.metadata), tags=self.tags and list(self.tags))
        partials = joined.partial_variables
        return made.partial(**partials) if partials else made  # type: ignore[no-any-return]  # of this class

    def needed(self) -> list[str]:
        """The input variables, in the order of the prompt."""
        known: dict[str, None] = {}
        for message in self.messages:
            prompt = getattr(message, "prompt", message)
            names = (
                prompt.needed() if isinstance(prompt, ScopePromptTemplate) else getattr(message, "input_variables", ())
            )
            known.update(dict.fromkeys(names))
        return [name for name in known if name in self.input_variables]

    def _validate_input(self, inner_input: Any) -> dict[str, Any]:
        raise_for_missing(self.needed(), inner_input)
        return super()._validate_input(inner_input)
