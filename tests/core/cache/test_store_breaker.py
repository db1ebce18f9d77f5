"""The circuit breaker of a store: what is an answer, what is a failure, and which answers are slow."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable

import pytest
from faults.crowd import Crowd
from faults.reading import warnings

from scope_client._cache.store_breaker import StoreBreaker
from scope_client._cache.store_deadline import NoAnswerError, StoreDeadline
from scope_client._http.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.clock import ManualClock


@pytest.fixture
def breaker(clock: ManualClock) -> StoreBreaker:
    return StoreBreaker(clock.clock)


@pytest.fixture
def ask(breaker: StoreBreaker, clock: ManualClock) -> Callable[..., str]:
    """What comes of an operation that takes so many seconds, or raises."""

    def ask(takes: float = 0.0, what: str = "find", raises: Exception | None = None) -> str:
        def operation() -> str:
            clock.passes(takes)
            if raises is not None:
                raise raises
            return "found"

        return breaker.attempt(what, operation, "otherwise")

    return ask


class TestSlow:
    def test_is_not_what_has_answered_nothing_yet(self, breaker: StoreBreaker) -> None:
        assert not breaker.is_slow

    @pytest.mark.parametrize(("takes", "is_slow"), [(0.049, False), (0.05, False), (0.051, True)])
    def test_is_whose_last_answer_a_reader_would_notice(
        self, takes: float, is_slow: bool, ask: Callable[..., str], breaker: StoreBreaker
    ) -> None:
        assert ask(takes) == "found"
        assert breaker.is_slow is is_slow
        ask(0.0)
        assert not breaker.is_slow

    def test_is_so_who_has_taken_long_to_fail(self, ask: Callable[..., str], breaker: StoreBreaker) -> None:
        ask(0.06, raises=OSError("gone"))
        assert breaker.is_slow

    def test_is_who_makes_a_reader_wait_for_so_long_just_now(self, breaker: StoreBreaker, clock: ManualClock) -> None:
        seen = []

        def operation() -> None:
            for seconds in (0.0, 0.05, 0.001):
                clock.passes(seconds)
                seen.append(breaker.is_slow)

        breaker.attempt("find", operation, None)
        assert seen == [False, False, True]


class TestAnAnswer:
    def test_is_given(self, ask: Callable[..., str], breaker: StoreBreaker) -> None:
        assert ask() == "found"
        assert breaker.failures == 0

    def test_may_take_two_seconds_once(self, ask: Callable[..., str], breaker: StoreBreaker) -> None:
        assert ask(2.0) == "found"
        assert breaker.failures == 0

    def test_that_takes_longer_is_given_and_counts_as_a_failure(
        self, ask: Callable[..., str], breaker: StoreBreaker, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert ask(2.01) == "found"
        assert breaker.failures == 1
        (told,) = warnings(caplog, "scope_client.store")
        assert told.endswith("an answer took 2.0 seconds")

    @pytest.mark.parametrize(
        ("first", "second", "failures"), [(0.51, 0.51, 1), (0.51, 0.5, 0), (0.5, 0.51, 0), (0.51, 0.0, 0)]
    )
    def test_of_two_in_a_row_that_take_over_half_a_second_the_second_is_a_failure(
        self, first: float, second: float, failures: int, ask: Callable[..., str], breaker: StoreBreaker
    ) -> None:
        ask(first)
        assert ask(second) == "found"
        assert breaker.failures == failures

    def test_of_slow_ones_with_a_quick_one_in_between_none_is(
        self, ask: Callable[..., str], breaker: StoreBreaker
    ) -> None:
        for takes in (1.0, 0.0, 1.0, 0.0):
            ask(takes)
        assert breaker.failures == 0

    def test_that_another_thread_still_waits_for_after_two_seconds_is_a_failure_and_one_alone(
        self, breaker: StoreBreaker, clock: ManualClock, ask: Callable[..., str], caplog: pytest.LogCaptureFixture
    ) -> None:
        found = []

        def operation() -> str:
            clock.passes(2.0)
            found.append((ask(), breaker.failures))
            assert clock.sleeps == []
            clock.passes(0.001)
            found.append((ask(), breaker.failures))
            clock.passes(5.0)
            found.append((ask(), breaker.failures))
            return "late"

        assert breaker.attempt("find", operation, "otherwise") == "late"
        assert found == [("found", 0), ("otherwise", 1), ("found", 1)]
        assert warnings(caplog)[0].endswith("an answer takes more than 2 seconds")


class TestACallWithATimeLimit:
    """The store has half of what it has left."""

    def test_that_is_over_asks_nothing_and_says_nothing_of_the_store(
        self, breaker: StoreBreaker, clock: ManualClock
    ) -> None:
        budget = Budget(clock.clock.now, 1.0)
        clock.passes(1.0)
        asked = []
        with breaker.within(budget):
            assert breaker.attempt("find", lambda: asked.append(1), "otherwise") == "otherwise"
        assert (asked, breaker.failures) == ([], 0)

    def test_with_a_moment_left_asks(self, breaker: StoreBreaker, clock: ManualClock) -> None:
        with breaker.within(Budget(clock.clock.now, 20.0)):
            clock.passes(18.0)
            assert breaker.attempt("find", lambda: "found", "otherwise") == "found"

    @pytest.mark.parametrize(("has", "failures"), [(0.2, 0), (1.0, 0), (1.01, 1), (20.0, 1)])
    def test_hears_nothing_which_is_a_failure_if_the_store_had_over_half_a_second(
        self, has: float, failures: int, ask: Callable[..., str], breaker: StoreBreaker, clock: ManualClock
    ) -> None:
        with breaker.within(Budget(clock.clock.now, has)):
            assert ask(raises=NoAnswerError("there was no answer")) == "otherwise"
        assert breaker.failures == failures

    @pytest.mark.parametrize(("takes", "failures"), [(1.149, 1), (1.151, 0)])
    def test_whose_answer_came_while_this_process_was_held_up_says_nothing_of_the_store(
        self, takes: float, failures: int, ask: Callable[..., str], breaker: StoreBreaker, clock: ManualClock
    ) -> None:
        """The store has a second, the answer a grace, and a thread that waits for its turn a tenth of a second."""
        for _ in range(2):
            with breaker.within(Budget(clock.clock.now, 2.0)):
                assert ask(takes) == "found"
        assert breaker.failures == failures

    def test_hears_nothing_which_is_one_if_it_is_the_second_time_in_a_row(
        self, ask: Callable[..., str], breaker: StoreBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        with breaker.within(Budget(clock.clock.now, 1.0)):
            ask(raises=NoAnswerError("there was no answer"))
            ask()
            ask(raises=NoAnswerError("there was no answer"))
            assert breaker.failures == 0
            assert ask(raises=NoAnswerError("there was no answer")) == "otherwise"
        assert breaker.failures == 1
        assert warnings(caplog)[0].endswith(": there was no answer")


class Hang:
    """An operation of a store that does not answer until it `may_end`, in calls with a time limit.

    Of a wait for it the clock tells, which then shows `late` seconds more than were to be waited for.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.breaker = StoreBreaker(clock.clock, StoreDeadline(self._waits))
        self.calls = 0
        self.late = 0.0
        self.while_it_is_waited_for: Callable[[], object] = lambda: None
        self._clock = clock
        self._may_end = threading.Event()
        self._ended = threading.Event()

    def is_met(self, has: float) -> str:
        """What a call gets that has so many seconds, half of them for the store."""
        with self.breaker.within(Budget(self._clock.clock.now, has)):
            return self.breaker.attempt("find", self._operation, "otherwise")

    def ends(self) -> None:
        self._may_end.set()
        assert self._ended.wait(20)

    def begins_anew(self) -> None:
        self.ends()
        self._may_end.clear()

    def _operation(self) -> str:
        self.calls += 1
        assert self._may_end.wait(20)
        return "late"

    def _waits(self, has_ended: threading.Event, seconds: float) -> bool:
        self._ended = has_ended
        if self._may_end.is_set():
            return has_ended.wait(20)
        self._clock.passes(seconds + self.late)
        self.late = 0.0
        self.while_it_is_waited_for()
        return False


