"""ScopeChatPromptTemplate: LangChain's own, of messages that are filled in by the core's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.prompts import ChatPromptTemplate
from typing_extensions import Self

from scope_client import PromptVersion

from . import _fstring as fstring
from ._reading import ScopeTemplate, names_itself, raise_for_missing
from ._text import ScopePromptTemplate
from ._tracing import trace_metadata, trace_tags
from .messages import message_templates


@names_itself
class ScopeChatPromptTemplate(ScopeTemplate, ChatPromptTemplate):
    """A ChatPromptTemplate of ScopePromptTemplates. A text prompt is one message of the user.

    The template is saved as a ChatPromptTemplate.
    """

    @classmethod
    def lc_id(cls) -> list[str]:
        """LangChain's own class, as which the template is saved."""
        return ChatPromptTemplate.lc_id()

    @classmethod
    def of(cls, version: PromptVersion, partials: Mapping[str, Any]) -> Self:
        """The template of a prompt of either type; see `ScopeTemplate.of`."""
        fstring.check_names(version)
        kind: Any = cls
        made = kind(message_templates(version), metadata=trace_metadata(version), tags=trace_tags(version))
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
        raise_for_missing(self.needed(), kwargs)
        return super().format_messages(**kwargs)

    async def aformat_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """`format_messages` for an event loop."""
        raise_for_missing(self.needed(), kwargs)
        return await super().aformat_messages(**kwargs)

    def __add__(self, other: Any) -> ScopeChatPromptTemplate:
        """This template and another one, or messages, after it; by the same rules, with this one's metadata."""
        joined = super().__add__(other)
        kind: Any = type(self)
        made = kind(joined.messages, metadata=self.metadata and dict(self.metadata), tags=self.tags and list(self.tags))
        partials = joined.partial_variables
        return made.partial(**partials) if partials else made  # type: ignore[no-any-return]  # of this class

    def needed(self) -> list[str]:
        """The input variables, in the order of the prompt; see `ScopeTemplate.needed`."""
        known: dict[str, None] = {}
        for message in self.messages:
            prompt = getattr(message, "prompt", message)
            names = (
                prompt.needed() if isinstance(prompt, ScopePromptTemplate) else getattr(message, "input_variables", ())
            )
            known.update(dict.fromkeys(names))
        return [name for name in known if name in self.input_variables]
