"""A trace says which version of which prompt was used, on the prompt's run, the model's and the root."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from faults.crowd import crowd
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_core.tracers import BaseTracer

from scope_client import PromptVersion
from scope_langchain import (
    ScopeCallbackHandler,
    ScopeChatPromptTemplate,
    ScopePromptTemplate,
    model_options,
    scope_prompt,
    to_langchain,
    trace_metadata,
)

if TYPE_CHECKING:
    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

ANN = {"name": "Ann", "time_of_day": "day"}
MODELS = ("chat_model", "llm")


class Trace(BaseTracer):
    """Keeps every run that has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Any] = []

    def _persist_run(self, run: Any) -> None:
        self.runs += self._all(run)

    def _all(self, run: Any) -> list[Any]:
        return [run, *(each for child in run.child_runs for each in self._all(child))]

    def of(self, *kinds: str) -> list[Any]:
        return [run for run in self.runs if run.run_type in kinds]

    @property
    def roots(self) -> list[Any]:
        return [run for run in self.runs if run.parent_run_id is None]

    def seen(self, *kinds: str) -> list[Any]:
        """The versions on the runs of these kinds."""
        return [shown(run).get("version") for run in self.of(*kinds)]


def shown(run: Any) -> dict[str, Any]:
    prefix = "scope.prompt."
    found = run.extra.get("metadata") or {}
    return {key[len(prefix) :]: value for key, value in found.items() if key.startswith(prefix)}


def version(number: int = 7, content: str = "{x} {{a}}", **more: Any) -> PromptVersion:
    known = {"id": f"v_{number}", "prompt_id": "prompt_1", "name": "qa", "version_number": number, "content": content}
    return PromptVersion.from_api({**known, "type": "text", "tags": ["warm"], **more})


def model() -> FakeListChatModel:
    return FakeListChatModel(responses=["said"])


KNOWN = {"name": "qa", "id": "prompt_1", "version": 7, "version_id": "v_7"}


def test_the_run_of_a_prompt_names_the_version_and_carries_its_tags() -> None:
    content = json.dumps([{"role": "user", "content": "{{a}}"}])
    for made in (to_langchain(version()), to_langchain(version(content=content, type="chat"))):
        trace = Trace()
        (made | model()).invoke({"a": 1}, {"callbacks": [trace]})
        asyncio.run((made | model()).ainvoke({"a": 1}, {"callbacks": [trace]}))
        assert [shown(run) for run in trace.of("prompt")] == [KNOWN, KNOWN]
        assert all({"scope:qa", "warm"} <= set(run.tags) for run in trace.of("prompt"))
        assert not any(set(run.tags) & {"scope:qa", "warm"} for run in trace.of(*MODELS, "chain"))


def test_what_is_read_from_the_platform_is_named_as_the_platform_names_it(client: ScopeClient) -> None:
    found = client.get_prompt_version("greeting")
    wanted = {"name": "greeting", "id": found.prompt_id, "version": 1, "version_id": found.id}
    trace = Trace()
    ScopePromptTemplate.from_scope("greeting", client=client).invoke(ANN, {"callbacks": [trace]})
    scope_prompt("greeting", client=client).invoke(ANN, {"callbacks": [trace]})
    asyncio.run(scope_prompt("greeting", client=client).ainvoke(ANN, {"callbacks": [trace]}))
    assert [shown(run) for run in trace.of("prompt")] == [wanted] * 3
    assert all({"scope:greeting", "warm"} <= set(run.tags) for run in trace.of("prompt"))
    chat = ScopeChatPromptTemplate.from_scope("chat", client=client)
    assert chat.metadata == trace_metadata(client.get_prompt_version("chat"))


