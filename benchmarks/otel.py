"""What `scope_client.otel.instrument()` adds to a rendering and to a cached read, beside 150 ns."""

from __future__ import annotations

from functools import partial
from statistics import median
from time import thread_time
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

from scope_client import otel
from scope_client.local import LocalPlatform

from .measure import Loop, Row, costs, loop, medians
from .render import Sample

RENDERS, LOOPS, TURNS = 200, 21, 21  # few turns: Python slows a class down that changes a thousand times
ALLOWED_SECONDS = 150e-9


class Switch:
    """Takes the time of a loop with the instrumentation on, and off."""

    def __init__(self) -> None:
        self._provider = TracerProvider()

    def on(self, run: Loop) -> float:
        otel.instrument(self._provider)
        try:
            return self.off(run)
        finally:
            otel.uninstrument()

    def off(self, run: Loop) -> float:
        run(RENDERS)
        return median(run(RENDERS) for _ in range(LOOPS))

    def row(self, what: str, statement: str, *, calls: int = 1, **names: Any) -> Row:
        """The statement makes so many calls."""
        run = loop(statement, timer=thread_time, **names)
        on, off = medians(partial(self.on, run), partial(self.off, run), repetitions=TURNS)
        return costs(what, "allowed", (on - off) / calls, ALLOWED_SECONDS)


def rows() -> list[Row]:
    sample, switch = Sample(5), Switch()
    given = '{"v0": v0, "v1": v1, "v2": v2, "v3": v3, "v4": v4}'
    with LocalPlatform({"p": sample.content, "q": sample.content}) as platform:
        client = platform.client()
        names: dict[str, Any] = {**sample.values, "client": client}
        names["p"], names["q"] = client.get_prompt_version("p"), client.get_prompt_version("q")
        plain, values = f'client.render_prompt("p", {given})', f"**{given}"
        return [
            switch.row("OpenTelemetry on: a rendering", f"p.render({values})", **names),
            switch.row("OpenTelemetry on: a cached render_prompt", plain, **names),
            switch.row(
                "OpenTelemetry on: a rendering of another prompt than before",
                f"p.render({values}); q.render({values})",
                calls=2,
                **names,
            ),
        ]
