"""Plays scenes with real libraries against models on loopback, and prints the spans.

    PYTHONPATH=tests:. python -m otel.show openai-v2 anthropic --scene "two prompts in one trace"

With `--judge` it prints what is wrong and nothing else, and exits with 1 if something is.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan
    from otel.libraries import Library

from faults.traced import Traced
from otel import judgement, libraries, scenes
from recipes.fakes.server import ModelServer

from scope_client import otel
from scope_client.local import LocalPlatform

EVERY = {**libraries.LIBRARIES, **libraries.LIBRARIES_APART}


class Theatre:
    """Models and a platform on loopback, and one library after the other that is traced."""

    def __init__(self, models: ModelServer, platform: LocalPlatform) -> None:
        self.models = models
        self.platform = platform

    @contextlib.contextmanager
    def tracing(self, library: Library) -> Iterator[Traced]:
        traced = Traced()
        otel.instrument(traced.tracer_provider, traced.meter_provider)
        instrumentor = library.instrumentor()
        instrumentor.instrument(tracer_provider=traced.tracer_provider)
        try:
            yield traced
        finally:
            instrumentor.uninstrument()
            otel.uninstrument()

    def play(self, traced: Traced, library: Library, name: str, in_blocks: bool) -> list[ReadableSpan]:
        """The spans of a scene; in none of them does a client remember what it read in another one."""
        traced.forget()
        scene = scenes.SCENES[name]
        with self.platform.client(max_retries=0) as client:
            if scene is scenes.a_fallback:
                self.platform.stop()
            try:
                scene(scenes.Stage(library, client, self.models, traced.tracer, in_blocks))
            finally:
                self.platform.start()
        return traced.spans()

    def performance(
        self, library: Library, only: str | None = None
    ) -> Iterator[tuple[str, list[ReadableSpan], list[str]]]:
        """Of each scene its title, its spans and what is wrong with them."""
        with self.tracing(library) as traced:
            for scene in [only] if only else playable(library):
                for in_blocks in (False, True):
                    spans = self.play(traced, library, scene, in_blocks)
                    yield f"{scene}{', in blocks' if in_blocks else ''}", spans, judged(spans, library, in_blocks)


def judged(spans: list[ReadableSpan], library: Library, in_blocks: bool) -> list[str]:
    """What is wrong."""
    theirs = [span for span in spans if not str(span.instrumentation_scope.name).startswith("scope_client")]
    is_told = in_blocks or library.renders_where_it_calls
    wrong = [fault for span in theirs for fault in judgement.wrong_about(span, in_blocks, is_told)]
    return wrong if any(map(judgement.is_of_a_model, theirs)) else [*wrong, "no span is of a model"]


@contextlib.contextmanager
def theatre() -> Iterator[Theatre]:
    with ModelServer() as models, LocalPlatform() as platform:
        for name, content in scenes.PROMPTS.items():
            platform.publish(name, content)
        yield Theatre(models, platform)


def playable(library: Library) -> list[str]:
    """The names of the scenes that a library can play."""
    left_out = set() if library.streams_without_a_loop else {scenes.streaming, scenes.generators}
    left_out |= set() if library.streams_in_turn else {scenes.asynchronous_generators}
    return [name for name, scene in scenes.SCENES.items() if scene not in left_out]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "libraries", nargs="*", choices=[[], *EVERY], metavar="LIBRARY", default=list(libraries.LIBRARIES)
    )
    parser.add_argument("--scene", choices=scenes.SCENES, help="only this one")
    parser.add_argument("--judge", action="store_true", help="print what is wrong and nothing else")
    given = parser.parse_args()
    faults = []
    with theatre() as here:
        os.environ.update({**here.models.environ, **libraries.WITHOUT_TEXTS})
        for name in given.libraries:
            for title, spans, wrong in here.performance(EVERY[name], given.scene):
                faults += [f"{name}: {title}: {fault}" for fault in wrong]
                if not given.judge:
                    print(f"\n== {name}: {title}\n{judgement.picture(spans)}")
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
