"""OpenTelemetry: spans and metrics of the client's own, and the prompt on the spans of models."""

from typing import Any, Optional, Union

from . import _public_names as _public
from ._extras import missing_extra

try:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        missing_extra("scope_client.otel", ("opentelemetry",), "otel", _error), name=_error.name
    ) from _error

from ._otel.instrumentor import ScopeInstrumentor
from ._otel.marks import attributes_of
from ._prompt.prompt_version import PromptVersion

__all__ = ["ScopeInstrumentor", "instrument", "prompt_attributes", "uninstrument"]


def instrument(
    tracer_provider: Optional[TracerProvider] = None, meter_provider: Optional[MeterProvider] = None
) -> None:
    """Has the spans of models carry the prompt that is in use, and makes spans and metrics of the client's own.

    It holds for all clients of the process, whenever they were made. `ScopeInstrumentor().instrument()` is the same,
    and what `opentelemetry-instrument` calls. A second call changes nothing, and logs one warning.

    Args:
        tracer_provider: Of the SDK; by default that of the process, also if it is set later.
        meter_provider: Of the SDK; by default that of the process, also if it is set later.

    Raises:
        ConfigurationError: What was given is not a provider.
    """
    ScopeInstrumentor().instrument(tracer_provider=tracer_provider, meter_provider=meter_provider, skip_dep_check=True)


def uninstrument() -> None:
    """Ends what `instrument` began. If nothing is to be ended, it logs one warning."""
    ScopeInstrumentor().uninstrument()


def prompt_attributes(version: PromptVersion) -> dict[str, Union[str, bool]]:
    """The attributes that the span of a model carries, for spans of your own: `span.set_attributes(...)`.

    `scope.prompt.source` and `scope.prompt.label` are among them if this thread or task has read the version itself
    while `instrument()` was on. Values of variables and the text are not.

    Args:
        version: The version.

    Returns:
        The values by name, each text or a bool; without those that are not known.

    Raises:
        TypeError: It is not a version.
    """
    given: Any = version
    if not isinstance(given, PromptVersion):
        raise TypeError(f"prompt_attributes takes a PromptVersion, got {type(given).__name__}")
    return attributes_of(version)


_public.publish(__name__, __all__)
