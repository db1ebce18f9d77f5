"""Prompts from the Scope Platform as LangChain prompts, exact to the byte."""

from __future__ import annotations

from scope_client.frameworks import missing_extra, publish

try:
    from ._chat import ScopeChatPromptTemplate
    from ._conversion import to_langchain
    from ._errors import MissingInputError
    from ._live import LivePrompt, scope_prompt
    from ._options import model_options
    from ._text import ScopePromptTemplate
    from ._tracing import ScopeCallbackHandler, trace_metadata
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        missing_extra("scope_langchain", ("langchain_core",), "langchain", error), name=error.name
    ) from error

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

publish(__name__, __all__)
