"""What tests hear of the prompts that LangChain fills in: each once, with the version that it was made of."""

from __future__ import annotations

import asyncio

import pytest
from langchain_core.prompts import PromptTemplate

from scope_client.frameworks import Rendering, renderings
from scope_client.testing import PromptsClient
from scope_langchain import ScopePromptTemplate, scope_prompt, to_langchain

CHAT = [
    {"role": "system", "content": "Be {{tone}}."},
    {"role": "placeholder", "content": "{{history}}"},
    {"role": "user", "content": "{{question}}"},
]
VALUES = {"tone": "kind", "history": [("human", "Hi")], "question": "Why?"}
MESSAGES = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi"},
    {"role": "user", "content": "Why?"},
]


@pytest.fixture
def client():
    return PromptsClient({"chat": CHAT, "text": "Hi {{name}}"})


@pytest.fixture
def heard():
    found: list[Rendering] = []
    stop = renderings.listen(found.append)
    yield found
    stop()


WAYS = {
    "invoke": lambda client: scope_prompt("chat", client=client).invoke({**VALUES, "more": 1}),
    "ainvoke": lambda client: asyncio.run(scope_prompt("chat", client=client).ainvoke(VALUES)),
    "format_messages": lambda client: to_langchain(client.get_prompt_version("chat")).format_messages(**VALUES),
    "aformat": lambda client: asyncio.run(to_langchain(client.get_prompt_version("chat")).aformat_messages(**VALUES)),
    "partial": lambda client: (
        to_langchain(client.get_prompt_version("chat"))
        .partial(tone="kind")
        .format_prompt(history=[("human", "Hi")], question="Why?")
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_chat_is_heard_once_with_its_values_and_messages(way, client, heard):
    way(client)
    (rendering,) = heard
    assert (rendering.name, rendering.version_number, rendering.version_id) == ("chat", 1, "v_test")
    assert rendering.values == VALUES
    assert rendering.rendered == MESSAGES


def test_a_text_is_heard_once(client, heard):
    ScopePromptTemplate.from_scope("text", client=client).format(name="Ada")
    (rendering,) = heard
    assert (rendering.variables, rendering.values, rendering.rendered) == (("name",), {"name": "Ada"}, "Hi Ada")


def test_a_template_of_langchain_is_not(client, heard):
    PromptTemplate.from_template("Hi {name}").format(name="Ada")
    assert heard == []
