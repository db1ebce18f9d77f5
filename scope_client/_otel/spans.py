"""Spans of ours: one around each question to the platform, and one around each purchase of a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

from opentelemetry import context, trace
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from .._attribute_names import ERROR_TYPE, ID_OF_PROMPT, ID_OF_VERSION, LABEL_ASKED_FOR, PROMPT_NAME
from .._attributes import facts_of
from .._error_facts import error_type
from .._foreign_text import printable
from .._prompt.prompt_version import PromptVersion
from ..errors import ScopeError
from .attached_context import Attached

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

    from .._prompt.ref import PromptRef

FETCH_SPAN = "scope.prompt.fetch"
TOKEN_SPAN = "scope.token"  # noqa: S105  # a name
PROMPT_ID_START = "prompt_"
_SET_OFF_BY = context.create_key("scope-set-off-by")
# Of the instrumentations; the API has no public name for them.
_SUPPRESSED = ("suppress_instrumentation", getattr(context, "_SUPPRESS_INSTRUMENTATION_KEY", ""))


def is_suppressed() -> bool:
    """Whether the caller wants no spans of libraries here (`suppress_instrumentation`)."""
    return any(context.get_value(key) for key in _SUPPRESSED)


def fail(span: Span, error: BaseException) -> None:
    """Marks a span with an error of ours, whose message is redacted; of a foreign one, with its class alone."""
    span.set_attribute(ERROR_TYPE, error_type(error))
    said = printable(str(error)) if isinstance(error, ScopeError) else None
    span.set_status(Status(StatusCode.ERROR, said))


class SpanAround:
    """A span that is the current one between `begin` and `end`."""

    def __init__(self, tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue]) -> None:
        self._tracer = tracer
        self._name = name
        self._attributes = attributes
        self._span: Optional[Span] = None
        self._attached = Attached()

    def begin(self) -> None:
        self._span = span = self._tracer.start_span(
            self._name,
            attributes=self._attributes,
            links=_links(),
            record_exception=False,
            set_status_on_exception=False,
        )
        self._attached.begin(trace.set_span_in_context(span))

    def end(self, came: Any, error: Optional[BaseException]) -> None:
        self._attached.end()
        span, self._span = self._span, None
        if span is None:
            return
        if error is not None:
            fail(span, error)
        elif isinstance(came, PromptVersion):
            span.set_attributes(facts_of(came))
        span.end()


def fetch_span(tracer: Tracer, ref: PromptRef) -> SpanAround:
    """Around a question to the platform. The version, with its name, is known at its end."""
    named = ID_OF_PROMPT if ref.name.startswith(PROMPT_ID_START) else PROMPT_NAME
    asked = {named: ref.name, LABEL_ASKED_FOR: ref.label, ID_OF_VERSION: ref.version}
    return SpanAround(tracer, FETCH_SPAN, {name: printable(value) for name, value in asked.items() if value})


def token_span(tracer: Tracer) -> SpanAround:
    """Around the purchase of a token."""
    return SpanAround(tracer, TOKEN_SPAN, {})


def carried_span() -> Optional[SpanContext]:
    """That of the reader who sets off a job in the background."""
    found = trace.get_current_span().get_span_context()
    return found if found.is_valid else None


class Behind:
    """A job in the background: what it does is a trace of its own, linked with the reader who set it off."""

    def __init__(self, set_off_by: Optional[SpanContext]) -> None:
        self._set_off_by = set_off_by
        self._attached = Attached()

    def begin(self) -> None:
        # An empty context: one that an instrumentation of threads hands on would put the job into the reader's trace.
        self._attached.begin(context.set_value(_SET_OFF_BY, self._set_off_by, context.Context()))

    def end(self, came: Any, error: Optional[BaseException]) -> None:
        self._attached.end()


def _links() -> list[Link]:
    """With the reader, for the first span of a job in the background."""
    set_off_by = context.get_value(_SET_OFF_BY)
    is_first = not trace.get_current_span().get_span_context().is_valid
    return [Link(set_off_by)] if is_first and isinstance(set_off_by, SpanContext) else []
