"""The spans of models that LangChain calls carry the prompt of the chain's own step, however the chain is run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from faults.model_spans import CHAT, PROMPT_NAME, PROMPT_VERSION, ModelSpans
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel
from opentelemetry.trace import SpanKind

from scope_langchain import ScopeChatPromptTemplate, ScopePromptTemplate, scope_model, scope_prompt, to_langchain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

ADA, IT = {"name": "Ada"}, {"text": "it"}


class Spied(FakeListChatModel):
    """A model whose own client is instrumented: the span begins where the request would."""

    spans: Any
    responses: list[str] = ["said it"]  # noqa: RUF012  # a field

    def _call(self, *given: Any, **options: Any) -> str:
        self.spans.call()
        return super()._call(*given, **options)

    def _stream(self, *given: Any, **options: Any) -> Iterator[Any]:
        with self.spans.span("chat", attributes=CHAT, kind=SpanKind.CLIENT):
            yield from super()._stream(*given, **options)

    async def _astream(self, *given: Any, **options: Any) -> AsyncIterator[Any]:
        with self.spans.span("chat", attributes=CHAT, kind=SpanKind.CLIENT):
            async for piece in super()._astream(*given, **options):
                yield piece


class Callbacks(BaseCallbackHandler):
    """An instrumentation by callbacks, which says what a span is of when it ends, as OpenLLMetry's does."""

    def __init__(self, spans: ModelSpans) -> None:
        self.spans = spans
        self.open: dict[Any, Any] = {}

    def on_chat_model_start(self, *given: Any, run_id: Any, **more: Any) -> None:
        self.open[run_id] = self.spans.tracer.start_span("callback", kind=SpanKind.CLIENT)

    def on_llm_start(self, *given: Any, run_id: Any, **more: Any) -> None:
        self.open[run_id] = self.spans.tracer.start_span("callback", kind=SpanKind.CLIENT)

    def on_llm_end(self, *given: Any, run_id: Any, **more: Any) -> None:
        span = self.open.pop(run_id)
        span.set_attributes(CHAT)
        span.end()


async def collected(stream: AsyncIterator[Any]) -> list[Any]:
    return [piece async for piece in stream]


RUNS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda chain, given, config: chain.invoke(given, config),
    "ainvoke": lambda chain, given, config: asyncio.run(chain.ainvoke(given, config)),
    "stream": lambda chain, given, config: list(chain.stream(given, config)),
    "astream": lambda chain, given, config: asyncio.run(collected(chain.astream(given, config))),
    "batch": lambda chain, given, config: chain.batch([given, given], config),
    "abatch": lambda chain, given, config: asyncio.run(chain.abatch([given, given], config)),
    "events": lambda chain, given, config: asyncio.run(collected(chain.astream_events(given, config, version="v2"))),
}
CHAINS: dict[str, Callable[[Any, Any], Any]] = {
    "live": lambda client, model: scope_prompt("greeting", client=client) | model,
    "live as a system message": lambda client, model: scope_prompt("greeting", client=client, role="system") | model,
    "template": lambda client, model: ScopePromptTemplate.from_scope("greeting", client=client) | model,
    "chat template": lambda client, model: ScopeChatPromptTemplate.from_scope("greeting", client=client) | model,
    "of a version": lambda client, model: to_langchain(client.get_prompt_version("greeting")) | model,
    "partial": lambda client, model: scope_prompt("greeting", client=client).partial(name="Bob") | model,
    "with a parser": lambda client, model: scope_prompt("greeting", client=client) | model | StrOutputParser(),
    "after a step": lambda client, model: (
        RunnableLambda(lambda given: given) | scope_prompt("greeting", client=client) | model
    ),
    "scope_model": lambda client, model: scope_prompt("greeting", client=client) | scope_model(model),
    "bound": lambda client, model: scope_prompt("greeting", client=client) | scope_model(model.bind(stop=["x"])),
    "retried": lambda client, model: scope_prompt("greeting", client=client) | model.with_retry(),
}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("kind", CHAINS)
def test_the_span_of_the_chain_s_model_carries_the_prompt_of_the_chain(
    kind: str, run: str, client: ScopeClient, spans: ModelSpans
) -> None:
    chain = CHAINS[kind](client, Spied(spans=spans))
    client.render_prompt("summary", IT)  # what somebody renders beside it
    RUNS[run](chain, ADA, {"callbacks": [Callbacks(spans)]})
    assert {*spans.prompts} == {("chat", "greeting"), ("callback", "greeting")}
    found = spans.attributes()
    version = client.get_prompt_version("greeting")
    assert {name: value for name, value in found.items() if name not in CHAT} == {
        PROMPT_NAME: "greeting",
        PROMPT_VERSION: "1",
        "scope.prompt.id": version.prompt_id,
        "scope.prompt.version_id": version.id,
        "scope.prompt.label": "production",
        "scope.prompt.source": found["scope.prompt.source"],
    }
    assert found["scope.prompt.source"] in ("platform", "memory")


def test_the_span_says_how_the_prompt_was_read(client: ScopeClient, platform: LocalPlatform, spans: ModelSpans) -> None:
    chain = scope_prompt("greeting", client=client, label="latest") | Spied(spans=spans)
    for source in ("platform", "memory"):
        chain.invoke(ADA)
        found = spans.attributes()
        assert (found["scope.prompt.source"], found["scope.prompt.label"]) == (source, "latest")
    platform.fail(503)
    (scope_prompt("unknown", client=client, fallback="Hi {{name}}") | Spied(spans=spans)).invoke(ADA)
    found = spans.attributes()
    assert (found["scope.prompt.source"], found["scope.prompt.is_fallback"]) == ("fallback", True)
    assert not [name for name in found if "version" in name]


