"""What a LangChain prompt costs is bounded by its size."""

from __future__ import annotations

import operator
from functools import partial
from typing import Any, Callable

import pytest
from faults import growth
from langchain_core.prompts import PromptTemplate

from scope_client import PromptVersion
from scope_client.testing import PromptsClient
from scope_langchain import (
    ScopeChatPromptTemplate,
    ScopePromptTemplate,
    model_options,
    scope_prompt,
    to_langchain,
    trace_metadata,
)

Call = Callable[[], object]


def names(size: int) -> list[str]:
    return [f"v{number}" for number in range(size)]


def values(size: int) -> dict[str, Any]:
    return dict.fromkeys(names(size), "x")


def text(size: int) -> str:
    return "".join(f"{{{{{name}}}}} " for name in names(size))


def chat(size: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"{{{{{name}}}}}"} for name in names(size)]


def version(content: object) -> PromptVersion:
    return PromptVersion.from_api({"name": "p", "content": content})


def formatted(template: Any, **given: object) -> Call:
    return lambda: template.format_prompt(**given)


def live(size: int) -> Call:
    prompt = scope_prompt("p", client=PromptsClient({"p": text(size)}), partial_variables=values(size - 1))
    return lambda: prompt.invoke({f"v{size - 1}": "x"})


def from_scope(kind: Any, content: Any, **partials: object) -> Call:
    client = PromptsClient({"p": content})
    return lambda: kind.from_scope("p", client=client, partial_variables=partials)


CALLS: dict[str, tuple[Callable[[int], Call], int]] = {
    "converting a text": (lambda n: lambda: to_langchain(version(text(n))), 500),
    "converting a text of braces": (lambda n: lambda: to_langchain(version("{" * n)), 25_000),
    "converting a chat": (lambda n: lambda: to_langchain(version(chat(n))), 25),
    "converting names that LangChain cannot take": (
        lambda n: lambda: to_langchain(version("".join(f"{{{{{number}}}}}" for number in range(n)))),
        500,
    ),
    "converting a placeholder that is none": (
        lambda n: lambda: to_langchain(version([{"role": "placeholder", "content": "x" * n}])),
        5_000,
    ),
    "a text": (lambda n: formatted(to_langchain(version(text(n))), **values(n)), 500),
    "a text without its values": (lambda n: formatted(to_langchain(version(text(n)))), 500),
    "a text of braces": (lambda n: lambda: ScopePromptTemplate(template="{{" * n + "{a}").format(a=1), 5_000),
    "a text of a number of braces and variables": (
        lambda n: lambda: ScopePromptTemplate(template="{{{a}}}" * n).format(a=1),
        1_000,
    ),
    "an input without its values": (lambda n: partial(to_langchain(version(text(n))).invoke, {}), 500),
    "a chat": (lambda n: formatted(to_langchain(version(chat(n))), **values(n)), 50),
    "a chat without its values": (lambda n: formatted(to_langchain(version(chat(n)))), 50),
    "partials": (lambda n: from_scope(ScopePromptTemplate, text(n), **values(n)), 250),
    "partials of a chat": (lambda n: from_scope(ScopeChatPromptTemplate, chat(n), **values(n)), 25),
    "partials without a variable": (lambda n: from_scope(ScopePromptTemplate, "x", **values(n)), 500),
    "a live prompt": (live, 250),
    "a sum": (lambda n: partial(operator.add, to_langchain(version(text(n))), PromptTemplate.from_template("x")), 250),
    "options": (lambda n: partial(model_options, _with_metadata(n), known=names(n)), 500),
    "tracing metadata": (lambda n: partial(trace_metadata, version("x" * n)), 100_000),
}


def _with_metadata(size: int) -> PromptVersion:
    return PromptVersion.from_api({"name": "p", "content": "x", "metadata": values(size)})


@pytest.mark.parametrize("what", CALLS)
def test_a_call(what: str) -> None:
    growth.check(*CALLS[what])
