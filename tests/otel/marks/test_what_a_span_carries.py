"""The span of a model carries the prompt that was rendered, and no other span does."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from faults.model_spans import CHAT, PROMPT_NAME, PROMPT_VERSION
from opentelemetry.trace import SpanKind

from scope_client import PromptVersion, ScopeError, otel
from scope_client._otel.counted_reads import hits
from scope_client._otel.marks import MAX_READS_NOTED, reads_noted
from scope_client.testing import PromptsClient

if TYPE_CHECKING:
    from faults.clock import ManualClock
    from faults.model_spans import ModelSpans

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform

SECRET = "a value that no span may have"
WAYS = {
    "render": lambda client: client.get_prompt_version("greeting").render(name=SECRET),
    "messages": lambda client: client.get_prompt_version("greeting").messages(name=SECRET),
    "render_prompt": lambda client: client.render_prompt("greeting", {"name": SECRET}),
    "read_prompt": lambda client: client.read_prompt("greeting").version.render(name=SECRET),
}


def facts(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in CHAT}


@pytest.mark.parametrize("way", WAYS)
def test_a_call_after_a_rendering_carries_the_version_and_never_a_value_or_the_text(
    way: str, client: ScopeClient, spans: ModelSpans
) -> None:
    WAYS[way](client)
    spans.call()
    version = client.get_prompt_version("greeting")
    found = facts(spans.attributes())
    assert found == {
        PROMPT_NAME: "greeting",
        PROMPT_VERSION: "1",
        "scope.prompt.id": version.prompt_id,
        "scope.prompt.version_id": version.id,
        "scope.prompt.label": "production",
        "scope.prompt.source": "platform",
    }
    assert SECRET not in repr(found)
    assert "Hello" not in repr(found)


def test_an_asynchronous_rendering_marks_its_own_task(client: ScopeClient, spans: ModelSpans) -> None:
    async def answer() -> None:
        await client.arender_prompt("greeting", {"name": "Ada"})
        spans.call()

    asyncio.run(answer())
    assert facts(spans.attributes())[PROMPT_NAME] == "greeting"
    spans.call("outside")
    assert spans.prompts[-1] == ("outside", None)


def test_a_chat_prompt_marks_by_its_messages(client: ScopeClient, spans: ModelSpans) -> None:
    client.get_prompt_version("talk").messages(question="Why?")
    spans.call()
    assert spans.attributes()[PROMPT_NAME] == "talk"


def test_the_source_is_that_of_the_last_read(client: ScopeClient, clock: ManualClock, spans: ModelSpans) -> None:
    sources = []
    for _ in range(3):
        client.render_prompt("greeting", {"name": "Ada"})
        spans.call()
        sources.append(spans.attributes()["scope.prompt.source"])
    assert sources == ["platform", "memory", "memory"]
    clock.passes(101)
    client.render_prompt("greeting", {"name": "Ada"})
    spans.call()
    assert spans.attributes()["scope.prompt.source"] == "platform"


@pytest.mark.parametrize("options", [{}, {"label": "latest"}, {"deadline": 5}])
def test_a_read_at_once_from_memory_takes_the_place_of_an_earlier_one(
    options: Any, client: ScopeClient, spans: ModelSpans
) -> None:
    client.get_prompt_version("greeting", **options)
    other = threading.Thread(target=client.get_prompt_version, args=("greeting",), kwargs=options)
    other.start()
    other.join()  # after which the version is not looked at again for a while
    before = hits()
    client.render_prompt("greeting", {"name": "Ada"}, **options)
    spans.call()
    assert (hits() - before, spans.attributes()["scope.prompt.source"]) == (1, "memory")


def test_a_stale_version_says_so(
    client: ScopeClient, clock: ManualClock, platform: LocalPlatform, spans: ModelSpans
) -> None:
    client.render_prompt("greeting", {"name": "Ada"})
    clock.passes(101)
    platform.fail(503)
    client.render_prompt("greeting", {"name": "Ada"})
    spans.call()
    assert spans.attributes()["scope.prompt.source"] == "stale"


@pytest.mark.parametrize(
    ("options", "label"), [({}, "production"), ({"label": "latest"}, "latest"), ({"version": "ID"}, None)]
)
def test_the_label_is_that_which_was_asked_for(
    options: dict[str, str], label: str | None, client: ScopeClient, greeting: PromptVersion, spans: ModelSpans
) -> None:
    asked: Any = {name: greeting.id if value == "ID" else value for name, value in options.items()}
    for source in ("platform", "memory"):
        client.clear_cache() if source == "platform" else None
        client.render_prompt("greeting", {"name": "Ada"}, **asked)
        spans.call()
        found = spans.attributes()
        assert (found.get("scope.prompt.label"), found["scope.prompt.source"]) == (label, source)


def test_two_reads_before_the_first_rendering_keep_their_sources(client: ScopeClient, spans: ModelSpans) -> None:
    client.get_prompt_version("summary")
    first, second = client.get_prompt_version("greeting"), client.get_prompt_version("summary")
    first.render(name="Ada")
    spans.call("first")
    second.render(text="it")
    spans.call("second")
    assert spans.attributes("first")["scope.prompt.source"] == "platform"
    assert spans.attributes("second")["scope.prompt.source"] == "memory"


def test_a_version_that_another_thread_has_read_is_found_in_memory(
    client: ScopeClient, greeting: PromptVersion, spans: ModelSpans
) -> None:
    greeting.render(name="Ada")  # it was read before the instrumentation was on
    spans.call()
    found = spans.attributes()
    assert (found["scope.prompt.source"], found["scope.prompt.label"]) == ("memory", "production")


def test_a_version_that_no_client_keeps_has_neither_source_nor_label(spans: ModelSpans) -> None:
    made = PromptVersion.from_api({"content": "Hi", "name": "by hand", "id": "v_7"})
    made.render()
    spans.call()
    assert facts(spans.attributes()) == {
        PROMPT_NAME: "by hand",
        PROMPT_VERSION: "v_7",  # it has no number
        "scope.prompt.version_id": "v_7",
    }


def test_a_fallback_is_marked_and_has_no_version(
    platform: LocalPlatform, client: ScopeClient, spans: ModelSpans
) -> None:
    platform.fail(503)
    client.render_prompt("unknown", {"name": "Ada"}, fallback="Hi {{name}}")
    spans.call()
    assert facts(spans.attributes()) == {
        PROMPT_NAME: "unknown",
        "scope.prompt.label": "production",
        "scope.prompt.source": "fallback",
        "scope.prompt.is_fallback": True,
    }


def test_a_prompt_of_the_folder_is_a_fallback_too(platform: LocalPlatform, tmp_path: Any, spans: ModelSpans) -> None:
    (tmp_path / "greeting.md").write_text("Hi {{name}}")
    platform.fail(503)
    with platform.client(prompt_dir=str(tmp_path), max_retries=0) as client:
        client.render_prompt("greeting", {"name": "Ada"})
    spans.call()
    found = facts(spans.attributes())
    assert (found["scope.prompt.source"], found["scope.prompt.is_fallback"]) == ("folder", True)
    assert not [name for name in found if "version" in name]


def test_a_rendering_that_fails_marks_nothing(client: ScopeClient, spans: ModelSpans) -> None:
    client.render_prompt("summary", {"text": "it"})
    for wrong in ({}, {"name": None}, {"nme": "Ada"}):
        with pytest.raises(ScopeError):
            client.render_prompt("greeting", wrong)
        spans.call()
        assert spans.attributes()[PROMPT_NAME] == "summary"


OTHER_SPANS = {
    "a tool": {"gen_ai.operation.name": "execute_tool", "gen_ai.system": "openai"},
    "an embedding": {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "text-embedding-3"},
    "a new agent": {"gen_ai.operation.name": "create_agent"},
    "a search": {"gen_ai.operation.name": "retrieval"},
    "a step": {"gen_ai.operation.name": "execute_task", "gen_ai.provider.name": "langchain"},
    "a workflow": {"gen_ai.operation.name": "invoke_workflow"},
    "an agent": {"gen_ai.operation.name": "invoke_agent"},
    "a tool of OpenInference": {"openinference.span.kind": "TOOL", "gen_ai.system": "openai"},
    "a chain of OpenInference": {"openinference.span.kind": "CHAIN"},
    "an embedding of OpenLLMetry": {"llm.request.type": "embedding", "gen_ai.system": "openai"},
    "a request": {"http.request.method": "GET"},
    "a query": {"db.system": "postgresql"},
    "nothing": {},
}
MODEL_SPANS = {
    "a chat": {"gen_ai.operation.name": "chat"},
    "a completion": {"gen_ai.operation.name": "text_completion"},
    "content": {"gen_ai.operation.name": "generate_content"},
    "in words of its own": {"gen_ai.operation.name": "acompletion"},
    "of responses": {"gen_ai.operation.name": "responses"},
    "a provider": {"gen_ai.provider.name": "openai"},
    "a system": {"gen_ai.system": "anthropic"},
    "a model": {"gen_ai.request.model": "gpt-4o"},
    "of OpenInference": {"openinference.span.kind": "LLM"},
    "of OpenLLMetry": {"llm.request.type": "chat", "gen_ai.system": "openai"},
}


@pytest.mark.parametrize("when", ["call", "late_call"])
@pytest.mark.parametrize("what", MODEL_SPANS)
def test_every_span_of_a_model_is_marked(what: str, when: str, greeting: PromptVersion, spans: ModelSpans) -> None:
    greeting.render(name="Ada")
    getattr(spans, when)(attributes=MODEL_SPANS[what])
    assert spans.attributes()[PROMPT_NAME] == "greeting"


@pytest.mark.parametrize("when", ["call", "late_call"])
@pytest.mark.parametrize("what", OTHER_SPANS)
def test_no_other_span_is_marked(what: str, when: str, greeting: PromptVersion, spans: ModelSpans) -> None:
    greeting.render(name="Ada")
    getattr(spans, when)(attributes=OTHER_SPANS[what])
    assert spans.attributes() == OTHER_SPANS[what]


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.CONSUMER, SpanKind.PRODUCER])
def test_a_span_that_serves_or_sends_is_of_no_model(kind: SpanKind, greeting: PromptVersion, spans: ModelSpans) -> None:
    greeting.render(name="Ada")
    spans.call(kind=kind)
    assert PROMPT_NAME not in spans.attributes()


def test_no_span_of_ours_is_marked(client: ScopeClient, greeting: PromptVersion, spans: ModelSpans) -> None:
    greeting.render(name="Ada")
    client.get_prompt_version("summary")
    client.clear_cache()
    client.get_prompt_version("greeting")
    found = spans.exporter.get_finished_spans()
    assert {span.name for span in found} >= {"scope.prompt.fetch", "GET"}
    assert not [
        span.name for span in found if PROMPT_VERSION in (span.attributes or {}) and span.kind == SpanKind.CLIENT
    ]


def test_a_late_span_carries_what_was_in_use_when_it_started(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    greeting.render(name="Ada")
    with spans.span("chat", kind=SpanKind.CLIENT) as span:
        summary.render(text="it")
        span.set_attributes(CHAT)
    assert spans.attributes()[PROMPT_NAME] == "greeting"


@pytest.mark.parametrize("when", ["call", "late_call"])
@pytest.mark.parametrize("own", [{PROMPT_NAME: "theirs"}, {PROMPT_VERSION: "17"}])
def test_a_prompt_that_a_span_has_of_its_own_stays_alone(
    own: dict[str, str], when: str, greeting: PromptVersion, spans: ModelSpans
) -> None:
    greeting.render(name="Ada")
    getattr(spans, when)(attributes={**CHAT, **own})
    assert spans.attributes() == {**CHAT, **own}
    with greeting.in_use():
        spans.call(attributes={**CHAT, PROMPT_NAME: "theirs"})
    assert spans.attributes() == {**CHAT, PROMPT_NAME: "theirs"}


@pytest.mark.parametrize(
    ("own", "is_ours"), [({}, True), ({PROMPT_NAME: "theirs"}, False), ({PROMPT_VERSION: "17"}, False)]
)
def test_a_prompt_that_an_instrumentation_names_at_the_end_is_mixed_with_no_other(
    own: dict[str, str], is_ours: bool, greeting: PromptVersion, spans: ModelSpans
) -> None:
    greeting.render(name="Ada")
    with spans.span("chat", attributes=CHAT) as span:
        span.set_attributes(own)
    found = facts(spans.attributes())
    assert (found.get("scope.prompt.version_id") == greeting.id) is is_ours
    assert is_ours or found == own
    with greeting.in_use(), spans.span("chat", attributes=CHAT) as span:
        span.set_attributes(own)
    found = facts(spans.attributes())
    assert (found[PROMPT_NAME], found[PROMPT_VERSION]) == ("greeting", "1")  # in a block there is no doubt


def test_the_same_prompt_on_a_span_is_completed(greeting: PromptVersion, spans: ModelSpans) -> None:
    greeting.render(name="Ada")
    with spans.span("chat", attributes=CHAT) as span:
        span.set_attribute(PROMPT_NAME, "greeting")
    assert spans.attributes()[PROMPT_VERSION] == "1"


def test_a_name_that_would_break_an_exporter_is_made_fit(spans: ModelSpans) -> None:
    PromptVersion.from_api({"content": "Hi", "name": "half \ud800\n of a pair"}).render()
    spans.call()
    assert spans.attributes()[PROMPT_NAME] == "half \ufffd\\n of a pair"


def test_a_span_without_attributes_and_one_that_is_ended_twice_are_left_alone(
    greeting: PromptVersion, spans: ModelSpans, caplog: pytest.LogCaptureFixture
) -> None:
    greeting.render(name="Ada")
    span = spans.tracer.start_span("chat")
    span.set_attributes(CHAT)
    span.end(end_time=span.start_time + 5)  # type: ignore[attr-defined]  # of the SDK's span
    assert [(each.end_time or 0) - (each.start_time or 0) for each in spans.exporter.get_finished_spans()] == [5]
    span.end()
    assert [record.message for record in caplog.records] == ["Calling end() on an ended span."]
    assert spans.prompts == [("chat", "greeting")]


def test_prompt_attributes_are_those_of_a_model_s_span(client: ScopeClient, spans: ModelSpans) -> None:
    version = client.get_prompt_version("greeting")
    version.render(name="Ada")
    spans.call()
    assert otel.prompt_attributes(version) == facts(spans.attributes())


def test_prompt_attributes_refuse_what_is_no_version(spans: ModelSpans) -> None:
    wrong: Any = "greeting"
    with pytest.raises(TypeError, match="prompt_attributes takes a PromptVersion, got str"):
        otel.prompt_attributes(wrong)


def test_prompt_attributes_need_no_instrumentation(greeting: PromptVersion) -> None:
    assert otel.prompt_attributes(greeting)[PROMPT_NAME] == "greeting"


def test_a_client_of_a_test_marks_too(spans: ModelSpans) -> None:
    PromptsClient({"greeting": "Hi {{name}}"}).render_prompt("greeting", {"name": "Ada"})
    spans.call()
    assert spans.attributes()[PROMPT_NAME] == "greeting"


def test_of_many_reads_in_a_row_the_last_ones_are_remembered(
    client: ScopeClient, platform: LocalPlatform, spans: ModelSpans
) -> None:
    versions = []
    for number in range(2 * MAX_READS_NOTED):
        platform.publish(f"prompt-{number}", "Hello!")
        versions.append(client.get_prompt_version(f"prompt-{number}"))
    assert [read.version for read in reads_noted()] == versions[: MAX_READS_NOTED - 1 : -1]
