"""The clock: time and chance are parameters, and by default those of the system."""

from __future__ import annotations

import random
import time

import pytest

from scope_client import Clock


def test_by_default_it_is_the_systems() -> None:
    clock = Clock()
    assert (clock.now, clock.wall, clock.sleep) == (time.monotonic, time.time, time.sleep)
    assert all(0 <= clock.chance() < 1 for _ in range(100))


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
