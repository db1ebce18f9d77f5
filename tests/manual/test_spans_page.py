"""docs/integrations/opentelemetry-spans.md: its picture is of a real run, and its tables are those of the code."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Any

import pytest
from faults.traced import Traced
from manual.pages import DOCS, text_of
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor

from scope_client.local import LocalPlatform
from scope_client.otel import instrument, uninstrument

if TYPE_CHECKING:
    from types import ModuleType

PAGE = "integrations/opentelemetry-spans.md"
KINDS = {"Histogram": "histogram", "Gauge": "gauge", "Sum": "counter"}


@pytest.fixture
def picture() -> ModuleType:
    """The program that draws the picture."""
    spec = importlib.util.spec_from_file_location("one_trace", DOCS / "_pictures" / "one_trace.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words_of(svg: str) -> list[str]:
    return re.findall(r"<(?:text|title|desc)[^>]*>([^<]*)</", svg)


def rows(heading: str) -> list[list[str]]:
    """The rows of the tables below a heading."""
    section = text_of(PAGE).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]


def test_the_picture_is_that_of_a_run(picture: ModuleType) -> None:
    again = picture.drawn(picture.rows(picture.recorded()))
    assert words_of(picture.PICTURE.read_text(encoding="utf-8")) == words_of(again)


def test_the_picture_shows_one_trace_with_all_that_the_page_says(picture: ModuleType) -> None:
    spans = picture.recorded()
    assert len({span.context.trace_id for span in spans}) == 1
    shown = [(row.depth, row.name, row.facts) for row in picture.rows(spans)]
    assert [row for row in shown if row[0] == 1] == [
        (1, "a retry", "scope.prompt.source platform"),
        (1, "a new token", "scope.prompt.source platform"),
        (1, "an outage", "scope.prompt.source stale"),
        (1, "a fallback", "scope.prompt.source fallback"),
    ]


@pytest.mark.parametrize("kind", [RequestsInstrumentor, URLLib3Instrumentor])
def test_it_is_the_same_picture_with_the_spans_of_an_instrumentation(picture: ModuleType, kind: Any) -> None:
    try:
        spans = picture.recorded(lambda provider: kind().instrument(tracer_provider=provider))
    finally:
        kind().uninstrument()
    makers = {span.instrumentation_scope.name for span in spans if span.name in ("GET", "POST")}
    assert makers == {kind.__module__}
    assert [row[:2] for row in picture.rows(spans)] == [row[:2] for row in picture.rows(picture.recorded())]
    numbers = [span.attributes.get("http.request.resend_count") for span in spans if span.name == "GET"]
    assert numbers == [None, 1, None, 1, None]


def test_the_metrics_of_the_page_are_those_of_the_code() -> None:
    traced = Traced()
    instrument(traced.tracer_provider, traced.meter_provider)
    try:
        with LocalPlatform({"greeting": "Hi"}) as platform, platform.client(max_retries=0) as client:
            client.get_prompt_version("greeting")
            platform.fail(503)
            client.get_prompt_version("nobody-knows-it", fallback="Hi")
            metrics = traced.metrics()
    finally:
        uninstrument()
    found = {
        metric.name: (
            KINDS[type(metric.data).__name__],
            metric.unit,
            {name for point in metric.data.data_points for name in point.attributes},
        )
        for metric in metrics
    }
    said = {
        cells[0].strip("`"): (cells[1], cells[2].strip("`"), set(re.findall(r"`([\w.]+)`", cells[3])))
        for cells in rows("Metrics")
        if len(cells) == 5
    }
    assert said == found


def test_the_attributes_of_the_page_are_those_of_the_spans(picture: ModuleType) -> None:
    spans = picture.recorded()
    used = {
        name
        for span in spans
        if span.name in ("scope.prompt.fetch", "scope.token", "GET", "POST")
        for name in span.attributes
    }
    said = {name for cells in rows("The spans") for name in re.findall(r"`([\w.]+\.[\w.]+)`", cells[0])}
    assert used <= said
    assert said - used <= {"scope.prompt.fetch", "scope.token"}
