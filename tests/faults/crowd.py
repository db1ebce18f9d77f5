"""Many threads that do one thing at the same time."""

from __future__ import annotations

import gc
import sys
import threading
import time
from typing import Any, Callable

from faults.clock import eventually

PATIENCE = 20.0


class Crowd:
    """Runs `call` in each of `size` threads; their outcomes are its results, or what it raised."""

    def __init__(self, size: int, call: Callable[[], Any]) -> None:
        self._call = call
        self._barrier = threading.Barrier(size)
        self._under_way: set[int] = set()
        self._outcomes: list[Any] = []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def wait_until_waiting(self, count: int) -> None:
        """Until so many of the threads, in the midst of the call, wait for another thread."""
        eventually(lambda: sum(_waits(ident) for ident in list(self._under_way)) >= count)

    def stays_waiting(self) -> None:
        """For a moment of real time: none of the threads has come back."""
        time.sleep(0.05)
        assert all(thread.is_alive() for thread in self._threads)

    def outcomes(self) -> list[Any]:
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads), "a thread waits for ever"
        return self._outcomes

    def _run(self) -> None:
        self._barrier.wait(PATIENCE)
        self._under_way.add(threading.get_ident())
        try:
            outcome = self._call()
        except BaseException as error:
            outcome = error
        self._under_way.discard(threading.get_ident())
        self._outcomes.append(outcome)


def crowd(size: int, call: Callable[[], Any]) -> list[Any]:
    return Crowd(size, call).outcomes()


def in_a_thread(call: Callable[[], Any]) -> Any:
    """What `call` gives, or raises, in a thread of its own."""
    (outcome,) = crowd(1, call)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _frames() -> dict[int, Any]:
    """Without the garbage collector, which may switch threads while the interpreter holds its lock on them."""
    gc.disable()
    try:
        return sys._current_frames()
    finally:
        gc.enable()


def _waits(ident: int) -> bool:
    frame = _frames().get(ident)
    return frame is not None and frame.f_code.co_filename == threading.__file__ and frame.f_code.co_name == "wait"