def test_the_callers_own_metadata_tags_and_config_stay() -> None:
    trace = Trace()
    config: Any = {"metadata": {"mine": 1}, "tags": ["mine"], "callbacks": [trace]}
    made = to_langchain(version())
    made.invoke({"a": 1}, config)
    asyncio.run(made.ainvoke({"a": 1}, config))
    made.batch([{"a": 1}] * 3, config)
    for run in trace.of("prompt"):
        assert run.extra["metadata"]["mine"] == 1
        assert sorted(run.tags) == ["mine", "scope:qa", "warm"]
    assert len(trace.of("prompt")) == 5
    assert config == {"metadata": {"mine": 1}, "tags": ["mine"], "callbacks": [trace]}
    assert made.tags == ["scope:qa", "warm"]
    assert made.metadata == trace_metadata(version())


def test_a_run_that_fails_names_the_version_too() -> None:
    trace = Trace()
    with pytest.raises(KeyError):
        to_langchain(version()).invoke({}, {"callbacks": [trace]})
    (run,) = trace.of("prompt")
    assert shown(run) == KNOWN
    assert "no value was given for 'a'" in run.error


def test_the_metadata_of_a_version_may_be_put_on_the_root_and_the_model() -> None:
    trace = Trace()
    found = version()
    chain = (to_langchain(found) | model()).with_config(metadata=trace_metadata(found))
    chain.invoke({"a": 1}, {"callbacks": [trace]})
    asyncio.run(chain.ainvoke({"a": 1}, {"callbacks": [trace]}))
    assert [shown(run) for run in trace.roots] == [KNOWN, KNOWN]
    assert [shown(run) for run in trace.of(*MODELS)] == [KNOWN, KNOWN]
    assert [shown(run) for run in trace.of("prompt")] == [KNOWN, KNOWN]
    alone = to_langchain(found) | model().with_config(metadata=trace_metadata(found))
    trace = Trace()
    alone.invoke({"a": 1}, {"callbacks": [trace]})
    assert [shown(run) for run in trace.of(*MODELS)] == [KNOWN]


def test_what_is_not_known_is_left_out_of_the_metadata(platform: LocalPlatform, client: ScopeClient) -> None:
    platform.fail(503)
    stand_in = client.get_prompt_version("greeting", fallback="x")
    assert trace_metadata(stand_in) == {"scope.prompt.name": "greeting", "scope.prompt.is_fallback": True}
    assert trace_metadata(version()) == {f"scope.prompt.{key}": value for key, value in KNOWN.items()}
    assert json.loads(json.dumps(trace_metadata(version()))) == trace_metadata(version())


def test_the_metadata_is_each_callers_own() -> None:
    found = version()
    trace_metadata(found)["scope.prompt.name"] = "changed"
    assert trace_metadata(found)["scope.prompt.name"] == "qa"
    first, second = to_langchain(found), to_langchain(found)
    first.metadata["mine"] = 1
    first.tags.append("mine")
    assert "mine" not in second.metadata
    assert "mine" not in second.tags


def config(trace: Trace, *, handler: ScopeCallbackHandler | None = None, **more: Any) -> Any:
    return {"callbacks": [handler or ScopeCallbackHandler(), trace], **more}


async def _astream(chain: Any, given: Any, how: Any) -> None:
    async for _ in chain.astream(given, how):
        pass


