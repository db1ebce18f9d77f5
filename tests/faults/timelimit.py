"""A time limit of the caller's: a signal handler that raises, as those of task queues do."""

from __future__ import annotations

import signal
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class TimeLimit:
    """Within it, `error` is raised in the middle of whatever the main thread is at: after so many seconds, if any.

    `has_struck` tells whether it was.
    """

    def __init__(self, error: BaseException, seconds: float = 0.0) -> None:
        self.error = error
        self.has_struck = False
        self._seconds = seconds

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGALRM, self._handle)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def strikes(self, *_: object, **__: object) -> None:
        """Now."""
        signal.raise_signal(signal.SIGALRM)

    def _handle(self, number: int, interrupted: FrameType | None) -> None:
        self.has_struck = True
        raise self.error
