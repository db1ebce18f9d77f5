"""What is done while readers go on: a queue of jobs, and a few daemon threads."""

from __future__ import annotations

import _thread
import heapq
import itertools
import threading
from collections.abc import Hashable
from typing import Callable

from ._error_facts import error_facts
from ._fork import renew_in_children
from ._interrupts import pass_on
from ._log import Log

_log = Log("scope_client.background")
MAX_THREADS = 4
IDLE_THREAD_SECONDS = 5.0
MAX_QUEUED_JOBS = 1000
THREAD_NAME = "scope-background"

Job = Callable[[], object]


def _forget(job: Job) -> None:
    pass


class Background:
    """Jobs by key, one of a key at a time, the one that is needed first before the others.

    A thread is there only while there is something to do. `by_key` has the jobs that wait and those that run; to read
    it takes no lock.

    Args:
        max_jobs: How many jobs may wait; those past it are refused.
        max_threads: How many jobs may run at once.
        name: What the threads are called.
        dropped: Called with each job that was taken and cannot be done, because its thread did not start.
    """

    def __init__(
        self,
        *,
        max_jobs: int = MAX_QUEUED_JOBS,
        max_threads: int = MAX_THREADS,
        name: str = THREAD_NAME,
        dropped: Callable[[Job], object] = _forget,
    ) -> None:
        self._max_jobs = max_jobs
        self._max_threads = max_threads
        self._name = name
        self._dropped = dropped
        self.after_fork()
        renew_in_children(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._jobs: list[tuple[float, int, Hashable, Job]] = []  # a heap
        self._numbers = itertools.count()
        self.by_key: dict[Hashable, Job] = {}
        self._running = 0
        self._threads: set[object] = set()  # a mark for each that is at work, or about to be started
        self._idle = 0
        self._starting: object = None  # the mark of the thread that is being started

    @property
    def is_idle(self) -> bool:
        """Whether no job runs and none waits."""
        return not self.by_key

    @property
    def is_full(self) -> bool:
        """Whether each thread that there may be is at a job, so that others have to wait."""
        return self._running >= self._max_threads

    @property
    def threads(self) -> int:
        """How many threads there are, at a job or waiting for one."""
        return len(self._threads)

    def submit(self, key: Hashable, job: Job, *, needed_at: float = 0.0) -> bool:
        """False if it cannot be done: the queue is full, or no thread can be started.

        Of the jobs that wait, the one with the least `needed_at` is done first.
        """
        # The lock, which the condition has too: a signal handler may raise in Condition.__enter__, with it taken.
        with self._lock:
            if key in self.by_key:
                return True
            if len(self._jobs) >= self._max_jobs:
                return False
            heapq.heappush(self._jobs, (needed_at, next(self._numbers), key, job))
            self.by_key[key] = job
            if self._idle:
                self._changed.notify()
            mark = self._mark_of_one_more()
        return mark is None or self._start(mark)

    def _mark_of_one_more(self) -> object | None:
        """Of the thread to start, if there is to be one more: one after another, or many would wake at once."""
        if self._idle >= len(self._jobs) or self._starting or len(self._threads) >= self._max_threads:
            return None
        self._starting = mark = object()
        self._threads.add(mark)
        return mark

    def _start(self, mark: object) -> bool:
        # A bare thread: Thread.start waits until the new one runs, for which a reader has no time.
        try:
            _thread.start_new_thread(self._start_named, (mark,))
        except RuntimeError as error:  # no more threads, or the interpreter is on its way out
            has_others = self._has_threads_beside(mark)
            pass_on(error)
            _log.debug("no thread could be started: %s", error, facts=error_facts(error))
            return has_others
        except BaseException:  # an interrupt
            self._has_threads_beside(mark)
            raise
        return True

    def _start_named(self, mark: object) -> None:
        try:
            threading.Thread(target=self._work, args=(mark,), name=self._name, daemon=True).start()
        except Exception as error:  # noqa: BLE001  # there is nobody to tell
            self._has_threads_beside(mark)
            _log.debug("no thread could be started: %s", error, facts=error_facts(error))

    def _has_threads_beside(self, mark: object) -> bool:
        """Takes back the thread that did not start; if there is no other, its jobs are dropped."""
        dropped: list[Job] = []
        with self._lock:
            self._threads.discard(mark)
            self._has_started(mark)
            has_others = bool(self._threads)
            if not has_others:
                dropped = [job for _, _, _, job in self._jobs]
                self._jobs.clear()
                self.by_key.clear()
        for job in dropped:
            self._dropped(job)
        return has_others

    def _work(self, mark: object) -> None:
        with self._lock:
            self._threads.add(mark)  # once more: an interrupt of its start may have taken it back
        while True:
            todo = self._next(mark)
            if todo is None:
                return
            self._do(*todo)
            del todo  # or a thread that waits would keep the client of its last job alive

    def _next(self, mark: object) -> tuple[Hashable, Job] | None:
        """None if there was nothing to do for a while: the thread is no longer counted then."""
        with self._changed:
            self._has_started(mark)
            self._idle += 1
            self._changed.wait_for(lambda: bool(self._jobs), IDLE_THREAD_SECONDS)
            self._idle -= 1
            if not self._jobs:
                self._threads.discard(mark)
                return None
            _, _, key, job = heapq.heappop(self._jobs)
            self._running += 1
            one_more = self._mark_of_one_more()
        if one_more is not None:
            self._start(one_more)
        return key, job

    def _has_started(self, mark: object) -> None:
        if self._starting is mark:
            self._starting = None

    def _do(self, key: Hashable, job: Job) -> None:
        try:
            job()
        except BaseException:  # noqa: BLE001  # a callback of the user's, which may even exit
            _log.exception("what was done in the background failed")
        finally:
            with self._changed:
                self._running -= 1
                self.by_key.pop(key, None)
