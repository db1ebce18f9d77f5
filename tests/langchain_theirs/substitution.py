"""A pytest plugin: Scope's templates in place of LangChain's, under LangChain's names, before a test imports them."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import Any

import langchain_core.prompts as prompts

from scope_langchain import ScopeChatPromptTemplate, ScopePromptTemplate


def put_in_place(theirs: Any, ours: Any) -> None:
    """Under the name that LangChain has: in what is printed, drawn and saved, the class's own name would differ."""
    name = theirs.__name__
    named = type(ours)(name, (ours,), {"__module__": theirs.__module__, "__doc__": theirs.__doc__})
    for module in [each for path, each in sys.modules.items() if path.startswith("langchain_core")]:
        if vars(module).get(name) is theirs:
            setattr(module, name, named)


for found in pkgutil.iter_modules(prompts.__path__):  # what has LangChain's classes as its bases is to keep them
    importlib.import_module(f"{prompts.__name__}.{found.name}")
put_in_place(prompts.PromptTemplate, ScopePromptTemplate)
put_in_place(prompts.ChatPromptTemplate, ScopeChatPromptTemplate)
