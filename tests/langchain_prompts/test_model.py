"""The model's run has the version that made its input, with that version's options; and no other run has it."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import operator
import pickle
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.load import dumps, loads
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_core.tracers import LangChainTracer
from langchain_prompts.test_tracing import Trace, shown, version
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langsmith import Client
from typing_extensions import TypedDict

from scope_client import ScopeError, ValidationError
from scope_client.testing import PromptsClient
from scope_langchain import CALL_OPTIONS, scope_model, scope_prompt, to_langchain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

MODELS = ("chat_model", "llm")
# What a graph is told to load from its checkpoints, since LangGraph 1.0.
ALLOWED = [("scope_langchain", "ScopeChatPromptValue"), ("scope_langchain", "ScopeStringPromptValue")]
ALLOWED_IS_KNOWN = "allowed_msgpack_modules" in inspect.signature(JsonPlusSerializer).parameters
TRIES = 40
KNOWN = {"name": "qa", "id": "prompt_1", "version": 7, "version_id": "v_7"}


class Inline(BaseCallbackHandler):
    """A tracer that LangChain awaits before all others, as LangSmith's own is."""

    run_inline = True

    def __init__(self) -> None:
        self.models: list[Any] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, *, metadata: Any = None, **_: Any) -> None:
        self.models.append((metadata or {}).get("scope.prompt.version"))

    def on_llm_start(self, serialized: Any, prompts: Any, *, metadata: Any = None, **_: Any) -> None:
        self.models.append((metadata or {}).get("scope.prompt.version"))


def model(*said: str) -> FakeListChatModel:
    return FakeListChatModel(responses=list(said or ("said",)))


def graph_of(answer: Any) -> Any:
    """Its first node makes the value, its second one hands it to the model, and both go through a checkpoint."""

    class State(TypedDict):
        given: dict[str, Any]
        value: Any
        said: Annotated[list[str], operator.add]

    prompt, linked = answer
    graph = StateGraph(State)
    graph.add_node("fill", lambda state: {"value": prompt.invoke(state["given"])})
    graph.add_node("ask", lambda state: {"said": [linked.invoke(state["value"]).content]})
    graph.add_node("judge", lambda state: {"said": [model().invoke("of the code's own").content]})
    graph.add_edge(START, "fill")
    graph.add_edge("fill", "ask")
    graph.add_edge("ask", "judge")
    compiled = graph.compile(checkpointer=InMemorySaver())
    return RunnableLambda(
        lambda given, config: compiled.invoke({"given": given}, {**config, "configurable": {"thread_id": "1"}})
    )


SHAPES: dict[str, Any] = {
    "plain": lambda prompt: prompt | scope_model(model()),
    "language model": lambda prompt: prompt | scope_model(FakeListLLM(responses=["said"])),
    "parsed": lambda prompt: prompt | scope_model(model()) | StrOutputParser(),
    "bound before": lambda prompt: prompt | scope_model(model().bind(stop=["x"])),
    "bound after": lambda prompt: prompt | scope_model(model()).bind(stop=["x"]),
    "retry before": lambda prompt: prompt | scope_model(model().with_retry()),
    "retry after": lambda prompt: (prompt | scope_model(model())).with_retry(),
    "fallbacks before": lambda prompt: prompt | scope_model(Broken(responses=["x"]).with_fallbacks([model()])),
    "fallbacks after": lambda prompt: (
        prompt | scope_model(Broken(responses=["x"])).with_fallbacks([scope_model(model())])
    ),
    "with a parser": lambda prompt: prompt | scope_model(model() | StrOutputParser()),
    "with config": lambda prompt: prompt | scope_model(model().with_config(tags=["mine"])),
    "side by side": lambda prompt: (
        RunnablePassthrough() | {"a": prompt} | operator.itemgetter("a") | scope_model(model())
    ),
    "in a graph": lambda prompt: graph_of((prompt, scope_model(model()))),
}


class Broken(FakeListChatModel):
    batch, abatch = Runnable.batch, Runnable.abatch  # which give an error in the place of a result

    def _call(self, *_: Any, **__: Any) -> str:
        raise ConnectionError("the model is down")

    def _stream(self, *_: Any, **__: Any) -> Any:
        raise ConnectionError("the model is down")

    async def _astream(self, *_: Any, **__: Any) -> Any:
        raise ConnectionError("the model is down")
        yield


