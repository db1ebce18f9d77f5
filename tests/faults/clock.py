"""A clock that stands still until it is told, one that jumps, and two ways to watch the real one."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Callable

from scope_client import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator


class ManualClock:
    """Sleeping moves it on at once; `clock` is what a client takes."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.wall = 1_700_000_000.0
        self.chance = 1.0
        self.sleeps: list[float] = []
        self.on_sleep: Callable[[float], object] = lambda seconds: None
        self.clock = Clock(now=lambda: self.time, wall=lambda: self.wall, sleep=self._sleep, chance=lambda: self.chance)

    def passes(self, seconds: float) -> None:
        self.time += seconds
        self.wall += seconds

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.on_sleep(seconds)
        self.passes(seconds)


class JumpingClock:
    """It goes on by itself, and at once by what passes besides."""

    def __init__(self) -> None:
        self._passed = 0.0
        self.clock = Clock(now=lambda: time.perf_counter() + self._passed)

    def passes(self, seconds: float) -> None:
        self._passed += seconds


@contextlib.contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


def eventually(is_so: Callable[[], object], patience: float = 10.0) -> None:
    """Returns once it is so; for what another thread is about to do."""
    ends_at = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < ends_at, "waited in vain"
        time.sleep(0.005)
