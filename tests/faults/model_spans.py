"""Spans as instrumentations of models make them, in a real SDK, and the prompts that they carry."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from scope_client import otel

if TYPE_CHECKING:
    from collections.abc import Iterator

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
OF_A_TEST = "of a test"
PROMPT_NAME, PROMPT_VERSION = "gen_ai.prompt.name", "gen_ai.prompt.version"


class ModelSpans:
    """A tracer provider with the spans that have ended in it."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer(OF_A_TEST)

    def call(self, name: str = "chat", attributes: Any = None, kind: SpanKind = SpanKind.CLIENT) -> None:
        """A call of a model, whose span says so when it starts."""
        with self.tracer.start_as_current_span(name, attributes=CHAT if attributes is None else attributes, kind=kind):
            pass

    def late_call(self, name: str = "chat", attributes: Any = None) -> None:
        """A call of a model, whose span says so when it is about to end."""
        with self.tracer.start_as_current_span(name, kind=SpanKind.CLIENT) as span:
            span.set_attributes(CHAT if attributes is None else attributes)

    @contextlib.contextmanager
    def span(self, name: str, **options: Any) -> Iterator[Any]:
        with self.tracer.start_as_current_span(name, **options) as span:
            yield span

    def attributes(self, name: str = "chat") -> dict[str, Any]:
        """Those of the last span of that name."""
        found = [span for span in self.exporter.get_finished_spans() if span.name == name]
        return dict(found[-1].attributes or {})

    @property
    def prompts(self) -> list[tuple[str, str | None]]:
        """The name of each span of the test's, in the order of their ends, and of its prompt."""
        found: list[Any] = [
            (span.name, (span.attributes or {}).get(PROMPT_NAME))
            for span in self.exporter.get_finished_spans()
            if span.instrumentation_scope and span.instrumentation_scope.name == OF_A_TEST
        ]
        return found


@contextlib.contextmanager
def instrumented(**providers: Any) -> Iterator[None]:
    otel.instrument(**providers)
    try:
        yield
    finally:
        otel.uninstrument()
