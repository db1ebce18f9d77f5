"""The live prompt on an event loop, watched by blockbuster, which refuses every call there that may block."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from blockbuster import BlockingError, blockbuster_ctx
from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langgraph.graph import START, MessagesState, StateGraph

import scope_client
from scope_langchain import LivePrompt, scope_prompt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from scope_client.local import LocalPlatform

ANN = {"name": "Ann", "time_of_day": "day"}
GREETED = "Good day, Ann!"


@pytest.fixture
def live(platform: LocalPlatform, tmp_path: Path) -> LivePrompt:
    """Of a client that is not made yet, and will read a folder of prompts when it is."""
    (tmp_path / "greeting.md").write_text("from a file")
    scope_client.configure(
        credentials=platform.credentials, base_url=platform.url, auth_api_url=platform.url, prompt_dir=tmp_path
    )
    return scope_prompt("greeting")


def watched(call: Callable[[], Awaitable[Any]]) -> Any:
    """What the call returns; raises BlockingError if it blocks the loop."""

    async def main() -> Any:
        with blockbuster_ctx():
            return await call()

    return asyncio.run(main())


async def first_of(stream: Any) -> Any:
    (found,) = [each async for each in stream]
    return found


async def events(live: LivePrompt) -> Any:
    seen = [each async for each in live.astream_events(ANN, version="v2")]
    return seen[-1]["data"]["output"]


async def in_a_node(live: LivePrompt) -> Any:
    async def greet(state: MessagesState) -> dict[str, Any]:
        return {"messages": (await live.ainvoke(ANN)).to_messages()}

    graph = StateGraph(MessagesState)
    graph.add_node("greet", greet)
    graph.add_edge(START, "greet")
    return (await graph.compile().ainvoke({"messages": []}))["messages"][-1].content


async def in_a_chain(live: LivePrompt) -> Any:
    def prompt_of(run: Any) -> None:
        seen.extend(run.child_runs[0].outputs["output"].to_messages())

    seen: list[Any] = []
    chain: Any = live | FakeListChatModel(responses=["said"])
    assert (await chain.with_listeners(on_end=prompt_of).ainvoke(ANN)).content == "said"
    return seen[0].content


WAYS: dict[str, Callable[[LivePrompt], Awaitable[Any]]] = {
    "ainvoke": lambda live: live.ainvoke(ANN),
    "abatch": lambda live: live.abatch([ANN]),
    "astream": lambda live: first_of(live.astream(ANN)),
    "astream_events": events,
    "acurrent": lambda live: live.acurrent(),
    "aformat": lambda live: live.aformat(**ANN),
    "aformat_prompt": lambda live: live.aformat_prompt(**ANN),
    "aformat_messages": lambda live: live.aformat_messages(**ANN),
    "with other options": lambda live: live.bind(label="latest").ainvoke(ANN),
    "with what was added": lambda live: (live + "!" + live).ainvoke(ANN),
    "in a chat template": lambda live: ChatPromptTemplate.from_messages([live]).ainvoke(ANN),
    "in a chain": in_a_chain,
    "in a node": in_a_node,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", ["cold", "cached", "cleared"])
def test_no_way_blocks_it(way: str, state: str, live: LivePrompt) -> None:
    if state != "cold":
        live.invoke(ANN)
    if state == "cleared":
        scope_client.client().clear_cache()
    found = watched(lambda: WAYS[way](live))
    assert found is not None
    if way != "acurrent":
        assert GREETED in str(found)


def test_a_plain_read_would_block_it(live: LivePrompt) -> None:
    async def read() -> Any:
        return live.invoke(ANN)

    with pytest.raises(BlockingError):
        watched(read)


def test_a_look_at_it_reads_nothing_there(live: LivePrompt, platform: LocalPlatform) -> None:
    async def look() -> Any:
        schema = live.get_input_schema().model_json_schema()
        return repr(live), live.input_variables, "name" in live.input_variables, schema, live.get_graph(), live + "!"

    _, variables, has_it, schema, *_ = watched(look)
    assert (variables, has_it) == ([], True)
    assert (schema["type"], schema.get("required")) == ("object", None)
    assert not platform.requests
    live.invoke(ANN)
    _, variables, has_it, schema, *_ = watched(look)
    assert sorted(variables) == sorted(schema["required"]) == ["name", "time_of_day"]
    scope_client.client().clear_cache()
    assert watched(look)[1] == variables


def test_a_chat_template_may_be_made_there(live: LivePrompt) -> None:
    async def main() -> Any:
        template = ChatPromptTemplate.from_messages([live.bind(), MessagesPlaceholder("history"), ("human", "{q}")])
        return (await template.ainvoke({**ANN, "history": [("ai", "a")], "q": "{q}"})).to_messages()

    assert [message.content for message in watched(main)] == [GREETED, "a", "{q}"]
