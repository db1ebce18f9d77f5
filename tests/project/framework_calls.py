"""Reads through the packages for frameworks: those with `mypy` behind them are mistakes, the others are right."""

from __future__ import annotations

from typing import Optional

from scope_django import aget_prompt_version, arender_prompt
from scope_flask import current_scope
from scope_langchain import ScopeChatPromptTemplate, ScopePromptTemplate, scope_prompt


async def read(id_or_none: Optional[str]) -> None:
    await aget_prompt_version("greeting", label="latest", cache=False)
    await aget_prompt_version("greeting", version=id_or_none)
    await aget_prompt_version("greeting", label="latest", version="v_1")  # mypy
    await aget_prompt_version("greeting", label="prod")  # mypy
    await arender_prompt("greeting", {"name": "Ada"}, "latest", fallback="Hi")
    await arender_prompt("greeting", {"name": "Ada"}, version="v_1")
    await arender_prompt("greeting", {"name": "Ada"}, label="latest", version="v_1")  # mypy
    await arender_prompt("greeting", name="Ada")  # mypy
    await current_scope.aget_prompt_version("greeting", version="v_1")
    await current_scope.aget_prompt_version("greeting", label="latest", version="v_1")  # mypy


ScopePromptTemplate.from_scope("greeting", version="v_1", partial_variables={"name": "Ada"})
ScopePromptTemplate.from_scope("greeting", label="latest", version="v_1")  # mypy
ScopeChatPromptTemplate.from_scope("chat", label="latest", requires={"question"})
ScopeChatPromptTemplate.from_scope("chat", label="prod")  # mypy
scope_prompt("greeting", version="v_1", fallback="Hi")
scope_prompt("greeting", label="latest", version="v_1")  # mypy
scope_prompt("greeting", label="prod")  # mypy