async def _astream(chain: Any, given: Any, how: Any) -> None:
    async for _ in chain.astream(given, how):
        pass


async def _astream_events(chain: Any, given: Any, how: Any) -> None:
    async for _ in chain.astream_events(given, how, version="v2"):
        pass


WAYS: dict[str, Any] = {
    "invoke": lambda chain, given, how: chain.invoke(given, how),
    "ainvoke": lambda chain, given, how: asyncio.run(chain.ainvoke(given, how)),
    "batch": lambda chain, given, how: chain.batch([given], how),
    "abatch": lambda chain, given, how: asyncio.run(chain.abatch([given], how)),
    "stream": lambda chain, given, how: list(chain.stream(given, how)),
    "astream": lambda chain, given, how: asyncio.run(_astream(chain, given, how)),
    "astream_events": lambda chain, given, how: asyncio.run(_astream_events(chain, given, how)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_models_run_has_the_version_of_its_input_and_no_run_has_it_that_should_not(shape: str, way: str) -> None:
    trace, inline = Trace(), Inline()
    for tracer in (trace, inline):  # apart: beside one that is inline, LangChain calls no other for a language model
        WAYS[way](SHAPES[shape](to_langchain(version())), {"a": 1}, {"callbacks": [tracer]})
    models = [shown(run) for run in trace.of(*MODELS)]
    of_the_code = [{}] if shape == "in a graph" else []
    assert [each for each in models if each] == [KNOWN] * (2 if "fallbacks" in shape else 1), trace.runs
    assert [each for each in models if not each] == of_the_code
    assert [shown(run) for run in trace.runs if run.run_type not in (*MODELS, "prompt") and shown(run)] == []
    assert [each for each in inline.models if each] == [7] * (2 if "fallbacks" in shape else 1)


@pytest.mark.parametrize("way", WAYS)
def test_each_of_many_runs_has_the_version_that_was_there_when_its_input_was_made(
    way: str, platform: LocalPlatform, client: ScopeClient
) -> None:
    chain = scope_prompt("greeting", client=client) | scope_model(model().bind(stop=["x"]))
    trace, inline = Trace(), Inline()
    for number in range(2, TRIES // 4):
        WAYS[way](chain, {"name": "Ann", "time_of_day": "day"}, {"callbacks": [inline, trace]})
        platform.publish("greeting", f"{number} {{{{name}}}} {{{{time_of_day}}}}")
        client.clear_cache()
    expected = list(range(1, TRIES // 4 - 1))
    assert inline.models == expected
    assert [shown(run)["version"] for run in trace.of(*MODELS)] == expected


class Posted(Client):
    """LangSmith's client, which keeps what it would post."""

    def __init__(self) -> None:
        super().__init__(api_url="http://127.0.0.1:9", api_key="none", auto_batch_tracing=False)
        self.posted: list[Any] = []

    def create_run(self, name: str, inputs: Any, run_type: Any, **more: Any) -> None:
        self.posted.append((run_type, (more["extra"].get("metadata") or {}).get("scope.prompt.version")))

    def update_run(self, run_id: Any, **_: Any) -> None: ...


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("said_by", [model(), model().bind(stop=["x"])], ids=["plain", "bound"])
def test_langsmiths_own_tracer_posts_it_forty_times_of_forty(way: str, said_by: Any) -> None:
    chain = to_langchain(version()) | scope_model(said_by)
    client = Posted()
    for _ in range(TRIES):
        WAYS[way](chain, {"a": 1}, {"callbacks": [LangChainTracer(client=client)]})
    assert sorted(client.posted, key=str) == sorted([("chain", None), ("llm", 7), ("prompt", 7)] * TRIES, key=str)


def test_versions_that_are_under_way_at_once_do_not_mix() -> None:
    async def main() -> list[Trace]:
        traces = [Trace() for _ in range(8)]
        linked = scope_model(model())
        await asyncio.gather(
            *(
                (to_langchain(version(number)) | linked).ainvoke({"a": 1}, {"callbacks": [trace]})
                for number, trace in enumerate(traces)
            )
        )
        return traces

    assert [each.seen(*MODELS) for each in asyncio.run(main())] == [[number] for number in range(8)]


def test_a_batch_of_values_of_several_versions_names_that_of_each() -> None:
    values = [to_langchain(version(number)).invoke({"a": 1}) for number in (1, 2, 3)]
    for way in ("batch", "abatch"):
        trace, inline = Trace(), Inline()
        linked = scope_model(model())
        how = {"callbacks": [trace, inline]}
        asyncio.run(linked.abatch(values, how)) if way == "abatch" else linked.batch(values, how)
        assert sorted(trace.seen(*MODELS)) == sorted(inline.models) == [1, 2, 3]


def test_a_later_model_a_plain_prompt_and_messages_are_not_credited() -> None:
    trace = Trace()
    linked = scope_model(model("a", "b", "c", "d"))
    value = to_langchain(version()).invoke({"a": 1})
    (PromptTemplate.from_template("{a}") | linked).invoke({"a": 1}, {"callbacks": [trace]})
    linked.invoke("text", {"callbacks": [trace]})
    linked.invoke(value.to_messages(), {"callbacks": [trace]})
    (to_langchain(version()) | linked | StrOutputParser() | model()).invoke({"a": 1}, {"callbacks": [trace]})
    assert trace.seen(*MODELS) == [None, None, None, 7, None]


def test_what_the_caller_gives_stays() -> None:
    trace, given = Trace(), {"metadata": {"mine": 1}, "tags": ["mine"]}
    (to_langchain(version()) | scope_model(model())).invoke({"a": 1}, {**given, "callbacks": [trace]})
    (run,) = trace.of(*MODELS)
    assert (run.extra["metadata"]["mine"], "mine" in run.tags, shown(run)) == (1, True, KNOWN)
    assert given == {"metadata": {"mine": 1}, "tags": ["mine"]}


def test_what_the_model_itself_is_given_stays() -> None:
    value, linked = to_langchain(version()).invoke({"a": 1}), scope_model(model())
    for way in ("invoke", "ainvoke", "batch", "abatch", "stream", "astream"):
        trace = Trace()
        WAYS[way](linked, value, {"metadata": {"mine": 1}, "callbacks": [trace]})
        (run,) = trace.of(*MODELS)
        assert (run.extra["metadata"]["mine"], shown(run)) == (1, KNOWN)


def test_a_model_called_within_a_run_keeps_the_metadata_of_that_run() -> None:
    trace = Trace()
    value = to_langchain(version()).invoke({"a": 1})
    linked = scope_model(model())
    RunnableLambda(lambda _: linked.invoke(value)).invoke(1, {"callbacks": [trace], "metadata": {"outer": 1}})
    (run,) = trace.of(*MODELS)
    assert (run.extra["metadata"].get("outer"), shown(run)) == (1, KNOWN)


def test_a_fallback_is_told_from_the_real_one(platform: LocalPlatform, client: ScopeClient) -> None:
    platform.fail(503)
    trace = Trace()
    chain = scope_prompt("greeting", client=client, fallback="Hi") | scope_model(model(), options=["temperature"])
    chain.invoke({}, {"callbacks": [trace]})
    assert [shown(run) for run in trace.of(*MODELS)] == [{"name": "greeting", "is_fallback": True}]


def test_no_value_and_no_content_is_in_the_metadata() -> None:
    trace = Trace()
    chain = to_langchain(version(metadata={"owner": "a secret"})) | scope_model(model(), options=["owner"][:0])
    chain.invoke({"a": "a secret"}, {"callbacks": [trace]})
    for run in trace.runs:
        assert "secret" not in json.dumps(run.extra.get("metadata"), default=str)
        assert "secret" not in str(run.tags)


# The options of that very version


class Options(FakeListChatModel):
    """Keeps the keywords of each call."""

    def _call(self, *_: Any, **how: Any) -> str:
        how = {key: value for key, value in how.items() if key not in ("stop", "run_manager")}
        CALLS.append(how)
        return "said"

    def _stream(self, *_: Any, **how: Any) -> Iterator[Any]:
        self._call(**how)
        yield from super()._stream(*_)

    async def _astream(self, *_: Any, **how: Any) -> Any:
        self._call(**how)
        async for each in super()._astream(*_):
            yield each


CALLS: list[Any] = []


@pytest.fixture
def calls() -> list[Any]:
    CALLS.clear()
    return CALLS


@pytest.mark.parametrize("way", WAYS)
def test_a_promotion_brings_its_own_options(
    way: str, platform: LocalPlatform, client: ScopeClient, calls: list[Any]
) -> None:
    chain = scope_prompt("tuned", client=client) | scope_model(Options(responses=["x"]), options=["temperature"])
    for temperature in (0.1, 0.9):
        platform.publish("tuned", "{{a}}", metadata={"temperature": temperature, "model_provider": "openai"})
        client.clear_cache()
        WAYS[way](chain, {"a": 1}, {})
    assert [each["temperature"] for each in calls] == [0.1, 0.9]
    assert all("model_provider" not in each for each in calls)


def test_the_options_of_a_version_win_over_bound_ones_and_others_stay(calls: list[Any]) -> None:
    prompt = to_langchain(version(metadata={"temperature": 0.5}))
    bound = Options(responses=["x"]).bind(temperature=1, seed=3)
    (prompt | scope_model(bound, options=["temperature", "top_p"])).invoke({"a": 1})
    scope_model(bound, options=["temperature"]).invoke("text")
    assert calls == [{"temperature": 0.5, "seed": 3}, {"temperature": 1, "seed": 3}]


def test_a_batch_of_several_versions_calls_the_model_with_the_options_of_each(calls: list[Any]) -> None:
    values = [
        to_langchain(version(number, metadata={"temperature": number})).invoke({"a": number}) for number in (1, 2, 2)
    ]
    linked = scope_model(Options(responses=["x"]), options=CALL_OPTIONS)
    trace = Trace()
    linked.batch(values, {"callbacks": [trace]})
    assert sorted(each["temperature"] for each in calls) == sorted(trace.seen(*MODELS)) == [1, 2, 2]
    asyncio.run(linked.abatch(values, {"callbacks": [trace]}))
    assert sorted(each["temperature"] for each in calls) == sorted(trace.seen(*MODELS)) == [1, 1, 2, 2, 2, 2]
    assert linked.batch([]) == asyncio.run(linked.abatch([])) == []


def test_lists_and_mappings_of_the_metadata_reach_the_model_as_plain_json(calls: list[Any]) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "required": ["a"]}}}
    prompt = to_langchain(version(metadata={"response_format": schema, "tools": [{"type": "web_search"}]}))
    (prompt | scope_model(Options(responses=["x"]), options=["response_format", "tools"])).invoke({"a": 1})
    assert json.loads(json.dumps(calls)) == [{"response_format": schema, "tools": [{"type": "web_search"}]}]


@pytest.mark.parametrize("wrong", ["temperature", [1], [None]])
def test_options_that_are_not_names_are_refused_when_it_is_made(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="options must be"):
        scope_model(model(), options=wrong)


@pytest.mark.parametrize("wrong", ["gpt-4o", None, 5, FakeListChatModel])
def test_what_is_not_a_model_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="scope_model takes a model of LangChain, got"):
        scope_model(wrong)


def test_tools_and_schemas_may_be_bound_after_it(calls: list[Any]) -> None:
    class Tooled(Options):
        def bind_tools(self, tools: Any, **how: Any) -> Any:
            return self.bind(tools=tools, **how)

    trace = Trace()
    linked: Any = scope_model(Tooled(responses=["x"]), options=["seed"])
    chain = to_langchain(version(metadata={"seed": 4})) | linked.bind_tools(["t"])
    chain.invoke({"a": 1}, {"callbacks": [trace]})
    assert (calls, trace.seen(*MODELS)) == ([{"tools": ["t"], "seed": 4}], [7])


def test_a_schema_that_is_given_afterwards_wins_over_that_of_the_version(calls: list[Any]) -> None:
    class Structured(Options):
        def with_structured_output(self, schema: Any, **how: Any) -> Any:
            return self.bind(response_format=schema) | StrOutputParser()

    trace = Trace()
    prompt = to_langchain(version(metadata={"response_format": {"type": "text"}, "seed": 4}))
    linked: Any = scope_model(Structured(responses=["x"]), options=["response_format", "seed"])
    (prompt | linked.with_structured_output({"title": "mine"})).invoke({"a": 1}, {"callbacks": [trace]})
    assert calls == [{"response_format": {"title": "mine"}, "seed": 4}]
    assert [shown(run).get("version") for run in trace.runs if run.run_type not in ("prompt",)].count(7) == 1


# The value


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("content", ["{{a}}", [{"role": "system", "content": "{{a}}"}]])
def test_a_value_is_langchains_own_in_all_but_what_it_was_made_of(content: Any) -> None:
    with PromptsClient({"x": content}) as client:
        value = scope_prompt("x", client=client).invoke({"a": "said"})
    theirs: Any = (
        StringPromptValue(text="said") if isinstance(content, str) else ChatPromptValue(messages=value.to_messages())
    )
    assert value == theirs
    assert theirs == value
    assert value != type(theirs)(**{**theirs.model_dump(), "text": "other", "messages": [HumanMessage("other")]})
    assert value != "said"
    assert isinstance(value, type(theirs))
    assert dumps(value) == dumps(theirs)
    assert type(loads(dumps(value))) is type(theirs)
    for copied in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value)), value.model_copy()):
        trace = Trace()
        scope_model(model()).invoke(copied, {"callbacks": [trace]})
        assert trace.seen(*MODELS) == [1]


