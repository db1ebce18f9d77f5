"""StoreDeadline: a time limit for a shared store that has none of its own, in calls that have one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any, Callable, TypeVar

from .._fork import renew_in_children
from .._http.budget import Budget

_Result = TypeVar("_Result")


class NoAnswerError(Exception):
    """The store may answer yet, but nobody waits for it."""


class StoreDeadline:
    def __init__(self) -> None:
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._here = threading.local()
        self._left_behind: threading.Thread | None = None

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
        """Seconds that the store has now, None if it has what it takes."""
        budget: Budget | None = getattr(self._here, "budget", None)
        if budget is None:
            return None
        left = budget.left() if budget.affords(0.0) else 0.0
        return None if left is None else left / 2

    def done_within(self, seconds: float, operation: Callable[[], _Result]) -> _Result:
        """The result of `operation`, which is done in a thread of its own.

        Raises NoAnswerError if it is not there in time. Of those that nobody waits for any longer there is one at a
        time.
        """
        if self._left_behind is not None and self._left_behind.is_alive():
            raise NoAnswerError("an earlier call still hangs")
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
            is_left_behind = not has_ended.wait(seconds)
        finally:
            if is_left_behind:
                self._left_behind = thread
        if is_left_behind:
            raise NoAnswerError(f"there was no answer within {seconds:.1f} seconds, half of what the call had left")
        return outcomes[0]()


def _raised(error: BaseException) -> Any:
    raise error
