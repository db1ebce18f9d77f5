"""StoreDeadline: a time limit for a shared store that has none of its own, in calls that have one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any, Callable, TypeVar

from .._fork import renew_in_children
from .._http.budget import Budget

GRACE_SECONDS = 0.05

_Result = TypeVar("_Result")


class NoAnswerError(Exception):
    """The store may answer yet, but nobody waits for it."""


def _wait(has_ended: threading.Event, seconds: float) -> object:
    return has_ended.wait(seconds)


class StoreDeadline:
    def __init__(self, wait: Callable[[threading.Event, float], object] = _wait) -> None:
        self._wait = wait
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._here = threading.local()
        self._end_of_the_left_behind: threading.Event | None = None

    @contextlib.contextmanager
    def within(self, budget: Budget) -> Iterator[None]:
        """What this thread asks of the store meanwhile takes half of the time that the call has left, and no more."""
        before = getattr(self._here, "budget", None)
        self._here.budget = budget
        try:
            yield
        finally:
            self._here.budget = before

    def seconds(self) -> float | None:
        """Seconds that the store has now, None if it has what it takes.

        They are 0 while a call hangs that nobody waits for any longer: of those there is one at a time.
        """
        budget: Budget | None = getattr(self._here, "budget", None)
        if budget is None:
            return None
        left = budget.left() if budget.affords(0.0) else 0.0
        if left is None:
            return None
        hanging = self._end_of_the_left_behind
        return 0.0 if hanging is not None and not hanging.is_set() else left / 2

    def done_within(self, seconds: float, operation: Callable[[], _Result]) -> _Result:
        """The result of `operation`, which is done in a thread of its own.

        Raises NoAnswerError if it is not there in time. Where this process was stopped while it waited, its threads go
        on together: the grace is for a result that is on the way then.
        """
        outcomes: list[Callable[[], _Result]] = []
        has_ended = threading.Event()

        def work() -> None:
            try:
                result = operation()
                outcomes.append(lambda: result)
            except BaseException as error:  # noqa: BLE001  # for the thread that waits
                outcomes.append(partial(_raised, error))
            finally:
                has_ended.set()

        thread = threading.Thread(target=work, name="scope-store", daemon=True)
        thread.start()
        is_left_behind = True
        try:
            if not self._wait(has_ended, seconds):
                self._wait(has_ended, GRACE_SECONDS)
            is_left_behind = not has_ended.is_set()
        finally:
            if is_left_behind:
                self._end_of_the_left_behind = has_ended
        if is_left_behind:
            raise NoAnswerError(f"there was no answer within {seconds:.1f} seconds, half of what the call had left")
        return outcomes[0]()


def _raised(error: BaseException) -> Any:
    raise error
