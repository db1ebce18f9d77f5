"""The clock: time and chance are parameters, and by default those of the system."""

from __future__ import annotations

import random
import time

import pytest

from scope_client import Clock


def test_by_default_it_is_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, slept = Clock(), []
    assert clock.now is time.perf_counter
    assert abs(clock.wall() - time.time()) < 60
    monkeypatch.setattr(time, "sleep", slept.append)
    clock.sleep(1.5)
    assert slept == [1.5]
    assert all(0 <= clock.chance() < 1 for _ in range(100))


def test_what_other_programs_replace_for_a_while_is_looked_up_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "time", lambda: 7.0)
    assert clock.wall() == 7.0


def test_the_time_that_waits_are_measured_by_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", lambda: -1.0)
    assert clock.now() > 0


def test_workers_that_seed_alike_have_a_chance_of_their_own() -> None:
    drawn = []
    for _ in range(2):
        random.seed(42)
        drawn.append([Clock().chance() for _ in range(4)])
    assert drawn[0] != drawn[1]


def test_chance_leaves_the_programs_own_sequence_alone() -> None:
    random.seed(42)
    alone = [random.random() for _ in range(3)]
    random.seed(42)
    beside = []
    for _ in range(3):
        Clock().chance()
        beside.append(random.random())
    assert beside == alone


def test_it_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Clock().now = time.time
