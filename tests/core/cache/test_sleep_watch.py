"""Time that the wall clock counts and the monotonic one does not, by clocks that stand still."""

from __future__ import annotations

import pytest
from faults.clock import ManualClock

from scope_client._cache.sleep_watch import SleepWatch


@pytest.fixture
def watch(clock: ManualClock) -> SleepWatch:
    return SleepWatch(clock.clock)


@pytest.mark.parametrize(("gained", "told"), [(0.0, 0.0), (1.5, 0.0), (2.0, 2.0), (3.0, 3.0), (4500.0, 4500.0)])
def test_it_tells_of_what_the_wall_clock_gained_from_two_seconds_on(
    gained: float, told: float, watch: SleepWatch, clock: ManualClock
) -> None:
    clock.passes(60)
    clock.wall += gained
    assert watch.seconds_slept() == told


def test_it_tells_of_it_once(watch: SleepWatch, clock: ManualClock) -> None:
    clock.wall += 100
    assert [watch.seconds_slept(), watch.seconds_slept()] == [100, 0]


def test_short_sleeps_add_up(watch: SleepWatch, clock: ManualClock) -> None:
    told = []
    for _ in range(4):
        clock.wall += 1.5
        told.append(watch.seconds_slept())
    assert told == [0, 3, 0, 3]


def test_a_wall_clock_that_is_set_back_gains_nothing_and_is_the_measure_from_then_on(
    watch: SleepWatch, clock: ManualClock
) -> None:
    clock.wall -= 4500
    assert watch.seconds_slept() == 0
    clock.wall += 10
    assert watch.seconds_slept() == 10
