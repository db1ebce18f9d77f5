"""What one call may spend, by a clock that stands still."""

from __future__ import annotations

import math
from functools import partial

import pytest
from faults.clock import ManualClock

from scope_client import NotFoundError, TimeoutError
from scope_client._http.budget import Budget, is_overrun

SAID = "the prompt was not there within the 10 s that the call had"


@pytest.fixture
def ten_seconds(clock: ManualClock) -> Budget:
    return Budget(clock.clock.now, 10)


@pytest.fixture
def unlimited(clock: ManualClock) -> Budget:
    return Budget(clock.clock.now)


def test_what_is_left_goes_down_as_time_passes_and_from_the_very_end_on_is_an_error(
    ten_seconds: Budget, clock: ManualClock
) -> None:
    assert ten_seconds.left() == 10
    clock.passes(9.5)
    assert ten_seconds.left() == 0.5
    clock.passes(0.5)
    with pytest.raises(TimeoutError) as caught:
        ten_seconds.left()
    assert caught.value.is_deadline


def test_a_call_without_an_end_affords_everything(unlimited: Budget, clock: ManualClock) -> None:
    clock.passes(1e9)
    assert unlimited.left() is None
    assert unlimited.for_attempt(5) == (5, math.inf)
    assert unlimited.affords(1e9)


@pytest.mark.parametrize(("seconds", "left"), [(1e6 - 1, 1e6 - 1), (1e6, 1e6), (1e6 + 1, 1e6), (1e300, 1e6)])
def test_what_is_left_is_never_more_than_a_lock_can_wait(seconds: float, left: float, clock: ManualClock) -> None:
    assert Budget(clock.clock.now, seconds).left() == left


@pytest.mark.parametrize(
    ("passed", "timeout", "granted"),
    [
        (0, 5, (5, 10)),
        (5, 5, (5, 5)),
        (7, 5, (3, 3)),
        (9.5, 5, (0.5, 0.5)),
        (0, 10.5, (10, 10)),
    ],
)
def test_an_attempt_gets_its_time_limit_unless_that_is_all_that_is_left(
    passed: float, timeout: float, granted: tuple[float, float], ten_seconds: Budget, clock: ManualClock
) -> None:
    clock.passes(passed)
    assert ten_seconds.for_attempt(timeout) == granted


@pytest.mark.parametrize(("timeout", "granted"), [(5, 2), (2, 2), (1, 1)])
def test_an_attempt_gets_no_more_than_the_budget_grants_one(timeout: float, granted: float, clock: ManualClock) -> None:
    assert Budget(clock.clock.now, attempt=2).for_attempt(timeout) == (granted, math.inf)
    assert Budget(clock.clock.now, 10, attempt=2).for_attempt(timeout) == (granted, 10)


def test_an_attempt_gets_nothing_once_the_time_is_over(ten_seconds: Budget, clock: ManualClock) -> None:
    clock.passes(10)
    with pytest.raises(TimeoutError):
        ten_seconds.for_attempt(5)


def test_a_pause_is_afforded_only_if_time_is_left_after_it(ten_seconds: Budget, clock: ManualClock) -> None:
    assert ten_seconds.affords(9.5)
    assert not ten_seconds.affords(10)
    clock.passes(5)
    assert ten_seconds.affords(4.5)
    assert not ten_seconds.affords(5)


def test_a_part_of_a_budget_ends_after_its_own_seconds(ten_seconds: Budget, unlimited: Budget) -> None:
    for whole in (ten_seconds, unlimited):
        part = whole.at_most(4)
        assert (part.left(), part.seconds) == (4, 4)
    assert ten_seconds.left() == 10


@pytest.mark.parametrize("seconds", [5, 8, 20])
def test_a_part_of_a_budget_never_outlasts_the_whole_and_tells_of_the_whole(
    seconds: float, ten_seconds: Budget, clock: ManualClock
) -> None:
    clock.passes(5)
    part = ten_seconds.at_most(seconds)
    assert (part.left(), part.seconds) == (5, 10)


