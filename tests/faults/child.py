"""Forked children that do one thing, and what holds them up."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import threading
import warnings
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 10.0


class Child:
    """Runs `call` in a forked child; `outcome()` is its result, or raises what it raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._outcome, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of 3.12: other threads run
            self.pid = os.fork()
        if self.pid == 0:
            _end_with(call, writer)
        os.close(writer)

    def outcome(self) -> Any:
        pieces = []
        try:
            while not pieces or pieces[-1]:
                assert select.select([self._outcome], [], [], PATIENCE)[0], "the child hangs"
                pieces.append(os.read(self._outcome, 65536))
        finally:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self._outcome)
        outcome = pickle.loads(b"".join(pieces))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


@contextlib.contextmanager
def held(lock: Any) -> Iterator[None]:
    """Another thread has it, and is not done before the fork."""
    has_it, ended = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            has_it.set()
            ended.wait(PATIENCE * 2)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert has_it.wait(PATIENCE)
    yield
    ended.set()
    thread.join(PATIENCE)


def in_a_child(call: Callable[[], Any]) -> Any:
    return Child(call).outcome()


def _end_with(call: Callable[[], Any], writer: int) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(PATIENCE) * 2)  # whoever hangs ends by itself, a grandchild too
    try:
        try:
            outcome = call()
        except BaseException as error:
            outcome = error
        octets = memoryview(pickle.dumps(outcome))
        while octets:
            octets = octets[os.write(writer, octets) :]
    finally:
        os._exit(0)
