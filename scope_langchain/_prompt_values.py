"""Prompt values that know what they were made of, so that the model's run can say it whatever happens in between."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

from langchain_core.messages import AnyMessage, BaseMessage
from langchain_core.prompt_values import ChatPromptValue, PromptValue, StringPromptValue
from pydantic import Field

from scope_client.frameworks import renderings

MADE_OF = "made_of"
_TRACE, _METADATA = "trace", "metadata"


class Origin(NamedTuple):
    """What a value was made of."""

    trace: Mapping[str, Any]
    """`trace_metadata` of the version."""
    metadata: Mapping[str, Any]
    """The version's own metadata, which may have options of a model."""


class _Carrier(PromptValue):
    """A value that is LangChain's own in all but one field, of plain JSON: it is copied, pickled and checkpointed."""

    made_of: dict[str, Any] = Field(default_factory=dict, repr=False)
    """What the value was made of, as plain JSON; empty if it is not known."""

    def _noted(self) -> None:
        """A model asks for its input where it runs: in LangChain each step of a chain has a context of its own."""
        if renderings.are_heard and self.made_of:
            renderings.mark(self.made_of.get(_TRACE))

    def to_json(self) -> Any:
        """As LangChain's own class has it."""
        found: Any = super().to_json()
        found.get("kwargs", {}).pop(MADE_OF, None)
        return found


class ScopeStringPromptValue(_Carrier, StringPromptValue):
    """A StringPromptValue, equal to any other of the same text."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """LangChain's own class, as which the value is saved."""
        return StringPromptValue.lc_id()

    def to_string(self) -> str:
        """The text."""
        self._noted()
        return super().to_string()

    def to_messages(self) -> list[BaseMessage]:
        """The text as one message of the user."""
        self._noted()
        return super().to_messages()

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, StringPromptValue) else NotImplemented


class ScopeChatPromptValue(_Carrier, ChatPromptValue):
    """A ChatPromptValue, equal to any other of the same messages. Each message is written and read as what it is."""

    messages: Sequence[AnyMessage]  # LangChain's own loses tool calls on the way through a graph's checkpoint
    """The messages."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """LangChain's own class, as which the value is saved."""
        return ChatPromptValue.lc_id()

    def to_string(self) -> str:
        """The messages as text."""
        self._noted()
        return super().to_string()

    def to_messages(self) -> list[BaseMessage]:
        """The messages."""
        self._noted()
        return super().to_messages()

    def __eq__(self, other: object) -> bool:
        return list(self.messages) == list(other.messages) if isinstance(other, ChatPromptValue) else NotImplemented


def made_of(value: PromptValue, trace: Mapping[str, Any], metadata: Mapping[str, Any]) -> PromptValue:
    """The value, with what it was made of."""
    origin = {_TRACE: dict(trace), _METADATA: dict(metadata)}
    if isinstance(value, StringPromptValue):
        return ScopeStringPromptValue(text=value.text, made_of=origin)
    if isinstance(value, ChatPromptValue):
        # As they are: a user may have messages of a class of their own.
        return ScopeChatPromptValue.model_construct(messages=value.messages, made_of=origin)
    return value


def origin_of(value: object) -> Optional[Origin]:
    """What a value was made of; None for what was not made by a template of Scope, such as a list of messages."""
    found = value.made_of if isinstance(value, _Carrier) else None
    return Origin(found.get(_TRACE, {}), found.get(_METADATA, {})) if found else None