def test_a_part_of_a_budget_has_its_time_for_an_attempt_and_its_retries_unless_others_are_given(
    clock: ManualClock,
) -> None:
    whole = Budget(clock.clock.now, 10, attempt=2, retries=3)
    assert [(part.attempt, part.retries) for part in (whole, whole.at_most(4))] == [(2, 3)] * 2
    assert whole.at_most(4, retries=0).retries == 0
    assert Budget(clock.clock.now).at_most(4).retries is None


def test_a_watched_budget_is_the_same_and_says_when_nothing_was_heard(clock: ManualClock) -> None:
    said: list[str] = []
    whole = Budget(clock.clock.now, 10.0, attempt=2.0, retries=1)
    clock.passes(4)
    watched = whole.watched(lambda: said.append("nothing"))
    whole.heard_nothing()
    assert said == []
    watched.heard_nothing()
    assert said == ["nothing"]
    assert (watched.left(), watched.seconds, watched.attempt, watched.retries) == (6.0, 10.0, 2.0, 1)
    assert Budget(clock.clock.now).watched(said.clear).left() is None


def test_the_error_says_how_long_the_call_had(ten_seconds: Budget, clock: ManualClock) -> None:
    clock.passes(10)
    error = ten_seconds.overdrawn()
    assert (str(error), error.is_deadline, error.__cause__) == (SAID, True, None)
    assert "the 0.25 s that" in str(Budget(clock.clock.now, 0.25).overdrawn())


def test_the_error_of_a_call_that_has_time_left_says_that_it_is_too_short(
    ten_seconds: Budget, clock: ManualClock
) -> None:
    clock.passes(9.9)
    assert str(ten_seconds.overdrawn()) == "the 10 s that the call had leave no time for another attempt"


def test_the_error_has_the_facts_of_the_last_attempt(ten_seconds: Budget, clock: ManualClock) -> None:
    clock.passes(10)
    last = NotFoundError("it is not there", http_status=404, http_body="{}", error_code="gone", request_id="r-1")
    error = ten_seconds.overdrawn(last)
    assert (str(error), error.is_deadline, error.__cause__) == (f"{SAID}; the last attempt: {last}", True, last)
    assert (error.http_status, error.http_body, error.error_code, error.request_id) == (404, "{}", "gone", "r-1")


@pytest.mark.parametrize(("late_by", "is_overrun"), [(0.0, False), (1.0, False), (1.001, True)])
def test_the_error_tells_of_a_process_that_was_stopped_meanwhile(
    late_by: float, is_overrun: bool, ten_seconds: Budget, clock: ManualClock
) -> None:
    clock.passes(10 + late_by)
    with pytest.raises(TimeoutError) as caught:
        ten_seconds.left()
    assert caught.value.is_overrun is is_overrun
    assert ten_seconds.overdrawn(NotFoundError("no")).is_overrun is is_overrun


def test_a_call_whose_time_was_over_before_it_asked_was_kept_from_asking(
    ten_seconds: Budget, clock: ManualClock
) -> None:
    clock.passes(10)
    with pytest.raises(TimeoutError, match=f"^{SAID}$") as caught:
        ten_seconds.for_attempt(5)
    assert caught.value.is_overrun
    assert caught.value.is_deadline


def test_one_that_has_asked_or_waits_for_others_was_not(ten_seconds: Budget, clock: ManualClock) -> None:
    ten_seconds.for_attempt(5)
    clock.passes(10)
    for ask in (partial(ten_seconds.for_attempt, 5), Budget(clock.clock.now, 0).left):
        with pytest.raises(TimeoutError) as caught:
            ask()
        assert not caught.value.is_overrun


def test_an_overrun_is_found_behind_the_errors_that_it_led_to() -> None:
    error, cause = NotFoundError("no token"), NotFoundError("why")
    error.__cause__ = cause
    assert not is_overrun(error)
    cause.__cause__ = TimeoutError("late", is_overrun=True)
    assert is_overrun(error)


def test_errors_that_are_the_causes_of_each_other_are_looked_through_once() -> None:
    error, cause = NotFoundError("no token"), NotFoundError("why")
    error.__cause__, cause.__cause__ = cause, error
    assert not is_overrun(error)
