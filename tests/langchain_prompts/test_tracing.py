"""A trace says which version of which prompt was used, on the prompt's run, the model's and the root."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.tracers import BaseTracer

from scope_client import PromptVersion
from scope_langchain import (
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
    of_a_fallback = {"scope.prompt.name": "greeting", "scope.prompt.is_fallback": True, "prompt_name": "greeting"}
    assert trace_metadata(stand_in) == {**of_a_fallback, "gen_ai.prompt.name": "greeting"}
    by_opentelemetry = {"gen_ai.prompt.name": "qa", "gen_ai.prompt.version": "7", "prompt_name": "qa"}
    assert trace_metadata(version()) == {
        **{f"scope.prompt.{key}": value for key, value in KNOWN.items()},
        **by_opentelemetry,
    }
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
