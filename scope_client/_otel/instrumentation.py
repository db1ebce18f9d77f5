"""Instrumentation: what is on in this process, and what it takes to turn it on and off."""

from __future__ import annotations

import threading
from typing import Any, Optional

from .._fork import renew_in_children
from .._wording import shown
from ..errors import ConfigurationError
from .model_spans import ModelSpans
from .watcher import Watching


class Instrumentation:
    """A process has one of it. Each part has a `start` and a `stop`."""

    def __init__(self) -> None:
        self.is_on = False
        self._model_spans = ModelSpans()
        self._watching = Watching()
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        """A new lock, in a child."""
        self._lock = threading.Lock()

    def start(self, tracer_provider: Any = None, meter_provider: Any = None) -> bool:
        """False if it is on already, and nothing has changed.

        Raises:
            ConfigurationError: What was given is not a provider.
        """
        check_provider("tracer_provider", tracer_provider, "get_tracer", "TracerProvider")
        check_provider("meter_provider", meter_provider, "get_meter", "MeterProvider")
        with self._lock:
            if self.is_on:
                return False
            try:
                self._model_spans.start(tracer_provider)
                self._watching.start(tracer_provider, meter_provider, self._model_spans.find_provider)
                self.is_on = True
            finally:
                if not self.is_on:  # a provider has raised, and `stop` would do nothing
                    self._stop()
        return True

    def stop(self) -> bool:
        """False if it is not on."""
        with self._lock:
            if not self.is_on:
                return False
            self.is_on = False
            self._stop()
        return True

    def _stop(self) -> None:
        self._watching.stop()
        self._model_spans.stop()


def check_provider(option: str, provider: Optional[Any], method: str, kind: str) -> None:
    """Raises ConfigurationError for what is not a provider of OpenTelemetry."""
    if provider is not None and (isinstance(provider, type) or not callable(getattr(provider, method, None))):
        got = f"the class {shown(provider.__name__)}" if isinstance(provider, type) else type(provider).__name__
        raise ConfigurationError(f"{option} must be a {kind} of OpenTelemetry, got {got}")


instrumentation: Instrumentation = Instrumentation()