WAYS: dict[str, Any] = {
    "invoke": lambda chain, given, how: chain.invoke(given, how),
    "ainvoke": lambda chain, given, how: asyncio.run(chain.ainvoke(given, how)),
    "batch": lambda chain, given, how: chain.batch([given], how),
    "abatch": lambda chain, given, how: asyncio.run(chain.abatch([given], how)),
    "stream": lambda chain, given, how: list(chain.stream(given, how)),
    "astream": lambda chain, given, how: asyncio.run(_astream(chain, given, how)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "said_by",
    [model(), FakeListLLM(responses=["said"]), model().bind(stop=["x"])],
    ids=["chat model", "language model", "bound model"],
)
def test_the_handler_copies_the_version_to_the_model_run(said_by: Any, way: str) -> None:
    trace = Trace()
    WAYS[way](to_langchain(version()) | said_by | StrOutputParser(), {"a": 1}, config(trace))
    assert [shown(run) for run in trace.of(*MODELS)] == [KNOWN]
    assert [shown(run) for run in trace.of("prompt")] == [KNOWN]


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda said_by: said_by.with_retry(),
        lambda said_by: said_by.with_fallbacks([model()]),
        lambda said_by: (said_by | StrOutputParser()).with_config(run_name="answer"),
        lambda said_by: RunnableLambda(lambda value, config: said_by.invoke(value, config)),
        lambda said_by: RunnablePassthrough() | RunnableParallel(answer=said_by),
    ],
    ids=["with_retry", "with_fallbacks", "named sequence", "function", "parallel"],
)
def test_the_handler_finds_a_model_that_is_deeper_in_the_chain_than_the_prompt(wrapped: Any) -> None:
    found = {}
    for name, way in WAYS.items():
        trace = Trace()
        way(to_langchain(version()) | wrapped(model()), {"a": 1}, config(trace))
        found[name] = [shown(run) for run in trace.of(*MODELS)]
    assert found == {name: [KNOWN] for name in WAYS}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda made: (made | RunnablePassthrough()).with_config(run_name="wording"),
        lambda made: made.with_retry(),
        lambda made: made.with_fallbacks([made]),
        lambda made: RunnableLambda(lambda given, config: made.invoke(given, config)),
        lambda made: RunnableLambda(lambda given: made),
    ],
    ids=["named sequence", "with_retry", "with_fallbacks", "function", "returned by a function"],
)
def test_the_handler_remembers_a_prompt_that_is_deeper_in_the_chain_than_the_model(wrapped: Any) -> None:
    found = {}
    for name, way in WAYS.items():
        trace = Trace()
        way(wrapped(to_langchain(version())) | model(), {"a": 1}, config(trace))
        found[name] = [shown(run) for run in trace.of(*MODELS)]
    assert found == {name: [KNOWN] for name in WAYS}


def test_a_model_has_the_version_of_the_prompt_before_it() -> None:
    trace = Trace()
    again = RunnableLambda(lambda said: {"a": said})
    chain = to_langchain(version(1)) | model() | StrOutputParser() | again | to_langchain(version(2)) | model()
    chain.invoke({"a": 1}, config(trace))
    assert trace.seen(*MODELS) == [1, 2]


def test_a_model_that_answers_another_prompt_of_the_chain_does_not_carry_ours() -> None:
    again, plain = RunnableLambda(lambda said: {"a": said}), PromptTemplate.from_template("{a}")
    trace = Trace()
    chain = to_langchain(version(1)) | model() | StrOutputParser() | again | plain | model()
    chain.invoke({"a": 1}, config(trace))
    assert trace.seen(*MODELS) == [1, None]


def test_branches_side_by_side_do_not_mix() -> None:
    branches = RunnableParallel(**{f"b{number}": to_langchain(version(number)) | model() for number in range(1, 6)})
    for way in WAYS.values():
        trace = Trace()
        way(branches, {"a": 1}, config(trace))
        for run in trace.of(*MODELS):
            (prompt,) = [each for each in trace.of("prompt") if each.parent_run_id == run.parent_run_id]
            assert shown(run) == shown(prompt)
        assert sorted(trace.seen(*MODELS)) == [1, 2, 3, 4, 5]


def test_one_handler_serves_several_versions_in_flight() -> None:
    handler, trace, lock = ScopeCallbackHandler(), Trace(), threading.Lock()
    numbers = iter(range(1, 9))

    def call() -> None:
        with lock:
            number = next(numbers)
        chain = to_langchain(version(number)) | model()
        for each in (Trace(), Trace(), Trace()):
            chain.batch([{"a": 1}] * 3, config(each, handler=handler))
            assert each.seen(*MODELS) == [number] * 3
            asyncio.run(chain.abatch([{"a": 1}] * 3, config(each, handler=handler)))
            assert each.seen(*MODELS) == [number] * 6

    assert crowd(8, call) == [None] * 8
    assert not trace.runs

    async def main() -> list[Trace]:
        traces = [Trace() for _ in range(8)]
        await asyncio.gather(
            *(
                (to_langchain(version(number)) | model()).ainvoke({"a": 1}, config(each, handler=handler))
                for number, each in enumerate(traces)
            )
        )
        return traces

    assert [each.seen(*MODELS) for each in asyncio.run(main())] == [[number] for number in range(8)]


