"""The watcher that makes spans and metrics of what a client tells, and notes its reads for the spans of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Optional

from opentelemetry import trace

from .. import _watching as watching
from .._version import __version__
from .http_spans import HttpSpan
from .library import LIBRARY_NAME, SCHEMA_URL
from .marks import note_read
from .metrics import AttemptTimer, Metrics, metrics_of
from .spans import Behind, carried_span, fetch_span, is_suppressed, token_span

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext, Tracer

    from .._prompt.prompt_read import PromptRead
    from .._prompt.ref import PromptRef


class OtelWatcher:
    """Tells OpenTelemetry."""

    def __init__(self, tracer: Tracer, metrics: Metrics, find_provider: Callable[[], None]) -> None:
        self._tracer = tracer
        self._metrics = metrics
        self._find_provider = find_provider

    def read(self, ref: PromptRef, found: PromptRead) -> None:
        """Counts it."""
        self._find_provider()
        note_read(ref, found)
        self._metrics.read(found)

    def fetch(self, ref: PromptRef) -> watching.Watch:
        """A span, unless the caller suppresses instrumentation."""
        self._find_provider()
        return NO_WATCH if is_suppressed() else fetch_span(self._tracer, ref)

    def token(self) -> watching.Watch:
        """A span, unless the caller suppresses instrumentation."""
        return NO_WATCH if is_suppressed() else token_span(self._tracer)

    def attempt(self, attempt: watching.Attempt) -> watching.Watch:
        """A span if nobody else makes one, and a measured duration; unless the caller suppresses instrumentation."""
        if is_suppressed():
            return NO_WATCH
        return Both(HttpSpan(self._tracer, attempt), AttemptTimer(self._metrics, attempt))

    def carried(self) -> Optional[SpanContext]:
        """The span of the reader."""
        return carried_span()

    def behind(self, carried: Optional[SpanContext]) -> watching.Watch:
        """A trace of its own."""
        return Behind(carried)


class Nothing:
    """Watches nothing."""

    def begin(self) -> None:
        """Nothing."""

    def end(self, came: Any, error: Optional[BaseException]) -> None:
        """Nothing."""


NO_WATCH = Nothing()


class Both:
    """Two watches of one thing; the second ends even if the first one fails to."""

    def __init__(self, outer: watching.Watch, inner: watching.Watch) -> None:
        self._outer = outer
        self._inner = inner

    def begin(self) -> None:
        """The outer one first."""
        self._outer.begin()
        self._inner.begin()

    def end(self, came: Any, error: Optional[BaseException]) -> None:
        """The inner one first."""
        try:
            self._inner.end(came, error)
        finally:
            self._outer.end(came, error)


class Watching:
    """What is turned on and off."""

    def __init__(self) -> None:
        self._metrics: Optional[Metrics] = None

    def start(self, tracer_provider: Any, meter_provider: Any, find_provider: Callable[[], None]) -> None:
        """By default with the providers of the process, which may be set later: `find_provider` looks for it."""
        tracer = trace.get_tracer(LIBRARY_NAME, __version__, tracer_provider, schema_url=SCHEMA_URL)
        self._metrics = metrics = metrics_of(meter_provider)
        metrics.start()
        watching.watch_with(OtelWatcher(tracer, metrics, find_provider))

    def stop(self) -> None:
        """The client is told to nobody from now on."""
        watching.watch_with(None)
        metrics, self._metrics = self._metrics, None
        if metrics is not None:
            metrics.stop()
