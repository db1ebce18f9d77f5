"""An agent's hosted system prompt: read on each call of the model, with its options, and on the model's run."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

import pytest
from langchain import agents
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_prompts.test_tracing import Trace, shown

from scope_client import MissingVariableError, ValidationError
from scope_client.local import LocalPlatform
from scope_client.testing import PromptsClient
from scope_langchain import scope_model, scope_prompt_middleware

if TYPE_CHECKING:
    from scope_client import ScopeClient

ASKED = {"messages": [HumanMessage("What is in stock?")]}
LOOKS_IT_UP = AIMessage("", tool_calls=[{"name": "stock", "args": {"of": "lamps"}, "id": "1", "type": "tool_call"}])


class Model(FakeMessagesListChatModel):
    """Keeps what each call was given."""

    calls: list[Any] = []  # noqa: RUF012  # of pydantic, which copies it

    def bind_tools(self, tools: Any, **how: Any) -> Any:
        return self.bind(**how)

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **how: Any) -> Any:
        SEEN.append(([(each.type, each.content) for each in messages], how))
        return super()._generate(messages, stop, run_manager, **how)


SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def seen() -> list[Any]:
    SEEN.clear()
    return SEEN


def ran(middleware: Any, *said: AIMessage, way: str = "invoke", **more: Any) -> Trace:
    trace = Trace()
    agent = agents.create_agent(Model(responses=list(said or [AIMessage("Lamps.")])), middleware=[middleware], **more)
    if way == "invoke":
        agent.invoke(ASKED, {"callbacks": [trace]})
    else:
        asyncio.run(agent.ainvoke(ASKED, {"callbacks": [trace]}))
    return trace


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_a_promotion_reaches_an_agent_that_runs_with_its_options_and_its_trace(
    way: str, platform: LocalPlatform, client: ScopeClient, seen: list[Any]
) -> None:
    def promote(number: int) -> None:
        platform.publish("agent", f"Prompt {number} of {{{{shop}}}}", metadata={"temperature": number / 10})
        client.clear_cache()

    @tool
    def stock(of: str) -> str:
        """What is in stock."""
        promote(2)
        return f"{of}: 3"

    promote(1)
    middleware = scope_prompt_middleware("agent", client=client, values={"shop": "Lamps"}, options=["temperature"])
    trace = ran(middleware, LOOKS_IT_UP, AIMessage("Three."), way=way, tools=[stock])
    assert [(messages[0], how["temperature"]) for messages, how in seen] == [
        (("system", "Prompt 1 of Lamps"), 0.1),
        (("system", "Prompt 2 of Lamps"), 0.2),
    ]
    assert [kind for kind, _ in seen[1][0]] == ["system", "human", "ai", "tool"]
    assert [shown(run)["version"] for run in trace.of("chat_model", "llm")] == [1, 2]
    assert [shown(run)["version"] for run in trace.of("prompt")] == [1, 2]
    others = [run for run in trace.runs if run.run_type not in ("chat_model", "llm", "prompt")]
    assert [run for run in others if shown(run)] == []


def test_the_model_and_its_own_metadata_stay_as_they_are() -> None:
    model = Model(responses=[AIMessage("x")], metadata={"model's": 1})
    trace = Trace()
    with PromptsClient({"agent": "Be brief."}) as client:
        agent = agents.create_agent(model, middleware=[scope_prompt_middleware("agent", client=client)])
        agent.invoke(ASKED, {"callbacks": [trace], "metadata": {"mine": 1}})
    (run,) = trace.of("chat_model", "llm")
    assert {"model's", "mine", "scope.prompt.name"} <= run.extra["metadata"].keys()
    assert "scope.prompt.name" not in model.metadata


def test_values_may_be_made_of_the_request(seen: list[Any]) -> None:
    with PromptsClient({"agent": "There are {{n}} messages."}) as client:
        ran(scope_prompt_middleware("agent", client=client, values=lambda request: {"n": len(request.messages)}))
    assert seen[0][0] == [("system", "There are 1 messages."), ("human", "What is in stock?")]


def test_it_takes_the_place_of_the_agents_own_system_prompt(seen: list[Any]) -> None:
    with PromptsClient({"agent": "hosted"}) as client:
        ran(scope_prompt_middleware("agent", client=client), system_prompt="written in the code")
    assert seen[0][0] == [("system", "hosted"), ("human", "What is in stock?")]


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        ([("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello")], ["Be brief.", "Hi", "Hello", "What"]),
        ([("system", "Be brief."), ("placeholder", "{{messages}}"), ("user", "Go.")], ["Be brief.", "What", "Go."]),
        ([("user", "Hi")], ["Hi", "What"]),
    ],
)
def test_a_chat_prompt_or_a_fallback_of_one_stands_around_the_conversation(
    chat: Any, expected: list[str], platform: LocalPlatform, client: ScopeClient, seen: list[Any]
) -> None:
    prompt = [{"role": role, "content": content} for role, content in chat]
    middleware = scope_prompt_middleware("agent", client=client, fallback=prompt)
    platform.fail(503)
    ran(middleware)
    platform.recover()
    platform.publish("agent", prompt)
    ran(scope_prompt_middleware("agent", client=platform.client()))
    for messages, _ in seen:
        assert [str(content).split(" is")[0] for _, content in messages] == expected
    assert len(seen) == 2


def test_several_system_messages_are_one(seen: list[Any]) -> None:
    chat = [{"role": "system", "content": "One."}, {"role": "system", "content": "Two."}]
    with PromptsClient({"agent": chat}) as client:
        ran(scope_prompt_middleware("agent", client=client))
    assert seen[0][0][0] == ("system", [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}])


@pytest.mark.parametrize("key", ["tool_choice", "tools"])
def test_tools_of_the_metadata_come_beside_those_of_the_agent(key: str, seen: list[Any]) -> None:
    @tool
    def stock(of: str) -> str:
        """What is in stock."""
        return "3"

    class Tooled(Model):
        def bind_tools(self, tools: Any, **how: Any) -> Any:
            return self.bind(tools=[getattr(each, "name", each) for each in tools], **how)

    metadata = {"tool_choice": "auto", "tools": [{"type": "web_search"}]}[key]
    with LocalPlatform() as platform:
        platform.publish("agent", "Be brief.", metadata={key: metadata})
        middleware = scope_prompt_middleware("agent", client=platform.client(), options=["tools", "tool_choice"])
        agents.create_agent(Tooled(responses=[AIMessage("x")]), [stock], middleware=[middleware]).invoke(ASKED)
    ((_, how),) = seen
    assert how["tools"] == (["stock", {"type": "web_search"}] if key == "tools" else ["stock"])
    assert how.get("tool_choice") == (metadata if key == "tool_choice" else None)


def test_a_question_of_another_middleware_is_not_credited_to_the_prompt() -> None:
    class Judge(agents.middleware.AgentMiddleware):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            request.model.invoke("of the code's own")
            request.model.invoke([HumanMessage("of the code's own")])
            return handler(request)

    trace = Trace()
    with PromptsClient({"agent": "Be brief."}) as client:
        both = [scope_prompt_middleware("agent", client=client), Judge()]
        agent = agents.create_agent(Model(responses=[AIMessage("x")]), middleware=both)
        agent.invoke(ASKED, {"callbacks": [trace]})
    assert [shown(run).get("name") for run in trace.of("chat_model", "llm")] == [None, None, "agent"]


def test_a_system_prompt_that_another_middleware_extends_is_still_the_prompts() -> None:
    class Extends(agents.middleware.AgentMiddleware):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            more = SystemMessage(f"{request.system_message.content}\nWrite a list.")
            return handler(request.override(system_message=more))

    trace = Trace()
    with PromptsClient({"agent": "Be brief."}) as client:
        both = [scope_prompt_middleware("agent", client=client), Extends()]
        agent = agents.create_agent(Model(responses=[AIMessage("x")]), middleware=both)
        agent.invoke(ASKED, {"callbacks": [trace]})
    assert [shown(run).get("name") for run in trace.of("chat_model", "llm")] == ["agent"]


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy])
def test_another_middleware_may_copy_the_model(made: Any) -> None:
    class Copies(agents.middleware.AgentMiddleware):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(model=made(request.model)))

    trace = Trace()
    with PromptsClient({"agent": "Be brief."}) as client:
        both = [scope_prompt_middleware("agent", client=client), Copies()]
        agent = agents.create_agent(Model(responses=[AIMessage("x")]), middleware=both)
        agent.invoke(ASKED, {"callbacks": [trace]})
    assert [shown(run).get("name") for run in trace.of("chat_model", "llm")] == ["agent"]


def test_a_model_that_is_linked_already_has_the_version_too() -> None:
    trace = Trace()
    with PromptsClient({"agent": "Be brief."}) as client:
        middleware = scope_prompt_middleware("agent", client=client)
        agent = agents.create_agent(scope_model(Model(responses=[AIMessage("x")])), middleware=[middleware])
        agent.invoke(ASKED, {"callbacks": [trace]})
    assert [shown(run).get("name") for run in trace.of("chat_model", "llm")] == ["agent"]


def test_two_of_them_have_names_of_their_own(seen: list[Any]) -> None:
    with PromptsClient({"a": "first", "b": "second"}) as client:
        both = [scope_prompt_middleware(name, client=client) for name in ("a", "b")]
        agents.create_agent(Model(responses=[AIMessage("x")]), middleware=both).invoke(ASKED)
    assert seen[0][0][0] == ("system", "second")


def test_what_is_wrong_is_said_when_it_is_made_or_read() -> None:
    with PromptsClient({"agent": "{{missing}}"}) as client:
        with pytest.raises(ValidationError, match="options must be a list of names"):
            scope_prompt_middleware("agent", client=client, options="temperature")
        with pytest.raises(ValidationError, match="values must be a mapping or a function, got str"):
            scope_prompt_middleware("agent", client=client, values="x")  # type: ignore[arg-type]
        with pytest.raises(MissingVariableError, match="'missing'"):
            ran(scope_prompt_middleware("agent", client=client))