@pytest.mark.parametrize("run", ["invoke", "ainvoke", "batch", "abatch", "stream", "astream"])
@pytest.mark.parametrize("wrap", [lambda model: model, scope_model], ids=["model", "scope_model"])
def test_chains_side_by_side_carry_their_own(wrap: Any, run: str, client: ScopeClient, spans: ModelSpans) -> None:
    both = RunnableParallel(
        hello=scope_prompt("greeting", client=client) | wrap(Spied(spans=spans, responses=["greeting"])),
        sum=scope_prompt("summary", client=client) | wrap(Spied(spans=spans, responses=["summary"])),
    )
    callbacks = Callbacks(spans)
    RUNS[run](both, {**ADA, **IT}, {"callbacks": [callbacks]})
    marked = [prompt for name, prompt in spans.prompts if name == "chat"]
    assert sorted(set(map(str, marked))) == ["greeting", "summary"]
    assert marked.count("greeting") == marked.count("summary")


def test_chains_one_after_the_other_carry_their_own(client: ScopeClient, spans: ModelSpans) -> None:
    chain = (
        scope_prompt("greeting", client=client)
        | Spied(spans=spans)
        | StrOutputParser()
        | (lambda text: {"text": text})
        | scope_prompt("summary", client=client)
        | Spied(spans=spans)
    )
    chain.invoke(ADA)
    asyncio.run(chain.ainvoke(ADA))
    assert spans.prompts == [("chat", "greeting"), ("chat", "summary")] * 2


def test_a_text_model_is_marked_too(client: ScopeClient, spans: ModelSpans) -> None:
    chain = scope_prompt("greeting", client=client) | FakeListLLM(responses=["x"])
    chain.invoke(ADA, {"callbacks": [Callbacks(spans)]})
    asyncio.run(chain.ainvoke(ADA, {"callbacks": [Callbacks(spans)]}))
    assert spans.prompts == [("callback", "greeting")] * 2


@pytest.mark.parametrize(
    "render",
    [
        lambda template: template.format(**ADA),
        lambda template: template.format_prompt(**ADA).to_string(),
        lambda template: template.invoke(ADA).to_messages(),
        lambda template: asyncio.run(template.aformat(**ADA)) and template.format(**ADA),
    ],
)
def test_a_template_that_is_rendered_alone_marks_the_next_call(
    render: Any, client: ScopeClient, spans: ModelSpans
) -> None:
    for template in (
        scope_prompt("greeting", client=client),
        ScopePromptTemplate.from_scope("greeting", client=client),
        ScopeChatPromptTemplate.from_scope("greeting", client=client),
    ):
        client.render_prompt("summary", IT)
        render(template)
        spans.call()
        assert spans.attributes()[PROMPT_NAME] == "greeting"


def test_an_input_that_no_prompt_of_scope_made_is_not_marked(client: ScopeClient, spans: ModelSpans) -> None:
    (ChatPromptTemplate.from_template("Hi {name}") | scope_model(Spied(spans=spans))).invoke(ADA)
    assert spans.prompts == [("chat", None)]


def test_a_block_around_a_chain_wins_over_its_prompt(client: ScopeClient, spans: ModelSpans) -> None:
    chain = scope_prompt("greeting", client=client) | Spied(spans=spans)
    with client.get_prompt_version("summary").in_use():
        chain.invoke(ADA)
        asyncio.run(chain.ainvoke(ADA))
    assert spans.prompts == [("chat", "summary")] * 2


def test_a_template_that_is_rendered_in_a_block_is_for_the_block(client: ScopeClient, spans: ModelSpans) -> None:
    with client.get_prompt_version("summary").in_use():
        scope_prompt("greeting", client=client).format(**ADA)
    spans.call()
    assert spans.prompts == [("chat", None)]


def test_no_metadata_of_a_user_s_and_no_value_is_on_a_span(client: ScopeClient, spans: ModelSpans) -> None:
    secret = "a value that no span may have"
    live = scope_prompt("greeting", client=client, metadata={"customer": secret})
    template = ScopePromptTemplate.from_scope("greeting", client=client)
    template.metadata = {**(template.metadata or {}), "customer": secret}
    for prompt in (live, template):
        (prompt | scope_model(Spied(spans=spans))).invoke({"name": secret})
        assert PROMPT_NAME in spans.attributes()
        assert secret not in repr(spans.attributes())


def test_a_graph_s_nodes_carry_their_own(client: ScopeClient, spans: ModelSpans) -> None:
    from langgraph.graph import END, START, StateGraph

    chains = {
        "greet": scope_prompt("greeting", client=client) | Spied(spans=spans),
        "sum_up": scope_prompt("summary", client=client) | Spied(spans=spans),
    }
    graph: Any = StateGraph(dict)
    graph.add_node("greet", lambda state: {**state, "text": chains["greet"].invoke(state).content})
    graph.add_node("sum_up", lambda state: {**state, "sum": chains["sum_up"].invoke(state).content})
    graph.add_edge(START, "greet")
    graph.add_edge("greet", "sum_up")
    graph.add_edge("sum_up", END)
    made = graph.compile()
    made.invoke(ADA)
    asyncio.run(made.ainvoke(ADA))
    assert spans.prompts == [("chat", "greeting"), ("chat", "summary")] * 2


def test_without_instrumentation_the_values_say_nothing_of_the_read(client: ScopeClient) -> None:
    value = scope_prompt("greeting", client=client).invoke(ADA)
    assert not {"scope.prompt.source", "scope.prompt.label"} & value.made_of["trace"].keys()
