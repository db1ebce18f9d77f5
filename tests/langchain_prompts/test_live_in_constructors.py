"""The live prompt in the constructors of LangChain's own chains and agents."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel, FakeMessagesListChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool

import scope_client
from scope_client import NotFoundError
from scope_langchain import LivePrompt, scope_prompt

if sys.version_info >= (3, 10):
    from langchain_classic import agents, chains
    from langchain_classic.chains.combine_documents import create_stuff_documents_chain
else:  # where LangChain has no 1.0, and all this still has its old name
    from langchain import agents, chains
    from langchain.chains.combine_documents import create_stuff_documents_chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

DOCUMENTS = [Document("one"), Document("two")]
QA = [{"role": "system", "content": "Use {{context}}."}, {"role": "user", "content": "{{input}}"}]
AGENT = [
    {"role": "system", "content": "You have tools, {{name}}."},
    {"role": "user", "content": "{{input}}"},
    {"role": "placeholder", "content": "{{agent_scratchpad}}"},
]
REACT = "Tools: {{tools}} Names: {{tool_names}} Do: {{input}} {{agent_scratchpad}}"


class Model(FakeMessagesListChatModel):
    """Keeps the messages of each call, and takes tools."""

    seen: list[Any]

    def bind_tools(self, tools: Any, **how: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **how: Any) -> Any:
        self.seen.append([message.content for message in messages])
        return super()._generate(messages, stop, run_manager, **how)


class Retriever(BaseRetriever):
    """Finds what it was asked."""

    def _get_relevant_documents(self, query: str, **how: Any) -> list[Document]:
        return [Document(query)]


@tool
def stock(of: str) -> str:
    """How many there are."""
    return f"7 {of}"


@pytest.fixture
def hosted(platform: LocalPlatform, client: ScopeClient) -> Callable[[str], LivePrompt]:
    platform.publish("qa", QA)
    platform.publish("rephrase", [{"role": "placeholder", "content": "{{chat_history}}"}, *QA[1:]])
    platform.publish("document", "<{{page_content}}>")
    platform.publish("agent", AGENT)
    platform.publish("react", REACT)
    return lambda name: scope_prompt(name, client=client)


def both_ways(chain: Any, given: Any) -> Any:
    """The answers of invoke and of ainvoke."""
    return chain.invoke(given), asyncio.run(chain.ainvoke(given))


def test_documents_are_stuffed_into_it(hosted: Any, platform: LocalPlatform, client: ScopeClient) -> None:
    model = Model(responses=[AIMessage("a")], seen=[])
    chain = create_stuff_documents_chain(model, hosted("qa"), document_prompt=hosted("document"))
    assert both_ways(chain, {"context": DOCUMENTS, "input": "{q}"}) == ("a", "a")
    assert model.seen == [["Use <one>\n\n<two>.", "{q}"]] * 2
    platform.publish("qa", "Only {{context}}")
    client.clear_cache()
    chain.invoke({"context": DOCUMENTS, "input": "{q}"})
    assert model.seen[-1] == ["Only <one>\n\n<two>"]
    with pytest.raises(ValueError, match="must accept context"):
        create_stuff_documents_chain(model, hosted("greeting"))


def test_a_chat_template_with_a_hosted_system_prompt_takes_documents(
    platform: LocalPlatform, client: ScopeClient
) -> None:
    platform.publish("system", "Use {{context}}.")
    system = scope_prompt("system", client=client, role="system")
    model = Model(responses=[AIMessage("a")], seen=[])
    for prompt in (ChatPromptTemplate.from_messages([system, ("human", "{input}")]), system + "{input}"):
        chain = create_stuff_documents_chain(model, prompt)
        assert both_ways(chain, {"context": DOCUMENTS, "input": "q"}) == ("a", "a")
    assert model.seen == [["Use one\n\ntwo.", "q"]] * 4


def test_a_retrieval_chain_has_two_of_them(hosted: Any) -> None:
    model = Model(responses=[AIMessage("better"), AIMessage("answer")], seen=[])
    retriever = chains.create_history_aware_retriever(model, Retriever(), hosted("rephrase"))
    chain = chains.create_retrieval_chain(retriever, create_stuff_documents_chain(model, hosted("qa")))
    history = [HumanMessage("before"), AIMessage("then")]
    for found in both_ways(chain, {"input": "more?", "chat_history": history}):
        assert (found["answer"], found["context"]) == ("answer", [Document("better")])
    assert model.seen == [["before", "then", "more?"], ["Use better.", "more?"]] * 2
    with pytest.raises(ValueError, match="Expected `input`"):
        chains.create_history_aware_retriever(model, Retriever(), hosted("greeting"))


def test_an_agent_that_calls_tools_has_it(hosted: Any) -> None:
    call = AIMessage("", tool_calls=[{"name": "stock", "args": {"of": "lamps"}, "id": "1", "type": "tool_call"}])
    model = Model(responses=[call, AIMessage("There are 7.")], seen=[])
    agent = agents.create_tool_calling_agent(model, [stock], hosted("agent").partial(name="Ann"))
    executor = agents.AgentExecutor(agent=agent, tools=[stock])
    for found in both_ways(executor, {"input": "lamps?"}):
        assert found["output"] == "There are 7."
    assert model.seen == [["You have tools, Ann.", "lamps?"], ["You have tools, Ann.", "lamps?", "", "7 lamps"]] * 2
    with pytest.raises(ValueError, match="missing required variables"):
        agents.create_tool_calling_agent(model, [stock], hosted("qa"))


def test_a_react_agent_fills_in_its_tools(hosted: Any, platform: LocalPlatform, client: ScopeClient) -> None:
    model = Model(responses=[AIMessage("Final Answer: 7")], seen=[])
    agent = agents.create_react_agent(model, [stock], hosted("react"))
    executor = agents.AgentExecutor(agent=agent, tools=[stock])
    assert [found["output"] for found in both_ways(executor, {"input": "lamps?"})] == ["7", "7"]
    assert all(text.startswith("Tools: stock(") and "Names: stock Do: lamps?" in text for (text,) in model.seen)
    platform.publish("react", "Briefly: {{input}} {{agent_scratchpad}}")
    client.clear_cache()
    executor.invoke({"input": "lamps?"})
    assert model.seen[-1] == ["Briefly: lamps? "]


class TestTheVariablesOfAConstructor:
    def test_are_read_once_while_they_are_cached(self, hosted: Any, platform: LocalPlatform) -> None:
        before = len(platform.requests)
        create_stuff_documents_chain(FakeListChatModel(responses=["a"]), hosted("qa"))
        once = len(platform.requests) - before
        create_stuff_documents_chain(FakeListChatModel(responses=["a"]), hosted("qa"))
        assert once == 2  # the token's and the prompt's
        assert len(platform.requests) - before == once

    @pytest.mark.parametrize("makes_a_template", [False, True])
    def test_are_left_to_the_call_in_an_outage(
        self, makes_a_template: bool, hosted: Any, platform: LocalPlatform, client: ScopeClient
    ) -> None:
        platform.fail(503)
        prompt = ChatPromptTemplate.from_messages([hosted("qa")]) if makes_a_template else hosted("qa")
        model = Model(responses=[AIMessage("a")], seen=[])
        chain = prompt | model | StrOutputParser() if makes_a_template else create_stuff_documents_chain(model, prompt)
        platform.recover()
        client.clear_cache()
        assert chain.invoke({"context": DOCUMENTS, "input": "q"}) == "a"

    def test_are_those_of_the_last_version_in_an_outage(
        self, hosted: Any, platform: LocalPlatform, client: ScopeClient
    ) -> None:
        live = hosted("greeting")
        assert sorted(live.input_variables) == ["name", "time_of_day"]
        platform.fail(503)
        client.clear_cache()
        assert sorted(live.input_variables) == ["name", "time_of_day"]
        assert "other" not in live.input_variables
        assert "other" in hosted("greeting").input_variables

    def test_are_left_to_the_call_without_credentials(self) -> None:
        template = ChatPromptTemplate.from_messages([scope_prompt("qa", role="system"), ("human", "{input}")])
        assert template.input_variables == ["input"]
        create_stuff_documents_chain(FakeListChatModel(responses=["a"]), scope_prompt("qa"))
        with pytest.raises(scope_client.MissingApiKeyError):
            template.invoke({"input": "q"})

    def test_of_a_prompt_that_is_not_there_are_an_error_at_once(self, hosted: Any) -> None:
        with pytest.raises(NotFoundError):
            create_stuff_documents_chain(FakeListChatModel(responses=["a"]), hosted("misspelt"))
