"""Draws docs/_static/one-trace.svg: the spans of one request of a program, while the platform has its troubles."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, NamedTuple, Optional
from xml.sax.saxutils import escape

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from scope_client import Clock, ScopeClient
from scope_client.local import LocalPlatform
from scope_client.otel import instrument, prompt_attributes, uninstrument

PICTURE = Path(__file__).resolve().parents[1] / "_static" / "one-trace.svg"
PROMPTS = {"greeting": "Good morning, {{name}}!", "farewell": "Bye, {{name}}!"}
RETRY_SECONDS = 0.02
LATENCY_SECONDS = 0.004  # so that a request is long enough to be seen
SHOWN = ("http.response.status_code", "http.request.resend_count", "error.type", "scope.prompt.source")
WIDTH, ROW_HEIGHT, TOP, LEFT, FACTS_AT, BARS_AT, LEAST_BAR = 900, 24, 84, 24, 215, 650, 2.0
STYLE = """
    text { font-family: system-ui, "Segoe UI", Arial, "DejaVu Sans", sans-serif; font-size: 14px; fill: #1f2328; }
    .head { font-size: 18px; font-weight: 700; }
    .soft { fill: #59636e; }
    .code { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12px; }
    .red { fill: #a40e26; }
    .program { fill: #59636e; }
    .scope { fill: #0969da; }
    .http { fill: #1a7f37; }
    .failed { fill: #a40e26; }
    .rule { stroke: #eaeef2; stroke-width: 1; }
"""
LEGEND = "spans of the program in grey, of this package in blue, of HTTP in green; what failed in red"
TITLE = "One trace: a retry, a new token, an outage and a fallback"


class Row(NamedTuple):
    """A span as a line of the picture; `begins` and `ends` are shares of the whole time."""

    depth: int
    name: str
    facts: str
    kind: str
    begins: float
    ends: float


def request_of_a_program(platform: LocalPlatform, client: ScopeClient, tracer: Tracer, skew: list[float]) -> None:
    """One in which all goes wrong that a client can mend."""

    def read(title: str, name: str, fallback: Optional[str] = None) -> None:
        with tracer.start_as_current_span(title) as span:
            version = client.get_prompt_version(name, fallback=fallback)
            span.set_attributes(prompt_attributes(version))

    with tracer.start_as_current_span("a request of a program"):
        platform.fail(503, times=1)
        read("a retry", "greeting")
        platform.refuse_tokens(times=1)
        read("a new token", "farewell")
        platform.fail(503)
        skew[0] = client.config.cache_ttl + 1
        read("an outage", "greeting")
        read("a fallback", "nobody-knows-it", "Welcome!")


def recorded(turn_on: Callable[[TracerProvider], object] = id) -> list[ReadableSpan]:
    """Its spans, in the order of their start; `turn_on` may instrument more with the provider."""
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    skew = [0.0]
    clock = Clock(now=lambda: time.perf_counter() + skew[0], chance=lambda: 1.0)
    platform = LocalPlatform(PROMPTS, latency=LATENCY_SECONDS)
    instrument(provider)
    turn_on(provider)
    try:
        with platform, platform.client(clock=clock, retry_base_delay=RETRY_SECONDS) as client:
            request_of_a_program(platform, client, provider.get_tracer("program"), skew)
    finally:
        uninstrument()
    return sorted(spans.get_finished_spans(), key=lambda span: span.start_time or 0)


def rows(spans: Sequence[ReadableSpan]) -> list[Row]:
    """Each span below its parent, as they began."""
    first, last = min(span.start_time or 0 for span in spans), max(span.end_time or 0 for span in spans)
    depths: dict[int, int] = {}
    found = []
    for span in spans:
        depth = 0 if span.parent is None else depths[span.parent.span_id] + 1
        depths[span.context.span_id] = depth
        shown = {name: value for name, value in (span.attributes or {}).items() if name in SHOWN}
        facts = ", ".join(f"{name} {shown[name]}" for name in SHOWN if name in shown)
        share = [((at or 0) - first) / (last - first) for at in (span.start_time, span.end_time)]
        found.append(Row(depth, span.name, facts, kind_of(span), *share))
    return found


def kind_of(span: ReadableSpan) -> str:
    """What its colour says."""
    if span.status.status_code is StatusCode.ERROR:
        return "failed"
    if span.kind is SpanKind.CLIENT:
        return "http"
    return "scope" if span.name.startswith("scope.") else "program"


def drawn(lines: Sequence[Row]) -> str:
    """The rows as an SVG that asks nobody for a font."""
    height = TOP + ROW_HEIGHT * len(lines) + 20
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        f'  <title id="title">{TITLE}</title>',
        f'  <desc id="desc">{escape("; ".join(f"{line.name}: {line.facts}" for line in lines))}</desc>',
        f"  <style>{STYLE}  </style>",
        f'  <rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="12" fill="#ffffff" stroke="#d1d9e0"/>',
        f'  <text class="head" x="{LEFT}" y="38">{TITLE}</text>',
        f'  <text class="soft" x="{LEFT}" y="62">{LEGEND}</text>',
    ]
    for number, line in enumerate(lines):
        parts += drawn_row(line, TOP + ROW_HEIGHT * number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def drawn_row(line: Row, top: float) -> list[str]:
    room = WIDTH - LEFT - BARS_AT
    width = max(LEAST_BAR, room * (line.ends - line.begins))
    begins = BARS_AT + min(room * line.begins, room - width)
    red = " red" if line.kind == "failed" else ""
    return [
        f'  <line class="rule" x1="{LEFT}" y1="{top}" x2="{WIDTH - LEFT}" y2="{top}"/>',
        f'  <text class="code" x="{LEFT + 18 * line.depth}" y="{top + 16}">{escape(line.name)}</text>',
        f'  <text class="code{red or " soft"}" x="{FACTS_AT}" y="{top + 16}">{escape(line.facts)}</text>',
        f'  <rect class="{line.kind}" x="{begins:.1f}" y="{top + 7}" width="{width:.1f}" height="10" rx="2"/>',
    ]


if __name__ == "__main__":
    PICTURE.write_text(drawn(rows(recorded())), encoding="utf-8")
