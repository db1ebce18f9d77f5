"""The messages of a chat prompt, one LangChain template each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.prompts import (
    AIMessagePromptTemplate,
    ChatMessagePromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    SystemMessagePromptTemplate,
)
from langchain_core.prompts.chat import BaseStringMessagePromptTemplate

from scope_client import PromptVersion, ValidationError
from scope_client.frameworks import shown

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


def message_templates(version: PromptVersion) -> list[Any]:
    """A template for each message of a version; a text prompt is one message of the user.

    Raises ValidationError if a message of the role placeholder is not exactly one variable.
    """
    template: Any = version.template
    if version.type == "text":
        return [_message({"role": "user"}, template, version)]
    read = json.loads(version.content)
    _check_placeholders(template.parts, version)
    return [_message(message, part, version) for message, (_, part) in zip(read, template.parts)]


def _message(message: Mapping[str, Any], part: Any, version: PromptVersion) -> Any:
    role = message["role"].lower()
    if role == "placeholder":
        return _placeholder(part, version)
    more = {key: value for key, value in message.items() if key not in ("role", "content")}
    if role == "developer":
        more["__openai_role__"] = "developer"  # the key under which LangChain keeps that role
    prompt = ScopePromptTemplate(template=fstring.from_pieces(part.pieces), input_variables=list(part.variables))
    if role in _ROLES:
        return _ROLES[role](prompt=prompt, additional_kwargs=more)
    if role == "tool" and isinstance(more.get("tool_call_id"), str):
        return ToolMessagePromptTemplate(prompt=prompt, tool_call_id=more["tool_call_id"], name=more.get("name"))
    return ChatMessagePromptTemplate(prompt=prompt, role=message["role"], additional_kwargs=more)


def _check_placeholders(parts: Any, version: PromptVersion) -> None:
    held = {name for role, part in parts if role.lower() == "placeholder" for name in part.variables}
    filled = {name for role, part in parts if role.lower() != "placeholder" for name in part.variables}
    for name in sorted(held & filled):
        raise ValidationError(
            f"the prompt {shown(version.name)} has {shown(name)} as a placeholder for messages and as text: "
            "give one another name"
        )


def _placeholder(part: Any, version: PromptVersion) -> MessagesPlaceholder:
    if len(part.pieces) != 3 or part.pieces[0] or part.pieces[2]:
        raise ValidationError(
            f"a placeholder of the prompt {shown(version.name)} must hold one variable and nothing else, such as "
            f"{{{{history}}}}; it holds {shown(''.join(part.pieces[::2]))} and {len(part.variables)} variables"
        )
    return MessagesPlaceholder(variable_name=part.variables[0], optional=True)
