"""Prompts from the Scope Platform as LangChain prompts, exact to the byte."""

from __future__ import annotations

from .chat import ScopeChatPromptTemplate
from .conversion import to_langchain
from .errors import MissingInputError
from .live import LivePrompt, scope_prompt
from .options import model_options
from .text import ScopePromptTemplate
from .tracing import ScopeCallbackHandler, trace_metadata

__all__ = [
    "LivePrompt",
    "MissingInputError",
    "ScopeCallbackHandler",
    "ScopeChatPromptTemplate",
    "ScopePromptTemplate",
    "model_options",
    "scope_prompt",
    "to_langchain",
    "trace_metadata",
]