class TestACallThatHangs:
    @pytest.fixture
    def hang(self, clock: ManualClock) -> Iterator[Hang]:
        hang = Hang(clock)
        yield hang
        hang.ends()

    def test_is_one_slow_answer_however_many_meet_it(self, hang: Hang) -> None:
        assert [hang.is_met(has=1.0) for _ in range(3)] == ["otherwise"] * 3
        assert hang.calls == 1
        assert hang.breaker.failures == 0
        assert hang.breaker.is_slow

    def test_is_a_failure_and_one_alone_after_two_seconds(
        self, hang: Hang, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        hang.is_met(has=1.0)
        clock.passes(1.449)  # with the half second and the grace
        hang.is_met(has=1.0)
        assert hang.breaker.failures == 0
        clock.passes(0.002)
        for _ in range(3):
            assert hang.is_met(has=1.0) == "otherwise"
            clock.passes(6.0)
        assert hang.breaker.failures == 1
        assert hang.calls == 1
        assert warnings(caplog)[0].endswith("an answer takes more than 2 seconds")

    def test_that_was_a_failure_at_once_is_none_after_two_seconds(self, hang: Hang, clock: ManualClock) -> None:
        hang.is_met(has=2.0)
        assert hang.breaker.failures == 1
        clock.passes(6.0)
        assert hang.is_met(has=2.0) == "otherwise"
        assert hang.breaker.failures == 1

    def test_is_a_failure_if_it_is_the_second_in_a_row(self, hang: Hang) -> None:
        hang.is_met(has=1.0)
        hang.begins_anew()
        hang.is_met(has=1.0)
        assert hang.calls == 2
        assert hang.breaker.failures == 1

    @pytest.mark.parametrize(("late", "failures"), [(0.099, 1), (0.101, 0)])
    def test_is_none_if_this_process_was_held_up_meanwhile(self, late: float, failures: int, hang: Hang) -> None:
        hang.late = late
        assert hang.is_met(has=2.0) == "otherwise"
        assert hang.breaker.failures == failures

    def test_is_one_two_seconds_after_this_process_was_held_up(self, hang: Hang, clock: ManualClock) -> None:
        hang.late = 1000.0
        hang.is_met(has=2.0)
        clock.passes(1.999)
        hang.is_met(has=2.0)
        assert hang.breaker.failures == 0
        clock.passes(0.002)
        hang.is_met(has=2.0)
        assert hang.breaker.failures == 1

    def test_is_none_after_a_stop_of_this_process_for_another_thread_that_goes_on_sooner(
        self, hang: Hang, clock: ManualClock
    ) -> None:
        has_come, has_gone_on = threading.Event(), threading.Event()
        clock.on_sleep = lambda seconds: has_come.set() or has_gone_on.wait(20)
        others = []

        def another_comes() -> None:
            hang.while_it_is_waited_for = lambda: None
            others.append(Crowd(1, lambda: hang.is_met(has=2.0)))
            assert has_come.wait(20)

        hang.while_it_is_waited_for = another_comes
        hang.late = 1000.0
        hang.is_met(has=2.0)
        has_gone_on.set()
        assert others[0].outcomes() == ["otherwise"]
        assert hang.breaker.failures == 0

    def test_after_two_seconds_is_none_if_it_ends_in_a_moment(self, hang: Hang, clock: ManualClock) -> None:
        hang.is_met(has=1.0)
        clock.passes(1000.0)
        clock.on_sleep = lambda seconds: hang.ends()
        assert hang.is_met(has=1.0) == "late"
        assert hang.breaker.failures == 0
        assert clock.sleeps == [0.05]


class TestAFailure:
    def test_is_what_it_raises_and_it_is_left_alone_for_a_while(
        self, ask: Callable[..., str], breaker: StoreBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert ask(raises=OSError("connection lost")) == "otherwise"
        assert "connection lost" in warnings(caplog)[0]
        clock.passes(4.99)
        assert ask() == "otherwise"
        clock.passes(0.01)
        assert ask() == "found"
        assert breaker.failures == 1

    def test_of_one_operation_is_over_when_that_one_works(
        self, ask: Callable[..., str], breaker: StoreBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "scope_client.store")
        ask(what="set", raises=OSError("full"))
        clock.passes(5.0)
        assert [ask(what="find"), ask(what="find")] == ["found", "found"]  # the pause is over for all of them
        assert "the shared cache works again" not in caplog.text
        assert ask(what="set") == "found"
        assert caplog.text.count("the shared cache works again") == 1
        assert len(warnings(caplog)) == 1

    def test_is_not_over_because_a_lock_is_refused(
        self, ask: Callable[..., str], breaker: StoreBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "scope_client.store")
        ask(what="add", raises=OSError("gone"))
        clock.passes(5.0)
        assert breaker.attempt("add", lambda: False, True) is False
        assert "works again" not in caplog.text
        clock.passes(5.0)
        assert breaker.attempt("add", lambda: True, False) is True
        assert "works again" in caplog.text

    def test_is_no_interrupt(self, ask: Callable[..., str], breaker: StoreBreaker) -> None:
        def interrupted() -> str:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            breaker.attempt("find", interrupted, "otherwise")
        assert breaker.failures == 0
        assert not breaker.is_slow

    @pytest.mark.parametrize("what", ["find", "set"])
    def test_is_logged_once_however_many_there_are(
        self, what: str, ask: Callable[..., str], breaker: StoreBreaker, caplog: pytest.LogCaptureFixture
    ) -> None:
        ask(raises=OSError("gone"))
        breaker.failed(what, "it is gone")
        assert breaker.failures == 2
        assert len(warnings(caplog)) == 1

    def test_is_no_answer_to_a_caller_without_a_limit(
        self, ask: Callable[..., str], breaker: StoreBreaker, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert ask(raises=NoAnswerError("there was none")) == "otherwise"
        assert breaker.failures == 1
        assert warnings(caplog)[0].endswith(": there was none")