def test_a_value_comes_whole_through_a_graphs_checkpoint_with_what_it_was_made_of() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    chat = [
        {"role": "system", "content": "{{a}}"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "3", "tool_call_id": "1"},
    ]
    with PromptsClient({"x": chat}) as client:
        value = scope_prompt("x", client=client).invoke({"a": "said"})
    text = to_langchain(version()).invoke({"a": 1})
    kept = JsonPlusSerializer(allowed_msgpack_modules=ALLOWED) if ALLOWED_IS_KNOWN else JsonPlusSerializer()
    for found in (value, text):
        again = kept.loads_typed(kept.dumps_typed(found))
        assert type(again) is type(found)
        assert again == found
        assert [type(each) for each in again.to_messages()] == [type(each) for each in found.to_messages()]
        assert again.made_of == found.made_of


class Aside(BaseMessage):
    """A message of a kind that only its user knows."""

    type: str = "aside"


def test_a_message_of_a_users_own_kind_goes_through() -> None:
    with PromptsClient({"x": [{"role": "placeholder", "content": "{{history}}"}]}) as client:
        value = scope_prompt("x", client=client).invoke({"history": [Aside("quietly")]})
    assert value.to_messages() == [Aside("quietly")]
    assert value.made_of["trace"]["scope.prompt.name"] == "x"


