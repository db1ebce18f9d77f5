"""Async jobs: calls made in threads of our own for asyncio tasks; tasks that want the same share one call."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import deque
from collections.abc import Hashable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Callable, Generic, TypeVar

from ._background import Background, Job
from ._circuit_breaker import NEVER
from ._clock import SYSTEM_CLOCK, Clock
from ._flight import own_copy
from ._fork import renew_in_children
from ._http.budget import Budget
from .errors import ConfigurationError, ConnectionError, ScopeError, TimeoutError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

_Result = TypeVar("_Result")
_Call = Callable[[Budget], _Result]
MAX_READ_THREADS = 48
MAX_SHORT_READ_THREADS = 8


SECONDS_BETWEEN_ATTEMPTS = 0.003


class Pace:
    """Lets one attempt begin after another: if many threads wake at once, the event loop waits for all of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_at = NEVER
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def __call__(self, at_most: float | None) -> None:
        with self._lock:
            now = self._clock.now()
            pause = max(0.0, self._next_at - now)
            self._next_at = now + pause + SECONDS_BETWEEN_ATTEMPTS
        if pause:
            self._clock.sleep(pause if at_most is None else min(pause, at_most))


_pace = Pace(SYSTEM_CLOCK)  # of the process, whose threads all wait for one another


def _never(result: object) -> bool:
    return False


class Kind(Enum):
    """What a job waits for. Each kind has threads of its own, so that none of them waits for another."""

    READ = "read"
    """The platform."""
    SHORT = "short"
    """The platform for a moment at most: it has something else to give."""
    FALLBACK = "fallback"
    """A callable of the user's."""


class AsyncJobs:
    """The jobs that are under way; a forked child has none of its parent's."""

    def __init__(self) -> None:
        self._queues: dict[Kind, Background] = {}
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._by_key: dict[Hashable, _AsyncJob[Any]] = {}
        self._to_wake: dict[AbstractEventLoop, deque[Future[None]]] = {}

    def _queue(self, kind: Kind) -> Background:
        """Made with the first job: most programs have none."""
        with self._lock:
            if kind not in self._queues:
                most = MAX_SHORT_READ_THREADS if kind is Kind.SHORT else MAX_READ_THREADS
                name = f"scope-async-{kind.value}"
                self._queues[kind] = Background(max_jobs=sys.maxsize, max_threads=most, name=name, dropped=_drop)
            return self._queues[kind]

    async def share(
        self,
        key: Hashable,
        call: _Call[_Result],
        budget: Budget,
        *,
        kind: Kind = Kind.READ,
        gives_up: Callable[[_Result], bool] = _never,
    ) -> _Result:
        """The result of `call(budget)`, or of the call that another task has under way for this key.

        Args:
            key: What the call is for; None shares it with nobody.
            call: Made in a thread, in the context of the task that is the first to want it.
            budget: What this task may spend. A call gets that of the first task.
            kind: What the call waits for.
            gives_up: Whether a result is what a call gives at the end of its budget.

        Raises:
            ConfigurationError: No asyncio event loop runs here.
            BaseException: What the call raised; each task has its own copy of a ScopeError. What is not an Exception
                reaches one task, and the others make the call anew.
        """
        loop = running_loop()
        budget = budget.in_turn(_pace)
        is_late = False
        while True:
            future: Future[None] = loop.create_future()
            job = self._joined(None if is_late else key, call, budget, (future, loop), Kind.SHORT if is_late else kind)
            try:
                has_ended = await _ended(job, future, None if is_late else budget)
            finally:
                self._leave(job, future)
            if not has_ended:
                is_late = True  # what a call gives whose time is over: a stand-in, the last known good, or the error
            elif job.first is future or not job.is_of_its_first_alone(budget, gives_up):
                return job.outcome(future)

    def _joined(
        self,
        key: Hashable,
        call: _Call[_Result],
        budget: Budget,
        waiter: tuple[Future[None], AbstractEventLoop],
        kind: Kind,
    ) -> _AsyncJob[_Result]:
        mine: _AsyncJob[_Result] = _AsyncJob(self, key, call, budget, self._queue(kind))
        future, loop = waiter
        with self._lock:
            job = mine if key is None else self._by_key.setdefault(key, mine)
            job.waiters[future] = loop
        if not job.is_submitted:
            # At the loop's next turn: the threads take the interpreter from the tasks that are still to come in this
            # one. By each waiter, because the loop of the first one may be closed before.
            loop.call_soon(job.submit)
        return job

    def _leave(self, job: _AsyncJob[_Result], future: Future[None]) -> None:
        with self._lock:
            job.waiters.pop(future, None)

    def starts(self, job: _AsyncJob[Any]) -> bool:
        """False if nobody waits for it any more, or it was dropped."""
        with self._lock:
            job.is_running = bool(job.waiters) and not job.has_ended
        return job.is_running or self.ends(job)

    def ends(self, job: _AsyncJob[Any]) -> bool:
        """Wakes those who wait; always False."""
        with self._lock:
            if self._by_key.get(job.key) is job:
                del self._by_key[job.key]
            if job.has_ended:
                return False
            job.has_ended = True
            job.first = next(iter(job.waiters), None)
            by_loop: dict[AbstractEventLoop, list[Future[None]]] = {}
            for future, loop in job.waiters.items():
                by_loop.setdefault(loop, []).append(future)
        for loop, futures in by_loop.items():
            with contextlib.suppress(RuntimeError):  # it was closed meanwhile
                loop.call_soon_threadsafe(self._wake, loop, futures)
        return False

    def _wake(self, loop: AbstractEventLoop, futures: Iterable[Future[None]]) -> None:
        """One task a turn of the loop: what many do with their versions would hold everybody else up."""
        for closed in [each for each in list(self._to_wake) if each.is_closed()]:
            self._to_wake.pop(closed, None)
        waiting = self._to_wake.get(loop)
        if waiting is not None:
            waiting.extend(futures)
            return
        self._to_wake[loop] = deque(futures)
        self._wake_next(loop)

    def _wake_next(self, loop: AbstractEventLoop) -> None:
        waiting = self._to_wake[loop]
        while waiting:
            future = waiting.popleft()
            if not future.done():
                future.set_result(None)
                loop.call_soon(self._wake_next, loop)
                return
        del self._to_wake[loop]


