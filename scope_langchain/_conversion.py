"""to_langchain: a version as a LangChain prompt, without a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

from langchain_core.prompts import HumanMessagePromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.prompts.string import StringPromptTemplate

from scope_client import PromptVersion

from ._chat import ScopeChatPromptTemplate
from ._text import ScopePromptTemplate

CONVERSATION = "messages"
Template = Union[ScopePromptTemplate, ScopeChatPromptTemplate]


def to_langchain(version: PromptVersion) -> Template:
    """A ScopePromptTemplate for a text prompt, a ScopeChatPromptTemplate for a chat prompt.

    Args:
        version: What `ScopeClient.get_prompt_version` gave.

    Raises:
        ValidationError: LangChain cannot take one of the variables, or a placeholder is not one variable.
        TypeError: It is not a version.
    """
    if not isinstance(version, PromptVersion):
        raise TypeError(f"to_langchain takes a PromptVersion, got {type(version).__name__}")
    return ScopeChatPromptTemplate.of(version, {}) if version.type == "chat" else ScopePromptTemplate.of(version, {})


def template_of(version: PromptVersion, role: Optional[str]) -> Template:
    """As `to_langchain`; with a role a text prompt is one message of this role."""
    if role is None or version.type == "chat":
        return to_langchain(version)
    return ScopeChatPromptTemplate.of(version, {}, role)


def conversation_after(template: ScopeChatPromptTemplate) -> list[Any]:
    """A place for the messages of an agent's state, unless the template has one; they may be absent."""
    knows_them = CONVERSATION in (*template.input_variables, *template.partial_variables)
    return [] if knows_them else [MessagesPlaceholder(CONVERSATION, optional=True)]


def of_the_prompt(template: Template, values: Mapping[str, Any]) -> dict[str, Any]:
    """Without the conversation, which the template around a message of the role "system" places itself."""
    is_placed = CONVERSATION in getattr(template, "optional_variables", ())
    return {name: value for name, value in values.items() if not is_placed or name != CONVERSATION}


def joined(first: Template, others: Iterable[Any]) -> Template:
    """The template and what comes after it: text if all of it is, and messages otherwise."""
    parts = list(others)
    if not all(isinstance(each, (str, PromptTemplate)) for each in parts):
        first = _spoken(first)
    for each in parts:
        first = first + (_spoken(each) if isinstance(first, ScopeChatPromptTemplate) else each)
    return first


def _spoken(part: Any) -> Any:
    """A template of text as one message of the user; anything else as it is."""
    if not isinstance(part, StringPromptTemplate):
        return part
    kind: Any = ScopeChatPromptTemplate
    more = {"version_metadata": part.version_metadata} if isinstance(part, ScopePromptTemplate) else {}
    return kind([HumanMessagePromptTemplate(prompt=part)], metadata=part.metadata, tags=part.tags, **more)
