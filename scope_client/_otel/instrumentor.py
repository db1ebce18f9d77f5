"""ScopeInstrumentor: what `opentelemetry-instrument` looks for, with its base class or without."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from .._log import Log
from .instrumentation import instrumentation

_log = Log("scope_client.otel")


class InstrumentorAlone:
    """The part of `BaseInstrumentor` that is needed, where `opentelemetry-instrumentation` is not installed."""

    @property
    def is_instrumented_by_opentelemetry(self) -> bool:
        """Whether it is on."""
        return instrumentation.is_on

    def instrument(self, **options: Any) -> None:
        """Turns it on; a second time is one warning."""
        options.pop("skip_dep_check", None)
        options.pop("raise_exception_on_conflict", None)
        self._instrument(**options)

    def uninstrument(self, **options: Any) -> None:
        """Turns it off; one warning if it is not on."""
        self._uninstrument(**options)

    def _instrument(self, **options: Any) -> None:
        raise NotImplementedError

    def _uninstrument(self, **options: Any) -> None:
        raise NotImplementedError


if TYPE_CHECKING:
    Base = InstrumentorAlone
else:
    try:
        from opentelemetry.instrumentation.instrumentor import BaseInstrumentor as Base
    except ImportError:
        Base = InstrumentorAlone


class ScopeInstrumentor(Base):
    """`ScopeInstrumentor().instrument()` is `scope_client.otel.instrument()`.

    It is OpenTelemetry's BaseInstrumentor where `opentelemetry-instrumentation` is installed, and works without, too.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: what is instrumented is the package that this class is in."""
        return ()

    def _instrument(self, **options: Any) -> None:
        if not instrumentation.start(options.get("tracer_provider"), options.get("meter_provider")):
            _log.warning("Scope is instrumented already: the second call of instrument() changed nothing")

    def _uninstrument(self, **options: Any) -> None:
        if not instrumentation.stop():
            _log.warning("Scope is not instrumented: uninstrument() changed nothing")