def test_a_batch_whose_inputs_meet_several_versions_names_that_of_each(
    platform: LocalPlatform, client: ScopeClient
) -> None:
    def promote(given: dict[str, Any]) -> Any:
        platform.publish("qa", f"{given['n']} {{{{n}}}}")
        client.clear_cache()
        return scope_prompt("qa", client=client) | model()

    trace = Trace()
    RunnableLambda(promote).batch([{"n": number} for number in (1, 2, 3)], config(trace, max_concurrency=1))
    assert trace.seen("prompt") == trace.seen(*MODELS) == [1, 2, 3]


def test_a_live_run_names_the_version_of_that_very_call(platform: LocalPlatform, client: ScopeClient) -> None:
    chain = scope_prompt("greeting", client=client) | model() | StrOutputParser()
    for number, way in enumerate(WAYS.values(), 1):
        trace = Trace()
        way(chain, ANN, config(trace))
        assert trace.seen("prompt") == trace.seen(*MODELS) == [number]
        assert shown(trace.of(*MODELS)[0])["version_id"] == client.get_prompt_version("greeting").id
        platform.publish("greeting", f"{number} {{{{name}}}}")
        client.clear_cache()


def test_a_live_fallback_is_told_from_the_real_one(platform: LocalPlatform, client: ScopeClient) -> None:
    platform.fail(503)
    trace = Trace()
    chain = scope_prompt("greeting", client=client, fallback="Hi") | model()
    chain.invoke({}, config(trace))
    assert [shown(run) for run in trace.of("prompt", *MODELS)] == [{"name": "greeting", "is_fallback": True}] * 2


def test_a_model_that_no_prompt_of_ours_precedes_is_left_alone() -> None:
    handler, trace = ScopeCallbackHandler(), Trace()
    to_langchain(version()).invoke({"a": 1}, config(Trace(), handler=handler))
    model().invoke("unrelated", config(trace, handler=handler))
    (PromptTemplate.from_template("{a}") | model()).invoke({"a": 1}, config(trace, handler=handler))
    assert trace.seen(*MODELS) == [None, None]


def test_the_next_call_of_a_chain_begins_anew() -> None:
    handler, trace = ScopeCallbackHandler(), Trace()
    (to_langchain(version()) | model()).invoke({"a": 1}, config(Trace(), handler=handler))
    (RunnablePassthrough() | model()).invoke("x", config(trace, handler=handler))
    assert trace.seen(*MODELS) == [None]


def test_the_callers_config_the_model_and_the_template_are_not_written_to() -> None:
    made, said_by = to_langchain(version()), FakeListChatModel(responses=["x"], metadata={"model's": 1})
    given: Any = config(Trace(), metadata={"mine": 1}, tags=["mine"])
    chain = made | said_by
    chain.invoke({"a": 1}, given)
    asyncio.run(chain.ainvoke({"a": 1}, given))
    chain.batch([{"a": 1}] * 2, given)
    assert given["metadata"] == {"mine": 1}
    assert given["tags"] == ["mine"]
    assert said_by.metadata["model's"] == 1
    assert not any(key.startswith("scope.") for key in said_by.metadata)
    assert made.metadata == trace_metadata(version())
    bound = made | said_by.with_config(metadata={"bound": 1})
    trace = Trace()
    bound.invoke({"a": 1}, config(trace))
    assert trace.of(*MODELS)[0].extra["metadata"]["bound"] == 1
    assert shown(trace.of(*MODELS)[0]) == KNOWN
    assert bound.last.config["metadata"] == {"bound": 1}