class _AsyncJob(Generic[_Result]):
    __slots__ = (
        *("_call", "_context", "_error", "_jobs", "_queue", "_results", "budget", "first", "has_ended", "is_running"),
        *("is_submitted", "key", "waiters"),
    )

    def __init__(self, jobs: AsyncJobs, key: Hashable, call: _Call[_Result], budget: Budget, queue: Background) -> None:
        import contextvars

        self._jobs = jobs
        self._queue = queue
        self._call = call
        self._context = contextvars.copy_context()
        self._results: list[_Result] = []
        self._error: BaseException | None = None
        self.key = key
        self.budget = budget
        self.waiters: dict[Future[None], AbstractEventLoop] = {}
        self.first: Future[None] | None = None
        self.is_submitted = False
        self.is_running = False
        self.has_ended = False

    def submit(self) -> None:
        if self.is_submitted:
            return
        try:
            self.is_submitted = True
            self._queue.submit(self, self)
        except BaseException:  # an interrupt
            self.drop()
            raise

    def __call__(self) -> None:
        if not self._jobs.starts(self):
            return
        try:
            self._results.append(self._context.run(self._call, self.budget))
        except BaseException as error:  # noqa: BLE001  # it belongs to those who wait
            self._error = error
        self._jobs.ends(self)

    def drop(self) -> None:
        """Ends it without a call."""
        if not self.is_running:
            self._error = ConnectionError("the prompt could not be read: no thread could be started for it")
            self._jobs.ends(self)

    def is_of_its_first_alone(self, budget: Budget, gives_up: Callable[[_Result], bool]) -> bool:
        """Whether it ended as it did for the task that began it, and one with this budget has to ask again."""
        error = self._error
        if error is None or (isinstance(error, TimeoutError) and error.is_deadline):
            return budget.outlasts(self.budget) and (error is not None or gives_up(self._results[0]))
        return not isinstance(error, Exception)

    def outcome(self, future: Future[None]) -> _Result:
        error = self._error
        if error is None:
            return self._results[0]
        try:
            raise own_copy(error) if isinstance(error, ScopeError) and self.first is not future else error
        finally:
            del error, self  # a circle: its traceback has this frame


def _drop(job: Job) -> None:
    assert isinstance(job, _AsyncJob)
    job.drop()


async def _ended(job: _AsyncJob[Any], future: Future[None], budget: Budget | None) -> bool:
    """Waits for the end of the job; False if the budget is over first."""
    import asyncio

    while budget is not None and not future.done():
        left = _left(budget)
        if left is None or (left == 0.0 and job.is_running and not job.budget.outlasts(budget)):
            break  # nothing limits this task, or the call itself is about to end for the same reason
        if left == 0.0:
            return False
        await asyncio.wait([future], timeout=left)
    await future
    return True


def _left(budget: Budget) -> float | None:
    try:
        return budget.left()
    except TimeoutError:
        return 0.0


def running_loop() -> AbstractEventLoop:
    """That of asyncio in this thread; raises ConfigurationError if there is none."""
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "asynchronous reads need a running asyncio event loop (uvloop is one), and there is none here; "
            "under trio, write: await anyio.to_thread.run_sync(client.get_prompt_version, name)"
        ) from None
