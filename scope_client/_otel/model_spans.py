"""Model spans: has those of other instrumentations carry the prompt, by a processor and a note of each rendering."""

from __future__ import annotations

import contextlib
import weakref
from typing import Any, Optional

from opentelemetry import trace

from .._log import Log
from .._prompt.in_use import last_rendered
from .._renderings import renderings
from .counted_reads import CountedReads
from .marks import PLAIN_MARKING
from .span_processor import PromptMarks

_log = Log("scope_client.otel")


class ModelSpans:
    """Turned on, it is connected to one provider: that which was given, or that of the process once it is set."""

    def __init__(self) -> None:
        self._counted_reads = CountedReads()
        self._processors: weakref.WeakKeyDictionary[Any, PromptMarks] = weakref.WeakKeyDictionary()
        self._processor: Optional[PromptMarks] = None
        self._waiting: list[object] = []  # a mark for whoever finds the provider, of several threads the first

    def start(self, provider: Any) -> None:
        last_rendered.set(None)  # by a caller that was watched before
        self._counted_reads.start()
        renderings.mark_with(PLAIN_MARKING)
        self._connect(trace.get_tracer_provider() if provider is None else provider)

    def stop(self) -> None:
        self._waiting.clear()
        renderings.mark_with(None)
        self._counted_reads.stop()
        if self._processor is not None:
            self._processor.is_on = False  # no provider lets a processor go
            self._processor = None

    def find_provider(self) -> None:
        """Connects to the provider of the process, if it was not set when this was turned on, and is now."""
        if not self._waiting:
            return
        provider = trace.get_tracer_provider()
        if isinstance(provider, trace.ProxyTracerProvider):
            return
        try:
            self._waiting.pop()
        except IndexError:
            return
        renderings.mark_with(PLAIN_MARKING)
        self._connect(provider)

    def _connect(self, provider: Any) -> None:
        if isinstance(provider, trace.ProxyTracerProvider):
            self._waiting.append(object())
            renderings.mark_with(PLAIN_MARKING._replace(last=_nothing, blocks=_nothing, note=self._note_and_look))
            return
        try:
            known = self._processors.get(provider)
        except TypeError:  # one of the user's own, which cannot be a key
            known = None
        if known is None:
            known = self._new_processor(provider)
        else:
            known.is_on = True
        self._processor = known

    def _new_processor(self, provider: Any) -> Optional[PromptMarks]:
        add = getattr(provider, "add_span_processor", None)
        if add is None:
            if not isinstance(provider, trace.NoOpTracerProvider):
                _log.warning(
                    "spans of models carry no prompt: the tracer provider, a %s, takes no span processors",
                    type(provider).__name__,
                )
            return None
        processor = PromptMarks()
        add(processor)
        with contextlib.suppress(TypeError):
            self._processors[provider] = processor
        return processor

    def _note_and_look(self, rendered: Any) -> None:
        last_rendered.set(rendered)
        self.find_provider()


def _nothing() -> None:
    pass
