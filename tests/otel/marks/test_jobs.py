"""What was rendered in one job does not mark the next one."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from scope_client._otel import span_processor

if TYPE_CHECKING:
    from faults.model_spans import ModelSpans

    from scope_client import PromptVersion


def test_a_script_renders_once_and_calls_as_often_as_it_likes(greeting: PromptVersion, spans: ModelSpans) -> None:
    greeting.render(name="Ada")
    spans.call("a")
    spans.late_call("b")
    spans.call("c")
    assert spans.prompts == [("a", "greeting"), ("b", "greeting"), ("c", "greeting")]


def test_two_prompts_in_one_trace_mark_their_own_calls(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    with spans.span("request"):
        greeting.render(name="Ada")
        spans.call("first")
        summary.render(text="it")
        spans.call("second")
        spans.late_call("third")
    assert spans.prompts == [("first", "greeting"), ("second", "summary"), ("third", "summary"), ("request", None)]


@pytest.mark.parametrize("kind", list(SpanKind))
def test_the_next_job_of_a_thread_does_not_inherit(kind: SpanKind, greeting: PromptVersion, spans: ModelSpans) -> None:
    for _ in range(2):
        with spans.span("job", kind=kind):
            spans.call("before")
            greeting.render(name="Ada")
            spans.call("after")
    assert spans.prompts == [("before", None), ("after", "greeting"), ("job", None)] * 2


@pytest.mark.parametrize(("kind", "prompt"), [(SpanKind.SERVER, None), (SpanKind.INTERNAL, "summary")])
def test_a_job_that_serves_begins_with_nothing_and_another_one_with_what_there_was(
    kind: SpanKind, prompt: str | None, greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    summary.render(text="it")
    with spans.span("job", kind=kind):
        spans.call("in")
        greeting.render(name="Ada")
    spans.call("after")
    assert spans.prompts == [("in", prompt), ("job", None), ("after", "summary")]


def test_a_job_with_a_parent_in_another_process_is_one_too(greeting: PromptVersion, spans: ModelSpans) -> None:
    remote = SpanContext(trace_id=7, span_id=7, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    for _ in range(2):
        with spans.span("job", context=trace.set_span_in_context(NonRecordingSpan(remote))):
            spans.call("before")
            greeting.render(name="Ada")
    assert spans.prompts == [("before", None), ("job", None)] * 2


def test_a_span_within_a_job_takes_nothing_away(greeting: PromptVersion, spans: ModelSpans) -> None:
    with spans.span("job"):
        with spans.span("render"):
            greeting.render(name="Ada")
        spans.call()
    assert spans.prompts == [("render", None), ("chat", "greeting"), ("job", None)]


def test_jobs_that_end_out_of_order_leave_nothing_behind(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    first = spans.tracer.start_span("first")
    greeting.render(name="Ada")
    second = spans.tracer.start_span("second")
    summary.render(text="it")
    first.end()
    spans.call("of the second")
    second.end()
    spans.call("after")
    assert spans.prompts == [("first", None), ("of the second", "summary"), ("second", None), ("after", None)]


def test_a_job_that_ends_in_another_thread_changes_nothing_there(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    job = spans.tracer.start_span("job")
    greeting.render(name="Ada")

    def other() -> None:
        summary.render(text="it")
        job.end()
        spans.call("other")

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert spans.prompts == [("job", None), ("other", "summary")]


def test_a_task_that_goes_on_after_its_job_keeps_its_own(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    async def behind(answered: asyncio.Event) -> None:
        summary.render(text="it")
        await answered.wait()
        elsewhere.end()  # the job of another context, whose end is nobody's here
        spans.call("behind")
        with spans.span("part"):
            spans.call("in a part")

    elsewhere = contextvars.copy_context().run(spans.tracer.start_span, "elsewhere")

    async def main() -> None:
        answered = asyncio.Event()
        with spans.span("job", kind=SpanKind.SERVER):
            greeting.render(name="Ada")
            task = asyncio.create_task(behind(answered))
            await asyncio.sleep(0)
            spans.call("job's")
        answered.set()
        await task
        spans.call("after")

    asyncio.run(main())
    assert spans.prompts == [
        ("job's", "greeting"),
        ("job", None),
        ("elsewhere", None),
        ("behind", "summary"),
        ("in a part", "summary"),
        ("part", None),
        ("after", None),
    ]


def test_tasks_and_threads_have_what_they_have_rendered_themselves(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    async def answer(version: PromptVersion, values: dict[str, str]) -> None:
        for _ in range(3):
            version.render(**values)
            await asyncio.sleep(0)
            spans.call(version.name)

    async def main() -> None:
        await asyncio.gather(*(answer(*each) for each in ((greeting, {"name": "A"}), (summary, {"text": "it"})) * 3))

    asyncio.run(main())
    assert set(spans.prompts) == {("greeting", "greeting"), ("summary", "summary")}
    greeting.render(name="Ada")
    thread = threading.Thread(target=spans.call, args=("thread",))
    thread.start()
    thread.join()
    assert spans.prompts[-1] == ("thread", None)


def test_a_span_that_streams_is_marked_by_what_was_in_use_when_it_started(
    greeting: PromptVersion, summary: PromptVersion, spans: ModelSpans
) -> None:
    greeting.render(name="Ada")
    stream = spans.tracer.start_span("stream", kind=SpanKind.CLIENT)
    summary.render(text="it")
    stream.set_attribute("gen_ai.system", "openai")

    def consume() -> None:
        stream.end()

    thread = threading.Thread(target=consume)
    thread.start()
    thread.join()
    assert spans.prompts == [("stream", "greeting")]


def test_spans_that_never_end_are_not_kept(greeting: PromptVersion, spans: ModelSpans) -> None:
    def work() -> int:
        for _ in range(3 * span_processor.MAX_JOBS_INSIDE_ONE_ANOTHER):
            spans.tracer.start_span("job")
        job, depth = span_processor._job.get(), 0
        while job is not None:
            job, depth = job.outer, depth + 1
        return depth

    assert contextvars.copy_context().run(work) <= span_processor.MAX_JOBS_INSIDE_ONE_ANOTHER + 2


def test_a_span_that_cannot_be_looked_at_is_logged_once_and_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    odd, marks = object(), span_processor.PromptMarks()
    marks.on_start(odd)
    marks.on_start(odd)
    assert [record.message for record in caplog.records] == [
        "a span could not be given its prompt; this is logged once"
    ]
