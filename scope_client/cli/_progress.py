"""Progress: a bar on the terminal, once something has taken a second."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Callable

import click

from .._clock import SYSTEM_CLOCK

PROGRESS_AFTER_SECONDS = 1.0


class Progress:
    """A bar on standard error, if that is a terminal; `step` is told how far it is."""

    def __init__(self, label: str, *, now: Callable[[], float] = SYSTEM_CLOCK.now) -> None:
        self._label = label
        self._now = now
        self._began = now()
        self._bar: Any = None
        self._done = 0

    def step(self, done: int, total: int) -> None:
        """So many are done of so many."""
        if self._bar is None:
            if self._now() - self._began < PROGRESS_AFTER_SECONDS or sys.stderr is None or not sys.stderr.isatty():
                return
            self._bar = click.progressbar(length=total, label=self._label, file=sys.stderr, show_pos=True)
            self._bar.__enter__()
        self._bar.update(done - self._done)
        self._done = done

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
