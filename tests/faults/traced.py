"""What a program exports to OpenTelemetry, through the real SDK, while `scope_client.otel` is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


class Traced:
    """One provider of each kind, and what they were given."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider(metric_readers=[self._reader])
        self.tracer = self.tracer_provider.get_tracer("program")

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        """Those that have ended, in the order of their start."""
        found = [span for span in self._exporter.get_finished_spans() if name in (None, span.name)]
        return sorted(found, key=lambda span: span.start_time or 0)

    def span(self, name: str) -> ReadableSpan:
        (found,) = self.spans(name)
        return found

    def forget(self) -> None:
        self._exporter.clear()

    def tree(self) -> list[str]:
        """The names of all spans, each below its parent and two spaces further in."""
        spans = self.spans()
        known = {span.context.span_id for span in spans}

        def below(parent: int | None, depth: int) -> list[str]:
            lines = []
            for span in spans:
                above = span.parent.span_id if span.parent and span.parent.span_id in known else None
                if above == parent:
                    lines += ["  " * depth + span.name, *below(span.context.span_id, depth + 1)]
            return lines

        return below(None, 0)

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """The attributes and the data of each point of a metric, collected now."""
        return [
            (dict(point.attributes), point)
            for metric in self.metrics()
            if metric.name == name
            for point in metric.data.data_points
        ]

    def values(self, name: str) -> dict[tuple[Any, ...], float]:
        """The value by those of the attributes, collected now."""
        return {tuple(attributes.values()): point.value for attributes, point in self.points(name)}

    def metrics(self) -> list[Any]:
        data = self._reader.get_metrics_data()
        if data is None:
            return []
        return [
            metric for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics
        ]
