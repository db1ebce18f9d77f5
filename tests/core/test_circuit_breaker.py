"""The circuit breaker: closed, open, half open; how its pauses grow, and who may ask."""

from __future__ import annotations

import math

import pytest
from faults.clock import ManualClock

from scope_client._circuit_breaker import Circuit, CircuitBreaker, Pauses

PAUSES = Pauses(first=1.0, longest=8.0)


@pytest.fixture
def breaker(clock: ManualClock) -> CircuitBreaker:
    return CircuitBreaker(clock.clock, PAUSES)


def fails(breaker: CircuitBreaker, clock: ManualClock) -> float:
    """One failure, after the pause; the seconds of the pause that follows."""
    clock.passes(max(0.0, breaker.ask_at - clock.time) if math.isfinite(breaker.ask_at) else 0.0)
    breaker.failed()
    return breaker.ask_at - clock.time


def test_it_is_closed_until_something_fails(breaker: CircuitBreaker) -> None:
    assert breaker.circuit is Circuit.CLOSED
    assert [breaker.claim() for _ in range(3)] == [True] * 3
    assert breaker.circuit is Circuit.CLOSED


def test_it_is_open_for_a_pause_and_then_half_open(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.failed()
    assert breaker.circuit is Circuit.OPEN
    assert not breaker.claim()
    clock.passes(0.999)
    assert breaker.circuit is Circuit.OPEN
    clock.passes(0.001)
    assert breaker.circuit is Circuit.HALF_OPEN


def test_of_many_who_find_it_half_open_one_may_ask(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.failed()
    clock.passes(1.0)
    assert [breaker.claim() for _ in range(4)] == [True, False, False, False]
    assert breaker.circuit is Circuit.OPEN
    clock.passes(1.0)
    assert breaker.claim()


def test_each_failure_doubles_the_pause_up_to_the_longest(breaker: CircuitBreaker, clock: ManualClock) -> None:
    assert [fails(breaker, clock) for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert breaker.failures == 6


def test_a_thousand_failures_do_not_overflow(breaker: CircuitBreaker) -> None:
    assert Pauses(first=1.0, longest=1e9).after(100_000) == 1024.0
    assert PAUSES.after(100_000) == 8.0


def test_the_pause_is_jittered_down_to_half_of_it(breaker: CircuitBreaker, clock: ManualClock) -> None:
    clock.chance = 0.0
    assert fails(breaker, clock) == 0.5
    clock.chance = 0.5
    assert fails(breaker, clock) == pytest.approx(1.5)


def test_failures_at_the_same_time_count_as_one(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.failed()
    clock.passes(0.49)
    breaker.failed()
    assert breaker.failures == 1
    clock.passes(0.5)
    breaker.failed()
    assert breaker.failures == 2


def test_a_failure_puts_the_next_attempt_off_and_never_ahead(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.failed(asked_to_wait=30.0)
    first = breaker.ask_at
    assert first == clock.time + 30.0
    clock.passes(1.0)
    breaker.failed()
    assert breaker.ask_at == first
    clock.passes(1.0)
    breaker.failed(asked_to_wait=60.0)
    assert breaker.ask_at == clock.time + 60.0


def test_the_pause_is_at_least_its_own(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.failed(asked_to_wait=0.1)
    assert breaker.ask_at == clock.time + 1.0


def test_what_works_again_closes_it_and_begins_anew(breaker: CircuitBreaker, clock: ManualClock) -> None:
    for _ in range(3):
        fails(breaker, clock)
    assert breaker.worked()
    assert breaker.circuit is Circuit.CLOSED
    assert breaker.claim()
    assert not breaker.worked()
    assert fails(breaker, clock) == 1.0
    assert breaker.failures == 1


def test_one_failure_opens_it_and_one_success_closes_it(breaker: CircuitBreaker) -> None:
    breaker.failed()
    assert breaker.worked()
    breaker.failed()
    assert breaker.failures == 1
    assert breaker.circuit is Circuit.OPEN


def test_a_pause_can_be_ended_and_the_circuit_stays_half_open(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.failed(asked_to_wait=60.0)
    breaker.may_be_asked()
    assert breaker.circuit is Circuit.HALF_OPEN
    assert breaker.failures == 1
    assert breaker.claim()
    assert not breaker.claim()
