"""The span of an agent's model carries the prompt of the middleware, on each call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from faults.model_spans import CHAT, ModelSpans
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from opentelemetry.trace import SpanKind

from scope_langchain import scope_prompt_middleware

if TYPE_CHECKING:
    from scope_client import ScopeClient

ASKED = {"messages": [{"role": "user", "content": "Hi"}]}


class Spied(GenericFakeChatModel):
    """A model whose own client is instrumented."""

    spans: Any

    def _generate(self, *given: Any, **options: Any) -> Any:
        with self.spans.span("chat", attributes=CHAT, kind=SpanKind.CLIENT):
            return super()._generate(*given, **options)

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self


def look(client: ScopeClient, spans: ModelSpans) -> str:
    """Looks into another prompt, as a tool does."""
    client.render_prompt("summary", {"text": "it"})
    return "seen"


@pytest.mark.parametrize("run", ["invoke", "ainvoke"])
def test_each_call_of_an_agent_s_model_carries_the_middleware_s_prompt(
    run: str, client: ScopeClient, spans: ModelSpans
) -> None:
    def tool() -> str:
        """Looks."""
        return look(client, spans)

    call = {"name": "tool", "args": {}, "id": "1", "type": "tool_call"}
    said = iter([AIMessage("", tool_calls=[call]), AIMessage("done")])
    hosted = scope_prompt_middleware("greeting", client=client, values={"name": "Ada"})
    agent = create_agent(Spied(messages=said, spans=spans), [tool], middleware=[hosted])
    agent.invoke(ASKED) if run == "invoke" else asyncio.run(agent.ainvoke(ASKED))
    assert spans.prompts == [("chat", "greeting")] * 2
    assert spans.attributes()["scope.prompt.source"] == "memory"


def test_what_another_middleware_asks_the_model_is_not_of_the_prompt(client: ScopeClient, spans: ModelSpans) -> None:
    class Asks(AgentMiddleware):  # type: ignore[type-arg]  # of any state
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            request.model.invoke([HumanMessage("Is this allowed?")])
            return handler(request)

    said = iter([AIMessage("yes"), AIMessage("done")])
    hosted = scope_prompt_middleware("greeting", client=client, values={"name": "Ada"})
    create_agent(Spied(messages=said, spans=spans), [], middleware=[hosted, Asks()]).invoke(ASKED)
    assert spans.prompts == [("chat", None), ("chat", "greeting")]
