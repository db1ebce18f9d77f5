"""to_langchain: a version as a LangChain prompt, without a request."""

from __future__ import annotations

from typing import Union

from scope_client import PromptVersion

from ._chat import ScopeChatPromptTemplate
from ._text import ScopePromptTemplate

Template = Union[ScopePromptTemplate, ScopeChatPromptTemplate]


def to_langchain(version: PromptVersion) -> Template:
    """A ScopePromptTemplate for a text prompt, a ScopeChatPromptTemplate for a chat prompt.

    Raises ValidationError for a variable that LangChain cannot take, or a placeholder that is not one variable, and
    TypeError for what is not a version.
    """
    if not isinstance(version, PromptVersion):
        raise TypeError(f"to_langchain takes a PromptVersion, got {type(version).__name__}")
    return ScopeChatPromptTemplate.of(version, {}) if version.type == "chat" else ScopePromptTemplate.of(version, {})
