"""Metrics: how reads are answered, how long the platform takes, and how the clients of this process are doing."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from .. import _watching as watching
from .._attribute_names import METHOD, READ_SOURCE, REQUEST_DURATION, TOKEN_EXPIRES_IN
from .._fork import renew_in_children
from .._status import Status
from .._version import __version__
from .counted_reads import hits
from .http_spans import outcome_of, server_of
from .library import LIBRARY_NAME, SCHEMA_URL

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter, MeterProvider

    from .._prompt.prompt_read import PromptRead
    from .._watching import Attempt

# As the conventions have it for http.client.request.duration.
DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
AGE_BUCKETS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0, 43_200.0, 86_400.0)
Key = tuple[tuple[str, Any], ...]


class Gauge(NamedTuple):
    """A number of each client; those of clients of one server make one number by `together`."""

    name: str
    unit: str
    description: str
    of: Callable[[Status], Optional[float]]
    together: Callable[[Iterable[float]], float]


READS = "scope.prompt.reads"
AGE = "scope.prompt.age"
GAUGES = (
    Gauge("scope.prompt.cached", "{version}", "Versions in memory.", lambda status: len(status.prompts), sum),
    Gauge(
        "scope.prompt.stale",
        "{version}",
        "Versions in memory that are past their end, and kept for an outage.",
        lambda status: sum(prompt.state == "stale" for prompt in status.prompts),
        sum,
    ),
    Gauge(
        "scope.platform.is_down",
        "1",
        "1 if the platform did not answer when it was last asked, else 0.",
        lambda status: int(status.is_down),
        max,
    ),
    Gauge(
        TOKEN_EXPIRES_IN,
        "s",
        "Seconds until the token ends; of several clients, until the first one does.",
        lambda status: status.token_expires_in,
        min,
    ),
)


class Metrics:
    """The instruments of one meter, which are there for good; while it is off they give nothing."""

    def __init__(self, meter: Meter) -> None:
        self._is_on = False
        self.after_fork()
        renew_in_children(self)
        meter.create_observable_counter(
            READS, [self._observe_reads], unit="{read}", description="Reads, by how they were answered."
        )
        self._age = _histogram(meter, AGE, "How old the version was that a read was answered with.", AGE_BUCKETS)
        self._duration = _histogram(
            meter,
            REQUEST_DURATION,
            "How long one request to the platform took, to the last byte of the answer.",
            DURATION_BUCKETS,
        )
        for gauge in GAUGES:
            meter.create_observable_gauge(
                gauge.name, [self._observer(gauge)], unit=gauge.unit, description=gauge.description
            )

    def after_fork(self) -> None:
        """A child counts its own reads alone."""
        self._lock = threading.RLock()
        self._reads: dict[str, int] = {}
        self._hits_before = hits()

    def start(self) -> None:
        """Goes on counting where it was stopped."""
        self._hits_before = hits()
        self._is_on = True

    def stop(self) -> None:
        """Gives nothing from now on."""
        self._is_on = False
        self._count("memory", hits() - self._hits_before)

    def read(self, found: PromptRead) -> None:
        """Counts a read that was not answered on the fast path."""
        self._count(found.source, 1)
        if found.age is not None:
            self._age.record(found.age, {READ_SOURCE: found.source})

    def attempt(self, attempt: Attempt, seconds: float, came: Any, error: Optional[BaseException]) -> None:
        """Records how long a request took."""
        attributes = {METHOD: attempt.method, **server_of(attempt.url), **outcome_of(came, error)}
        self._duration.record(seconds, attributes)

    def _count(self, source: str, reads: int) -> None:
        with self._lock:
            self._reads[source] = self._reads.get(source, 0) + reads

    def _observe_reads(self, options: CallbackOptions) -> Iterator[Observation]:
        if self._is_on:
            reads = dict(self._reads)
            reads["memory"] = reads.get("memory", 0) + hits() - self._hits_before
            yield from (Observation(count, {READ_SOURCE: source}) for source, count in reads.items())

    def _observer(self, gauge: Gauge) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(options: CallbackOptions) -> Iterator[Observation]:
            numbers: dict[Key, list[float]] = {}
            for client in watching.live_clients() if self._is_on else ():
                number = gauge.of(client.status())
                if number is not None:
                    numbers.setdefault(tuple(server_of(client.base_url).items()), []).append(number)
            for server, found in numbers.items():
                yield Observation(gauge.together(found), dict(server))

        return observe


class AttemptTimer:
    """Measures how long a request takes."""

    def __init__(self, of: Metrics, attempt: Attempt) -> None:
        self._metrics = of
        self._attempt = attempt
        self._began: Optional[float] = None

    def begin(self) -> None:
        """Looks at the clock."""
        self._began = time.perf_counter()

    def end(self, came: Any, error: Optional[BaseException]) -> None:
        """Records the seconds since."""
        began, self._began = self._began, None
        if began is not None:
            self._metrics.attempt(self._attempt, time.perf_counter() - began, came, error)


class _Made:
    """The instruments of each provider: to make them twice would lose what the second ones observe."""

    def __init__(self) -> None:
        self.of_provider: weakref.WeakKeyDictionary[MeterProvider, Metrics] = weakref.WeakKeyDictionary()
        self.of_process: Optional[Metrics] = None

    def of(self, given: Optional[MeterProvider]) -> Metrics:
        of_process = metrics.get_meter_provider()
        provider = of_process if given is None else given
        is_of_process = provider is of_process
        found = self._known(provider) or (self.of_process if is_of_process else None)
        if found is None:
            found = Metrics(provider.get_meter(LIBRARY_NAME, __version__, SCHEMA_URL))
            with contextlib.suppress(TypeError):
                self.of_provider[provider] = found
        if is_of_process:
            self.of_process = found
        return found

    def _known(self, provider: MeterProvider) -> Optional[Metrics]:
        try:
            return self.of_provider.get(provider)
        except TypeError:  # one of the user's own, which cannot be a key
            return None


_made = _Made()
metrics_of = _made.of


def _histogram(meter: Meter, name: str, description: str, buckets: Sequence[float]) -> Histogram:
    """Of seconds."""
    try:
        return meter.create_histogram(
            name, unit="s", description=description, explicit_bucket_boundaries_advisory=buckets
        )
    except TypeError:  # an API before 1.30, which takes no advice
        return meter.create_histogram(name, unit="s", description=description)