def test_the_handler_keeps_nothing_of_what_has_ended() -> None:
    handler = ScopeCallbackHandler()

    def fails(value: Any) -> Any:
        raise OSError("failed")

    good, bad = to_langchain(version()) | model(), to_langchain(version()) | RunnableLambda(fails)
    for way in WAYS.values():
        way(good, {"a": 1}, config(Trace(), handler=handler))
        way(RunnableParallel(a=good, b=to_langchain(version())), {"a": 1}, config(Trace(), handler=handler))
        way(to_langchain(version()), {"a": 1}, config(Trace(), handler=handler))
        with pytest.raises(OSError, match="failed"):
            way(bad, {"a": 1}, config(Trace(), handler=handler))
        with pytest.raises(KeyError):
            way(good, {}, config(Trace(), handler=handler))
    stopped = good.stream({"a": 1}, config(Trace(), handler=handler))
    assert next(stopped).content
    stopped.close()
    kept = [value for value in vars(handler).values() if isinstance(value, (dict, list, set))]
    assert kept
    assert not any(kept), vars(handler)


def test_a_model_that_fails_carries_the_version_too() -> None:
    class Failing(FakeListChatModel):
        def _call(self, *args: Any, **kwargs: Any) -> str:
            raise OSError("no model")

    trace = Trace()
    with pytest.raises(OSError, match="no model"):
        (to_langchain(version()) | Failing(responses=["x"])).invoke({"a": 1}, config(trace))
    (run,) = trace.of(*MODELS)
    assert shown(run) == KNOWN
    assert "no model" in run.error


def test_a_handler_given_to_the_chain_for_good_works_as_well() -> None:
    trace = Trace()
    chain = (to_langchain(version()) | model()).with_config(callbacks=[ScopeCallbackHandler(), trace])
    chain.invoke({"a": 1})
    asyncio.run(chain.ainvoke({"a": 1}))
    assert trace.seen(*MODELS) == [7, 7]


def test_no_value_and_no_content_is_in_the_metadata() -> None:
    trace = Trace()
    chain = to_langchain(version(metadata={"owner": "a secret"})) | model()
    chain.invoke({"a": "a secret"}, config(trace))
    for run in trace.runs:
        assert "secret" not in json.dumps(run.extra.get("metadata"), default=str)
        assert "secret" not in str(run.tags)


METADATA = {
    "model": "gpt-4",
    "model_provider": "openai",
    "temperature": 0,
    "max_tokens": 100,
    "stop": ["\n", "{x}"],
    "top_p": 0.5,
    "seed": 1,
    "timeout": None,
    "api_key": "never",
    "base_url": "http://elsewhere",
    "callbacks": ["x"],
    "owner": "team",
}


def test_model_options_are_those_that_a_model_is_known_to_take() -> None:
    assert model_options(version(metadata=METADATA)) == {
        "model": "gpt-4",
        "model_provider": "openai",
        "temperature": 0,
        "max_tokens": 100,
        "stop": ["\n", "{x}"],
        "top_p": 0.5,
        "seed": 1,
    }
    assert model_options(version()) == {}


def test_the_caller_may_say_which_options_are_known() -> None:
    found = version(metadata=METADATA)
    assert model_options(found, known=("owner", "temperature", "absent", "timeout")) == {
        "owner": "team",
        "temperature": 0,
    }
    assert model_options(found, known=()) == {}
    assert model_options(found, known=iter(["seed"])) == {"seed": 1}


def test_the_options_are_each_callers_own() -> None:
    found = version(metadata=METADATA)
    model_options(found)["stop"].append("changed")
    assert model_options(found)["stop"] == ["\n", "{x}"]


def test_a_model_takes_the_options(platform: LocalPlatform, client: ScopeClient) -> None:
    platform.publish("tuned", "{{a}}", metadata={"stop": ["i"], "owner": "team"})
    found = client.get_prompt_version("tuned")
    trace = Trace()
    chain = to_langchain(found) | model().bind(**model_options(found))
    chain.invoke({"a": 1}, {"callbacks": [trace]})
    assert trace.of(*MODELS)[0].extra["invocation_params"]["stop"] == ["i"]
