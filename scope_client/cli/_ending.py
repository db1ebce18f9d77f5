"""The end of a command by a signal: SIGTERM ends it at once, also as the first process of a container."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket

KILLED_EXIT_CODE = 128 + signal.SIGTERM
_STDOUT = 1


def end_on_sigterm(exit_code: int = KILLED_EXIT_CODE, last_words: str = "") -> None:
    """From here on SIGTERM has these words printed, and ends the process, whatever its threads are doing.

    Linux drops a SIGTERM for the first process of a container unless the process has a handler of its own. An
    exception in place of the exit could be lost in a callback, or wait for a connection.
    """

    def end(*_: object) -> None:
        _write(last_words.encode())
        os._exit(exit_code)

    with contextlib.suppress(ValueError):  # only the main thread may set a handler
        signal.signal(signal.SIGTERM, end)


def wait_for_a_signal() -> None:
    """Waits until a signal has come, and its handler has run.

    A `time.sleep` would not do: a signal that comes while it gives up Python's lock is noticed when it ends.
    """
    woken, waker = socket.socketpair()
    with woken, waker:
        waker.setblocking(False)
        before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        try:
            woken.recv(1)
        finally:
            signal.set_wakeup_fd(before)


def _write(octets: bytes) -> None:
    """Without Python's buffer, which the interrupted code may be writing to; and not if nobody reads what is there."""
    with contextlib.suppress(OSError, ValueError):
        if select.select([], [_STDOUT], [], 0)[1]:
            os.write(_STDOUT, octets)
