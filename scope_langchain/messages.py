"""The messages of a chat prompt, one LangChain template each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from langchain_core.messages import BaseMessage, ChatMessage, convert_to_messages
from langchain_core.prompts import (
    AIMessagePromptTemplate,
    ChatMessagePromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    SystemMessagePromptTemplate,
)
from langchain_core.prompts.chat import BaseStringMessagePromptTemplate

from scope_client import PromptVersion, ValidationError
from scope_client.frameworks import Message, Placeholder, checked_messages, listed, shown

from . import _fstring as fstring
from ._errors import missing_input
from ._text import ScopePromptTemplate

_ROLES: Mapping[str, Any] = {
    "system": SystemMessagePromptTemplate,
    "developer": SystemMessagePromptTemplate,
    "user": HumanMessagePromptTemplate,
    "human": HumanMessagePromptTemplate,
    "assistant": AIMessagePromptTemplate,
    "ai": AIMessagePromptTemplate,
}
_FIELDS_OF_A_TEXT = frozenset(("role", "content"))


# Where LangChain keeps the base class of all message templates depends on its version.
_BaseMessagePromptTemplate: Any = BaseStringMessagePromptTemplate.__mro__[1]


class StoredMessagePromptTemplate(_BaseMessagePromptTemplate):  # type: ignore[misc]  # a base that is found at run time
    """A message that has more than a role and a text; it is filled in by the core's rules and read by LangChain's.

    Without variables it is saved as the message that LangChain makes of it.
    """

    message: str
    """The message as JSON text, such as `{"role": "tool", "tool_call_id": "call_1", "content": "{{found}}"}`."""

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """True: the message is JSON text."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """This module, from which LangChain loads what it has saved."""
        return ["scope_langchain", "messages"]

    def to_json(self) -> Any:
        """What LangChain saves: its own message if there is nothing to fill in, else this template."""
        kept: Any = super() if self.input_variables else self.format_messages()[0]
        return kept.to_json()

    @property
    def input_variables(self) -> list[str]:
        """The variables of the message, in order of appearance."""
        return list(_parsed(self.message).variables)

    def pretty_repr(self, html: bool = False) -> str:
        """The message as the prompt has it.

        Args:
            html: Is not looked at.

        Returns:
            JSON text.
        """
        return json.dumps(json.loads(self.message), ensure_ascii=False, indent=1)

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """The message with these values, as the only one of a list.

        Args:
            kwargs: The values.

        Returns:
            What LangChain makes of the message.

        Raises:
            MissingInputError: A value is missing.
            ValidationError: A value is None.
            RenderError: A value has no text.
        """
        _raise_for_missing(self.input_variables, kwargs)
        return [_as_langchain_reads(_parsed(self.message).filled(kwargs))]


class ScopePlaceholder(MessagesPlaceholder):
    """A MessagesPlaceholder that takes a list of messages and nothing else; it is saved as a MessagesPlaceholder."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """LangChain's own class, as which the placeholder is saved."""
        return MessagesPlaceholder.lc_id()

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """The caller's messages; raises MissingInputError without, ValidationError for anything but a list of them."""
        _raise_for_missing([self.variable_name], kwargs)
        value = kwargs[self.variable_name]
        # Pairs and texts, LangChain's short forms, are messages here.
        items = convert_to_messages(value) if _has_short_forms(value) else value
        checked_messages(self.variable_name, items)
        return super().format_messages(**{self.variable_name: list(items)})


def check_role(role: object) -> None:
    """Raises ValidationError for what is neither None nor the role of a text."""
    if role is not None and not (isinstance(role, str) and role in _ROLES):
        raise ValidationError(f"role must be one of {listed(_ROLES)}, got {shown(role)}")


def message_templates(version: PromptVersion, role: str = "user") -> list[Any]:
    """A template for each message of a version; a text prompt is one message of `role`.

    Raises ValidationError if a message of the role placeholder is not exactly one variable.
    """
    template: Any = version.template
    if version.type == "text":
        return [_text_message(role, template)]
    if template.flaw:
        raise ValidationError(f"prompt {shown(version.name)}: {template.flaw}")
    read = json.loads(version.content)
    if any("role" not in message and _converted(message) is None for message in read):
        raise ValidationError(
            f"prompt {shown(version.name)}: LangChain takes no message without a role: call version.messages(...) "
            "in a RunnableLambda"
        )
    return [_message(message, part) for message, part in zip(read, template.parts)]


def _message(message: dict[str, Any], part: Any) -> Any:
    if isinstance(part, Placeholder):
        return ScopePlaceholder(variable_name=part.variables[0])
    if part.text is not None and message.keys() == _FIELDS_OF_A_TEXT:
        return _text_message(message["role"], part.text)
    return StoredMessagePromptTemplate(message=json.dumps(message, ensure_ascii=False))


def _text_message(role: str, text: Any) -> Any:
    known = role.lower()
    prompt = ScopePromptTemplate(template=fstring.from_pieces(text.pieces), input_variables=list(text.variables))
    if known in _ROLES:
        # The key under which LangChain keeps that role.
        more = {"__openai_role__": "developer"} if known == "developer" else {}
        return _ROLES[known](prompt=prompt, additional_kwargs=more)
    return ChatMessagePromptTemplate(prompt=prompt, role=role)


def _raise_for_missing(needed: list[str], given: Mapping[str, Any]) -> None:
    missing = [name for name in needed if name not in given]
    if missing:
        raise missing_input(missing, needed)


@lru_cache(maxsize=fstring.KEPT_TEMPLATES)
def _parsed(message: str) -> Message:
    return Message(json.loads(message))


def _as_langchain_reads(message: dict[str, Any]) -> BaseMessage:
    """The message as LangChain reads it; what it cannot read stays beside the content, or keeps the role."""
    if "role" not in message:
        return convert_to_messages([message])[0]
    role, content = message["role"], message.get("content") or ""
    more = {key: value for key, value in message.items() if key not in _FIELDS_OF_A_TEXT}
    for fields in (more, {"additional_kwargs": more}):
        found = _converted({**fields, "role": role.lower(), "content": content})
        if found is not None:
            return found
    return ChatMessage(content=content, role=role, additional_kwargs=more)


def _converted(message: dict[str, Any]) -> BaseMessage | None:
    try:
        return convert_to_messages([message])[0]
    except (ValueError, KeyError, TypeError, NotImplementedError):  # a role or a tool call that it does not know
        return None


def _has_short_forms(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(each, (str, tuple, list)) for each in value)
