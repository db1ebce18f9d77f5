"""A hosted prompt as the `prompt=` of LangGraph's own agent, which hands it the state and the result to the model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.tools import tool
from langgraph.prebuilt import create_react_agent

from scope_client.testing import PromptsClient
from scope_langchain import scope_prompt

if TYPE_CHECKING:
    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

pytestmark = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
ASKED = {"messages": [HumanMessage("How many?")]}
LOOKS_IT_UP = AIMessage("", tool_calls=[{"name": "stock", "args": {}, "id": "1", "type": "tool_call"}])
SEEN: list[Any] = []


class Model(FakeMessagesListChatModel):
    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self

    def _generate(self, messages: Any, *given: Any, **how: Any) -> Any:
        SEEN.append([(each.type, each.content) for each in messages])
        return super()._generate(messages, *given, **how)


@tool
def stock() -> str:
    """How many there are."""
    return "3"


def seen_by_the_model(prompt: Any, way: str = "invoke") -> list[Any]:
    SEEN.clear()
    agent = create_react_agent(Model(responses=[LOOKS_IT_UP, AIMessage("Three.")]), [stock], prompt=prompt)
    agent.invoke(ASKED) if way == "invoke" else asyncio.run(agent.ainvoke(ASKED))
    return SEEN


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_a_text_prompt_of_the_role_system_does_not_swallow_the_conversation(way: str) -> None:
    with PromptsClient({"agent": "Be brief."}) as client:
        first, second = seen_by_the_model(scope_prompt("agent", client=client, role="system"), way)
    assert first == [("system", "Be brief."), ("human", "How many?")]
    assert second == [*first, ("ai", ""), ("tool", "3")]


def test_what_is_added_to_it_stays_and_a_developer_is_as_good_as_a_system() -> None:
    with PromptsClient({"agent": "Be brief."}) as client:
        live = scope_prompt("agent", client=client, role="system") + MessagesPlaceholder("messages") + "Go."
        assert seen_by_the_model(live)[0] == [("system", "Be brief."), ("human", "How many?"), ("human", "Go.")]
        developer = scope_prompt("agent", client=client, role="developer")
        assert seen_by_the_model(developer)[0] == [("system", "Be brief."), ("human", "How many?")]


@pytest.mark.parametrize("fallback", ["Be brief.", [("system", "Be brief."), ("placeholder", "{{messages}}")]])
def test_neither_does_a_fallback(fallback: Any, platform: LocalPlatform, client: ScopeClient) -> None:
    platform.fail(503)
    if not isinstance(fallback, str):
        fallback = [{"role": role, "content": content} for role, content in fallback]
    first, second = seen_by_the_model(scope_prompt("agent", client=client, role="system", fallback=fallback))
    assert first == [("system", "Be brief."), ("human", "How many?")]
    assert second == [*first, ("ai", ""), ("tool", "3")]


def test_a_conversation_that_is_placed_by_hand_comes_once() -> None:
    with PromptsClient({"agent": "Be brief.", "quoting": "They said: {{messages}}"}) as client:
        live = scope_prompt("agent", client=client, role="system")
        for prompt in (
            live + MessagesPlaceholder("messages"),
            ChatPromptTemplate.from_messages([live, MessagesPlaceholder("messages")]),
        ):
            assert seen_by_the_model(prompt)[0] == [("system", "Be brief."), ("human", "How many?")]
        quoting = scope_prompt("quoting", client=client, role="system")
        assert quoting.invoke({"messages": "hi"}).to_messages()[0].content == "They said: hi"
        assert len(quoting.invoke({"messages": "hi"}).to_messages()) == len(live.invoke({}).to_messages()) == 1
