"""The spans of a client's own: each question to the platform, each purchase of a token."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any, Callable

import pytest
import requests
from faults.clock import ManualClock
from faults.reading import wait_until_idle
from faults.replies import PROMPT, Gate, error, prompt, token
from faults.server import FaultServer
from faults.traced import Traced
from opentelemetry import context, trace
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from scope_client import ApiError, InvalidCredentialsError, MemoryStore, NotFoundError, ScopeClient, ServerError
from scope_client import _watching as watching
from scope_client.otel import instrument, uninstrument

Make = Callable[..., ScopeClient]
LONG = 10.0
COLD = ["reader", "  scope.prompt.fetch", "    scope.token", "      POST", "    GET"]


def attributes(span: Any) -> dict[str, Any]:
    return dict(span.attributes)


def links(span: Any) -> list[int]:
    return [link.context.span_id for link in span.links]


def test_a_cold_read_is_a_fetch_with_the_purchase_of_its_token(traced: Traced, client: ScopeClient) -> None:
    with traced.tracer.start_as_current_span("reader"):
        client.get_prompt_version("greeting")
    assert traced.tree() == COLD
    assert {span.kind for span in traced.spans() if span.name.startswith("scope.")} == {SpanKind.INTERNAL}
    assert len({span.context.trace_id for span in traced.spans()}) == 1


def test_a_read_from_memory_makes_no_span(traced: Traced, client: ScopeClient) -> None:
    client.get_prompt_version("greeting")
    traced.forget()
    for read in (client.get_prompt_version, client.read_prompt):
        read("greeting")
    assert traced.spans() == []


def test_a_fetch_says_which_version_came(traced: Traced, client: ScopeClient, server: FaultServer) -> None:
    server.answers(prompt(id="v_7", prompt_id="prompt_1", name="greeting", version_number=7))
    client.get_prompt_version("greeting", label="latest")
    assert attributes(traced.span("scope.prompt.fetch")) == {
        "gen_ai.prompt.name": "greeting",
        "gen_ai.prompt.version": "7",
        "scope.prompt.id": "prompt_1",
        "scope.prompt.label": "latest",
        "scope.prompt.version_id": "v_7",
    }
    assert traced.span("scope.prompt.fetch").status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("name", "options", "asked"),
    [
        ("greeting", {}, {"gen_ai.prompt.name": "greeting", "scope.prompt.label": "production"}),
        ("greeting", {"version": "v_9"}, {"gen_ai.prompt.name": "greeting", "scope.prompt.version_id": "v_9"}),
        (
            "prompt_01J9ZK3Q0000000000000000",
            {"label": "latest"},
            {"scope.prompt.id": "prompt_01J9ZK3Q0000000000000000", "scope.prompt.label": "latest"},
        ),
    ],
)
def test_a_fetch_that_fails_says_what_was_asked_for_and_why(
    traced: Traced, client: ScopeClient, server: FaultServer, name: str, options: dict[str, str], asked: dict[str, str]
) -> None:
    server.answers(error(404, "there is no such prompt"))
    with pytest.raises(NotFoundError) as raised:
        client.get_prompt_version(name, **options)
    span = traced.span("scope.prompt.fetch")
    assert attributes(span) == {**asked, "error.type": f"scope_client.{type(raised.value).__name__}"}
    assert span.status.status_code is StatusCode.ERROR
    assert "there is no such prompt" in span.status.description
    assert span.events == ()


def test_a_token_that_is_refused_fails_its_span_and_that_of_the_fetch(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    server.gives_tokens(error(401, "no such key: secret-1"))
    with pytest.raises(InvalidCredentialsError):
        client.get_prompt_version("greeting")
    assert traced.tree() == ["scope.prompt.fetch", "  scope.token", "    POST"]
    for name in ("scope.prompt.fetch", "scope.token"):
        assert traced.span(name).attributes["error.type"] == "scope_client.InvalidCredentialsError"
        assert "secret-1" not in str(traced.span(name).to_json())


def test_an_interrupt_of_the_callers_is_named_by_its_class_alone(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    class SoftTimeLimitError(BaseException):
        pass

    def strikes(response: Any, **_: Any) -> None:
        raise SoftTimeLimitError("holds a secret")

    with requests.Session() as session:
        session.hooks["response"].append(strikes)
        with pytest.raises(SoftTimeLimitError):
            ScopeClient(config=client.config, session=session).get_prompt_version("greeting")
    span = traced.span("scope.prompt.fetch")
    assert span.attributes["error.type"].endswith("SoftTimeLimitError")
    assert span.status.description is None


def test_no_span_holds_a_secret(traced: Traced, client: ScopeClient, server: FaultServer) -> None:
    server.gives_tokens(token("very-secret-token"))
    server.answers(error(500, "not by very-secret-token"), error(400, "not by very-secret-token"))
    with pytest.raises(ApiError, match="not by"):
        client.get_prompt_version("greeting")
    shown = "".join(span.to_json() for span in traced.spans())
    assert "not by ***" in shown
    assert "very-secret-token" not in shown


def test_a_retry_and_a_new_token_are_attempts_of_one_fetch(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    server.answers(error(503), error(401), PROMPT)
    client.get_prompt_version("greeting")
    assert traced.tree() == [
        *["scope.prompt.fetch", "  scope.token", "    POST", "  GET", "  GET", "  scope.token", "    POST", "  GET"]
    ]
    assert [span.attributes.get("http.request.resend_count") for span in traced.spans("GET")] == [None, 1, 2]
    assert [span.attributes["http.response.status_code"] for span in traced.spans("GET")] == [503, 401, 200]


def test_a_renewal_in_the_background_is_a_trace_of_its_own_with_a_link_to_its_reader(
    traced: Traced, make_client: Make, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=100)
    client.get_prompt_version("greeting")
    clock.passes(95)
    traced.forget()
    with traced.tracer.start_as_current_span("reader") as reader:
        client.get_prompt_version("greeting")
        wait_until_idle(client)
    fetch = traced.span("scope.prompt.fetch")
    assert fetch.parent is None
    assert fetch.context.trace_id != reader.get_span_context().trace_id
    assert links(fetch) == [reader.get_span_context().span_id]
    assert links(traced.span("GET")) == []


def test_what_a_renewal_needs_is_in_its_trace_and_has_no_link_of_its_own(
    traced: Traced, make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(token(expires_in=50))
    client = make_client(cache_ttl=100)
    client.get_prompt_version("greeting")
    clock.passes(95)
    traced.forget()
    with traced.tracer.start_as_current_span("reader"):
        client.get_prompt_version("greeting")
        wait_until_idle(client)
    fetch, bought = traced.span("scope.prompt.fetch"), traced.span("scope.token")
    assert bought.parent.span_id == fetch.context.span_id
    assert len(fetch.links) == 1
    assert links(bought) == []


def test_a_job_in_the_background_is_in_no_span_of_its_reader_even_in_the_same_thread(traced: Traced) -> None:
    with traced.tracer.start_as_current_span("reader"):
        here = context.get_current()
        seen = watching.behind(trace.get_current_span)()
        assert context.get_current() == here
    assert seen is trace.INVALID_SPAN


def test_a_renewal_that_no_span_set_off_has_no_link(traced: Traced, make_client: Make, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100)
    client.get_prompt_version("greeting")
    clock.passes(95)
    traced.forget()
    client.get_prompt_version("greeting")
    wait_until_idle(client)
    assert links(traced.span("scope.prompt.fetch")) == []


def test_the_renewal_of_a_token_is_a_trace_of_its_own_with_a_link_to_the_fetch_that_set_it_off(
    traced: Traced, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(token(expires_in=100))
    client.get_prompt_version("greeting", cache=False)
    clock.passes(85)
    traced.forget()
    client.get_prompt_version("greeting", cache=False)
    wait_until_idle(client)
    renewal, fetch = traced.span("scope.token"), traced.span("scope.prompt.fetch")
    assert renewal.parent is None
    assert links(renewal) == [fetch.context.span_id]


def test_a_renewal_belongs_to_no_trace_that_an_instrumentation_of_threads_hands_on(
    traced: Traced, make_client: Make, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=100)
    client.get_prompt_version("greeting")
    clock.passes(95)
    traced.forget()
    ThreadingInstrumentor().instrument()
    try:
        with traced.tracer.start_as_current_span("reader") as reader:
            client.get_prompt_version("greeting")
            wait_until_idle(client)
    finally:
        ThreadingInstrumentor().uninstrument()
    fetch = traced.span("scope.prompt.fetch")
    assert fetch.parent is None
    assert links(fetch) == [reader.get_span_context().span_id]


def test_what_a_store_shares_is_renewed_in_a_trace_of_its_own_too(
    traced: Traced, make_client: Make, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=100, cache_store=MemoryStore(), cache_local_ttl=0)
    with traced.tracer.start_as_current_span("reader"):
        client.get_prompt_version("greeting")
    assert traced.tree() == COLD
    clock.passes(95)
    traced.forget()
    with traced.tracer.start_as_current_span("reader") as reader:
        client.get_prompt_version("greeting")
        wait_until_idle(client)
    assert traced.span("scope.prompt.fetch").parent is None
    assert links(traced.span("scope.prompt.fetch")) == [reader.get_span_context().span_id]


def test_the_fetches_of_a_prefetch_are_in_the_trace_of_its_caller(traced: Traced, client: ScopeClient) -> None:
    names = [f"prompt-{number}" for number in range(12)]
    with traced.tracer.start_as_current_span("start-up") as caller:
        client.prefetch(names)
    fetches = traced.spans("scope.prompt.fetch")
    assert {span.attributes["gen_ai.prompt.name"] for span in fetches} >= {"greeting"}  # as the platform calls all
    assert len(fetches) == 12
    assert {span.parent.span_id for span in fetches} == {caller.get_span_context().span_id}


def test_asynchronous_reads_are_in_the_trace_of_their_task(traced: Traced, client: ScopeClient) -> None:
    async def read(name: str) -> None:
        with traced.tracer.start_as_current_span(f"task {name}"):
            await client.aget_prompt_version(name)
            await client.aprefetch([f"{name}-more"])

    async def both() -> None:
        await asyncio.gather(read("one"), read("two"))

    asyncio.run(both())
    for name in ("one", "two"):
        task = traced.span(f"task {name}")
        mine = [span for span in traced.spans("scope.prompt.fetch") if span.context.trace_id == task.context.trace_id]
        assert [span.parent.span_id for span in mine] == [task.context.span_id] * 2


def test_a_read_that_tasks_share_is_in_the_trace_of_the_first(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    gate = Gate()
    server.answers(gate.holds(PROMPT))

    async def read(name: str) -> None:
        with traced.tracer.start_as_current_span(name):
            await client.aget_prompt_version("greeting")

    async def both() -> None:
        tasks = [asyncio.create_task(read(name)) for name in ("first", "second")]
        await asyncio.get_running_loop().run_in_executor(None, server.wait_for_reads, 1)
        gate.open()
        await asyncio.gather(*tasks)

    asyncio.run(both())
    assert traced.span("scope.prompt.fetch").parent.span_id == traced.span("first").context.span_id


def test_threads_that_want_the_same_share_the_fetch_of_one(
    traced: Traced, client: ScopeClient, server: FaultServer
) -> None:
    gate = Gate()
    server.answers(gate.holds(PROMPT))

    def read(name: str) -> None:
        with traced.tracer.start_as_current_span(name):
            client.get_prompt_version("greeting")

    threads = [threading.Thread(target=read, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    server.wait_for_reads(1)
    gate.open()
    for thread in threads:
        thread.join(LONG)
    assert traced.span("scope.prompt.fetch").parent.span_id in [
        traced.span(name).context.span_id for name in ("one", "two")
    ]


def test_where_instrumentation_is_suppressed_there_is_no_span(traced: Traced, client: ScopeClient) -> None:
    with suppress_instrumentation():
        client.get_prompt_version("greeting")
    assert traced.spans() == []


def test_the_context_of_the_caller_is_as_it_was(traced: Traced, client: ScopeClient, server: FaultServer) -> None:
    with traced.tracer.start_as_current_span("reader") as reader:
        before = context.get_current()
        client.get_prompt_version("greeting")
        server.answers(error(500))
        with pytest.raises(ServerError):
            client.get_prompt_version("other", deadline=5)
        assert context.get_current() == before
        assert trace.get_current_span() is reader


class Breaks(SpanProcessor):
    """Raises for each span that starts, or that ends."""

    def __init__(self, when: str) -> None:
        self._when = when

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        if self._when == "start":
            raise ZeroDivisionError

    def on_end(self, span: Any) -> None:
        if self._when == "end":
            raise ZeroDivisionError


@pytest.mark.parametrize("when", ["start", "end"])
def test_a_processor_that_raises_breaks_no_read(
    traced: Traced, make_client: Make, when: str, clock: ManualClock, may_break: None
) -> None:
    traced.tracer_provider.add_span_processor(Breaks(when))
    client = make_client(cache_ttl=100)
    before = context.get_current()
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert context.get_current() == before
    clock.passes(95)
    client.get_prompt_version("greeting")
    wait_until_idle(client)
    assert client.status().counters["refreshes"] == 1


def test_without_a_provider_a_read_is_as_before(client: ScopeClient) -> None:
    instrument()
    try:
        assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    finally:
        uninstrument()


def test_after_it_was_turned_off_no_span_is_made(client: ScopeClient) -> None:
    traced = Traced()
    instrument(traced.tracer_provider, traced.meter_provider)
    uninstrument()
    client.get_prompt_version("greeting")
    assert traced.spans() == []


def test_a_forked_child_traces_its_own_reads(traced: Traced, client: ScopeClient, server: FaultServer) -> None:
    client.get_prompt_version("greeting")
    traced.forget()
    reading, writing = os.pipe()
    with traced.tracer.start_as_current_span("reader"):
        child = os.fork()
        if child == 0:
            try:
                client.get_prompt_version("other")
                os.write(writing, "\n".join(traced.tree()).encode())
            finally:
                os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert told.read().splitlines() == ["scope.prompt.fetch", "  GET"]
    os.waitpid(child, 0)


def test_a_client_of_a_folder_alone_makes_no_span_for_its_stand_in(
    traced: Traced, make_client: Make, tmp_path: Any, closed_port: int
) -> None:
    (tmp_path / "greeting.md").write_text("Hi {{name}}!")
    url = f"http://127.0.0.1:{closed_port}"
    client = make_client(prompt_dir=tmp_path, base_url=url, auth_api_url=url, max_retries=0)
    for _ in range(2):
        assert client.read_prompt("greeting").source == "folder"
    wait_until_idle(client)
    for span in traced.spans("scope.prompt.fetch"):
        assert span.attributes["error.type"] == "scope_client.TokenRefreshError"
