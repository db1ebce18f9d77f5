"""The messages of a chat prompt, one LangChain template each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from langchain_core.messages import BaseMessage, ChatMessage, ToolMessage, convert_to_messages
from langchain_core.prompts import (
    AIMessagePromptTemplate,
    ChatMessagePromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    SystemMessagePromptTemplate,
)
from langchain_core.prompts.chat import BaseStringMessagePromptTemplate

from scope_client import PromptVersion, ValidationError
from scope_client.frameworks import Message, Placeholder, checked_messages, shown

from . import _fstring as fstring
from ._text import ScopePromptTemplate

_ROLES: Mapping[str, Any] = {
    "system": SystemMessagePromptTemplate,
    "developer": SystemMessagePromptTemplate,
    "user": HumanMessagePromptTemplate,
    "human": HumanMessagePromptTemplate,
    "assistant": AIMessagePromptTemplate,
    "ai": AIMessagePromptTemplate,
}


class ToolMessagePromptTemplate(BaseStringMessagePromptTemplate):
    """A message of the role tool, with the ID of the call that it answers."""

    tool_call_id: str
    """The ID of the tool call."""
    name: Optional[str] = None  # pydantic evaluates it, on Python 3.9 too
    """The name of the tool, if the prompt has it."""

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """This module, from which LangChain loads what it has saved."""
        return ["scope_langchain", "messages"]

    def format(self, **kwargs: Any) -> BaseMessage:
        """The message with these values."""
        return ToolMessage(content=self.prompt.format(**kwargs), tool_call_id=self.tool_call_id, name=self.name)


# Where LangChain keeps the base class of all message templates depends on its version.
_BaseMessagePromptTemplate: Any = BaseStringMessagePromptTemplate.__mro__[1]


class PartsMessagePromptTemplate(_BaseMessagePromptTemplate):  # type: ignore[misc]  # a base that is found at run time
    """A message with a list of parts, or with variables in its tool calls; filled in by the core's rules."""

    message: dict[str, Any]
    """The message as the prompt has it, such as `{"role": "user", "content": [{"type": "text", "text": "..."}]}`."""

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """True: the message is JSON."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """This module, from which LangChain loads what it has saved."""
        return ["scope_langchain", "messages"]

    @property
    def input_variables(self) -> list[str]:
        """The variables of the message, in order of appearance."""
        return list(Message(self.message).variables)

    def pretty_repr(self, html: bool = False) -> str:
        """The message as the prompt has it.

        Args:
            html: Is not looked at.

        Returns:
            JSON text.
        """
        return json.dumps(self.message, ensure_ascii=False, indent=1)

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """The message with these values, as the only one of a list."""
        return [_converted(Message(self.message).filled(kwargs))]


class ScopePlaceholder(MessagesPlaceholder):
    """A MessagesPlaceholder that takes a list of messages and nothing else; it is saved as a MessagesPlaceholder."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """LangChain's own class, as which the placeholder is saved."""
        return MessagesPlaceholder.lc_id()

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """The caller's messages; raises ValidationError for anything but a list of messages."""
        value = kwargs[self.variable_name]
        # Pairs and texts, LangChain's short forms, are messages here.
        items = convert_to_messages(value) if _has_short_forms(value) else value
        checked_messages(self.variable_name, items)
        return super().format_messages(**{self.variable_name: list(items)})


def message_templates(version: PromptVersion) -> list[Any]:
    """A template for each message of a version; a text prompt is one message of the user.

    Raises ValidationError if a message of the role placeholder is not exactly one variable.
    """
    template: Any = version.template
    if version.type == "text":
        return [_text_message({"role": "user"}, template)]
    if template.flaw:
        raise ValidationError(f"prompt {shown(version.name)}: {template.flaw}")
    read = json.loads(version.content)
    if any("role" not in message for message in read):
        raise ValidationError(
            f"prompt {shown(version.name)}: LangChain takes no message without a role: call version.messages(...) "
            "in a RunnableLambda"
        )
    return [_message(message, part) for message, part in zip(read, template.parts)]


def _message(message: dict[str, Any], part: Any) -> Any:
    if isinstance(part, Placeholder):
        return ScopePlaceholder(variable_name=part.variables[0])
    return PartsMessagePromptTemplate(message=message) if part.text is None else _text_message(message, part.text)


def _text_message(message: Mapping[str, Any], text: Any) -> Any:
    role = message["role"].lower()
    more = {key: value for key, value in message.items() if key not in ("role", "content")}
    if role == "developer":
        more["__openai_role__"] = "developer"  # the key under which LangChain keeps that role
    prompt = ScopePromptTemplate(template=fstring.from_pieces(text.pieces), input_variables=list(text.variables))
    if role in _ROLES:
        return _ROLES[role](prompt=prompt, additional_kwargs=more)
    if role == "tool" and isinstance(more.get("tool_call_id"), str):
        return ToolMessagePromptTemplate(prompt=prompt, tool_call_id=more["tool_call_id"], name=more.get("name"))
    return ChatMessagePromptTemplate(prompt=prompt, role=message["role"], additional_kwargs=more)


def _converted(message: dict[str, Any]) -> BaseMessage:
    """The message as LangChain has it; one of a role that it does not know keeps the role."""
    filled = {**message, "content": message.get("content") or ""}
    try:
        return convert_to_messages([{**filled, "role": filled["role"].lower()}])[0]
    except (ValueError, KeyError, TypeError, NotImplementedError):  # of a role or a tool call that it does not know
        more = {key: value for key, value in filled.items() if key not in ("role", "content")}
        return ChatMessage(content=filled["content"], role=filled["role"], additional_kwargs=more)


def _has_short_forms(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(each, (str, tuple, list)) for each in value)
