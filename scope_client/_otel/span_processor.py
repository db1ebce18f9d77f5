"""The span processor that puts the prompt on the spans of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Optional

from opentelemetry.trace import SpanKind

from .._attribute_names import PROMPT_NAME, PROMPT_VERSION
from .._interrupts import pass_on
from .._log import Log
from .._prompt.in_use import last_rendered
from .http_spans import number_attempt
from .marks import Mark, mark
from .model_calls import is_of_a_model, is_of_an_agent, said_to_be_of_a_model

_log = Log("scope_client.otel")
MAX_JOBS_INSIDE_ONE_ANOTHER = 100
KINDS_OF_JOBS = (SpanKind.SERVER, SpanKind.CONSUMER)
KINDS_OF_MODEL_CALLS = (SpanKind.INTERNAL, SpanKind.CLIENT)


class Job:
    """What a root span stands for: what is rendered in it is not for the next one.

    `before` is what was rendered last when it started; `outer` the job in whose context it started.
    """

    __slots__ = ("before", "depth", "is_over", "outer")

    def __init__(self, before: Any, outer: Optional[Job]) -> None:
        self.before = before
        self.is_over = False
        self.depth: int = 0 if outer is None or outer.depth > MAX_JOBS_INSIDE_ONE_ANOTHER else outer.depth + 1
        self.outer = outer if self.depth else None  # of jobs that never end, not all are kept


_job: ContextVar[Optional[Job]] = ContextVar("scope_prompts_job", default=None)


class PromptMarks:
    """A SpanProcessor in all but its class, which only the SDK has. One that is turned off does nothing.

    What a span is for is decided when it starts, and written just before it ends: instrumentations may say late that it
    is of a model, or what its prompt is called. Processors are told too late to change a span, so its `end` does it.
    """

    def __init__(self) -> None:
        self.is_on = True
        self._has_failed = False

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Remembers what the span is for, if it may be of a model."""
        if not self.is_on:
            return
        try:
            number_attempt(span, parent_context)
            self._start(span)
        except Exception as error:  # noqa: BLE001  # whatever a span is made of, the program's own call goes on
            self._failed(error)

    def on_end(self, span: Any) -> None:
        """Nothing: the span cannot be changed any more."""

    def _on_ending(self, span: Any) -> None:
        """Nothing, as in `on_end`."""

    def shutdown(self) -> None:
        """Nothing: there is nothing to close."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing waits here."""
        return True

    def _start(self, span: Any) -> None:
        attributes: Mapping[str, Any] = span.attributes or {}
        said = said_to_be_of_a_model(attributes)
        may_be_of_a_model = said is not False or is_of_an_agent(attributes)
        job = None if said else _new_job(span)
        found = None
        if may_be_of_a_model and span.kind in KINDS_OF_MODEL_CALLS and PROMPT_NAME not in attributes:
            found = mark()
        if job is not None or found is not None:
            self._before_its_end(span, job, found)

    def _before_its_end(self, span: Any, job: Optional[Job], found: Optional[Mark]) -> None:
        plain_end: Callable[..., None] = type(span).end

        def end(*args: Any, **kwargs: Any) -> None:
            span.__dict__.pop("end", None)
            try:
                if found is not None and self.is_on:
                    _put(span, span.attributes or {}, found)
                if job is not None:
                    _end_job(job)
            except Exception as error:  # noqa: BLE001  # as above
                self._failed(error)
            plain_end(span, *args, **kwargs)

        span.end = end

    def _failed(self, error: Exception) -> None:
        pass_on(error)
        if not self._has_failed:
            self._has_failed = True
            _log.exception("a span could not be given its prompt; this is logged once")


def _put(span: Any, attributes: Mapping[str, Any], found: Mark) -> None:
    """Gives a span its prompt, if it is of a model, and its instrumentation has not named another prompt.

    In a block it is the block's, whatever the instrumentation says.
    """
    facts = found.facts
    # An agent may render in its run: what was rendered before that need not be for it, but a block says so.
    is_of_its_agent = found.is_exact and is_of_an_agent(attributes)
    if PROMPT_NAME not in facts or not (is_of_a_model(attributes) or is_of_its_agent):
        return
    other = [name for name in (PROMPT_NAME, PROMPT_VERSION) if attributes.get(name, facts.get(name)) != facts.get(name)]
    if not other or (found.is_exact and all(name in facts for name in other)):
        span.set_attributes(facts)


def _new_job(span: Any) -> Optional[Job]:
    """The job that begins with a span: one without a parent here, or one that serves somebody else."""
    parent = span.parent
    serves = span.kind in KINDS_OF_JOBS
    if not serves and parent is not None and not parent.is_remote:
        return None
    job = Job(last_rendered.get(), _job.get())
    _job.set(job)
    if serves:
        last_rendered.set(None)
    return job


def _end_job(job: Job) -> None:
    """Puts back what was rendered last before it, if it ends where it began, and all within it are over."""
    job.is_over = True
    here = current = _job.get()
    while here is not None and here is not job:
        here = here.outer
    if here is None:
        return
    while current is not None and current.is_over:
        last_rendered.set(current.before)
        current = current.outer
    _job.set(current)
