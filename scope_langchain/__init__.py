"""Prompts from the Scope Platform as LangChain prompts, exact to the byte."""

from __future__ import annotations

from scope_client.frameworks import missing_extra, publish

try:
    from ._chat import ScopeChatPromptTemplate
    from ._conversion import to_langchain
    from ._errors import MissingInputError
    from ._live import LivePrompt, scope_prompt
    from ._middleware import scope_prompt_middleware
    from ._model import scope_model
    from ._options import CALL_OPTIONS, MODEL_OPTIONS, call_options, model_options
    from ._prompt_values import ScopeChatPromptValue, ScopeStringPromptValue
    from ._text import ScopePromptTemplate
    from ._tracing import trace_metadata
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        missing_extra("scope_langchain", ("langchain_core",), "langchain", error), name=error.name
    ) from error

__all__ = [
    "CALL_OPTIONS",
    "MODEL_OPTIONS",
    "LivePrompt",
    "MissingInputError",
    "ScopeChatPromptTemplate",
    "ScopeChatPromptValue",
    "ScopePromptTemplate",
    "ScopeStringPromptValue",
    "call_options",
    "model_options",
    "scope_model",
    "scope_prompt",
    "scope_prompt_middleware",
    "to_langchain",
    "trace_metadata",
]

publish(__name__, __all__)