def test_the_metadata_of_a_version_is_not_saved_with_its_template() -> None:
    prompt = to_langchain(version(metadata={"owner": "team"}))
    assert "team" not in dumps(prompt)
    assert "team" not in repr(prompt)
    assert "team" not in str(prompt.model_dump())
    for made in (prompt.partial(), prompt + "more", copy.deepcopy(prompt), pickle.loads(pickle.dumps(prompt))):
        assert made.invoke({"a": 1}).made_of["metadata"] == {"owner": "team"}


def test_an_error_of_the_prompt_is_raised_before_the_model_is_called(calls: list[Any]) -> None:
    chain = to_langchain(version()) | scope_model(Options(responses=["x"]))
    with pytest.raises(ScopeError):
        chain.invoke({})
    assert calls == []


def test_it_shows_what_the_model_takes_and_gives() -> None:
    linked = scope_model(model())
    chain = to_langchain(version()) | linked
    assert linked.get_name() == "FakeListChatModel"
    assert linked.InputType == model().InputType
    assert chain.get_output_schema().model_json_schema() == model().get_output_schema().model_json_schema()
    assert "FakeListChatModel" in chain.get_graph().draw_mermaid()
    parallel = RunnableParallel(a=chain, b=RunnablePassthrough())
    assert parallel.invoke({"a": 1})["a"].content == "said"
