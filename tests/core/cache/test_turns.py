"""PlatformBreaker: when the platform is asked again, for which prompt, and what counts as one."""

from __future__ import annotations

import logging

import pytest
from faults.clock import ManualClock

from scope_client import (
    ApiError,
    AuthenticationError,
    AuthorizationError,
    ConflictError,
    ConnectionError,
    InvalidCredentialsError,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    ScopeError,
    ServerError,
    TimeoutError,
    TokenRefreshError,
    ValidationError,
)
from scope_client._attribute_names import STATUS
from scope_client._cache.platform_breaker import Outlook, PlatformBreaker, Turn, is_outage
from scope_client._circuit_breaker import NEVER
from scope_client._clock import Clock

DOWN = ServerError("down", http_status=503)


@pytest.fixture
def outage(clock: ManualClock) -> PlatformBreaker:
    return PlatformBreaker(clock.clock, longest_retry_after=30.0)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("refused"),
        TimeoutError("late"),
        ServerError("down", http_status=503),
        RateLimitError("slow down", http_status=429),
        TokenRefreshError("no token", http_status=401),
        ApiError("no status"),
        ApiError("a 200 that cannot be read", http_status=200),
        ApiError("a redirect", http_status=302),
        ApiError("the last that says nothing", http_status=399),
        ApiError("too slow", http_status=408),
    ],
    ids=lambda error: error.message,
)
def test_what_says_nothing_about_the_prompt_is_an_outage(error: ScopeError) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        ApiError("bad request", http_status=400),
        ApiError("odd", http_status=407),
        ApiError("odd", http_status=418),
        AuthenticationError("401", http_status=401),
        InvalidCredentialsError("403", http_status=403),
        AuthorizationError("403", http_status=403),
        NotFoundError("404", http_status=404),
        ConflictError("409", http_status=409),
        NoProductionVersionError("none"),
        ValidationError("none"),
        ScopeError("none"),
    ],
    ids=lambda error: f"{type(error).__name__} {error.http_status}",
)
def test_an_answer_about_the_prompt_or_the_credentials_is_none(error: ScopeError) -> None:
    assert not is_outage(error)


class TestKnown:
    def test_at_first_nothing_is_known(self, outage: PlatformBreaker) -> None:
        assert not outage.is_known
        assert not outage.is_likely
        assert not outage.is_failing("a")

    def test_a_failure_is_remembered_for_a_minute_past_the_next_attempt(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        outage.failed("a", DOWN, is_known=False)
        assert outage.is_known
        assert outage.is_failing("a")
        assert not outage.is_failing("b")
        clock.passes(60.4)
        assert outage.is_known
        clock.passes(0.2)
        assert not outage.is_known
        assert outage.is_failing("a")
        clock.passes(0.3)
        assert outage.is_failing("a")
        clock.passes(0.2)
        assert not outage.is_failing("a")

    def test_to_the_moment(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        clock.time = 0.0  # whose steps are exact
        outage.failed("a", DOWN, is_known=False)
        clock.time = 60.5
        assert not outage.is_known
        assert outage.is_failing("a")
        clock.time = 61.0
        assert not outage.is_failing("a")
        outage.doubt()
        clock.time = 67.0
        assert not outage.is_likely

    def test_without_a_failure_there_is_no_outage_however_young_the_clock_is(self, clock: ManualClock) -> None:
        clock.time = -1e12
        young = PlatformBreaker(clock.clock, longest_retry_after=30.0)
        assert not young.is_known

    def test_a_prompt_that_asked_to_wait_is_likely_down_until_then(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        clock.time = 0.0
        outage.failed("a", RateLimitError("slow down", http_status=429, retry_after=20.0), is_known=False)
        outage.ended("b")
        for time, is_likely_down in ((19.5, True), (20.0, False)):
            clock.time = time
            assert outage.outlook("a").is_likely_down is is_likely_down
            assert not outage.outlook("b").is_likely_down

    @pytest.mark.parametrize(("is_known", "seconds"), [(True, 30.0), (False, 10.0)])
    def test_a_prompt_that_is_known_waits_for_longer(self, clock: ManualClock, is_known: bool, seconds: float) -> None:
        clock.time = 0.0
        outage = PlatformBreaker(clock.clock, longest_retry_after=10.0)
        outage.failed("a", RateLimitError("slow down", http_status=429, retry_after=3000.0), is_known=is_known)
        outage.ended("b")
        clock.time = seconds - 0.5
        assert outage.outlook("a").is_likely_down
        clock.time = seconds
        assert not outage.outlook("a").is_likely_down

    def test_a_failure_of_its_own_is_no_failure_of_the_platform(self, outage: PlatformBreaker) -> None:
        outage.put_off("a")
        assert outage.claim("a") is None
        assert not outage.is_failing("a")
        assert outage.outlook("a").is_likely_down is False

    def test_an_answer_ends_it_but_for_other_prompts(self, outage: PlatformBreaker) -> None:
        outage.failed("a", DOWN, is_known=False)
        outage.failed("b", DOWN, is_known=False)
        outage.ended("a")
        assert not outage.is_known
        assert not outage.is_failing("a")
        assert outage.is_failing("b")

    def test_a_prompt_that_fails_alone_has_its_own_failure_in_its_outlook(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        outage.failed("a", DOWN, is_known=False)
        outage.ended("b")
        assert outage.outlook("a") == Outlook(clock.clock.now(), is_likely_down=False, is_failing=True)
        assert outage.outlook("b") == Outlook(NEVER, is_likely_down=False, is_failing=False)

    def test_the_last_failure_of_any_prompt_is_in_the_outlook_of_each(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        outage.failed("a", DOWN, is_known=False)
        clock.passes(5.0)
        outage.failed("b", DOWN, is_known=False)
        assert [outage.outlook(key).failed_at for key in ("a", "c")] == [clock.clock.now()] * 2

    def test_doubt_makes_it_likely_for_six_seconds(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        outage.doubt()
        assert outage.is_likely
        assert not outage.is_known
        clock.passes(5.9)
        assert outage.is_likely
        clock.passes(0.2)
        assert not outage.is_likely

    def test_a_refusal_is_no_failure_of_the_platform(self, outage: PlatformBreaker) -> None:
        assert not outage.failed("a", NotFoundError("no", http_status=404), is_known=True)
        late = TimeoutError("the call is over", is_deadline=True)
        late.__cause__ = NotFoundError("no", http_status=404)
        assert not outage.failed("a", late, is_known=True)
        assert outage.outlook("a") == Outlook(NEVER, is_likely_down=False, is_failing=False)
        assert outage.failed("a", DOWN, is_known=True)

    def test_an_answer_that_breaks_the_lock_is_a_failure_for_this_prompt_alone(self, outage: PlatformBreaker) -> None:
        broken = ApiError("another version than the lock names")
        broken._breaks_lock = True
        assert outage.failed("a", broken, is_known=True)
        assert outage.is_failing("a")
        assert not outage.is_known
        assert [outage.claim(key) for key in "ab"] == [None, Turn("b", 0)]

    @pytest.mark.parametrize("draws", [1, 2])
    def test_an_interrupt_in_the_middle_of_a_failure_leaves_nothing_that_no_answer_ends(
        self, draws: int, clock: ManualClock
    ) -> None:
        chances = [0.5] * (draws - 1)
        outage = PlatformBreaker(Clock(clock.clock.now, chance=chances.pop), longest_retry_after=30.0)
        with pytest.raises(IndexError):
            outage.failed("a", DOWN, is_known=True)
        assert outage.failing or outage.claim("b") == Turn("b", 0)

    def test_an_answer_ends_the_doubt(self, outage: PlatformBreaker) -> None:
        outage.doubt()
        outage.ended("a")
        assert not outage.is_likely

    def test_one_warning_and_one_notice_an_outage(
        self, outage: PlatformBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "scope_client.outage")
        for key in ("a", "b", "a"):
            outage.failed(key, DOWN, is_known=False)
            clock.passes(5)
        outage.ended("a")
        outage.ended("a")
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
        assert "down" in caplog.records[0].getMessage()
        assert vars(caplog.records[0])[STATUS] == 503
        assert caplog.records[1].getMessage() == "the platform answers again"

    def test_a_prompt_that_goes_on_failing_alone_is_not_warned_of_again(
        self, outage: PlatformBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            outage.failed("a", DOWN, is_known=False)
            outage.ended("b")
            clock.passes(5)
        assert len(caplog.records) == 1

    def test_the_warning_names_what_the_last_attempt_ended_in(
        self, outage: PlatformBreaker, caplog: pytest.LogCaptureFixture
    ) -> None:
        late = TimeoutError("the call is over", is_deadline=True)
        late.__cause__ = DOWN
        outage.failed("a", late, is_known=False)
        assert caplog.records[0].getMessage().endswith(": down")

    def test_or_the_time_limit_of_the_attempt_itself(
        self, outage: PlatformBreaker, caplog: pytest.LogCaptureFixture
    ) -> None:
        late = TimeoutError("no answer came")
        late.__cause__ = DOWN
        outage.failed("a", late, is_known=False)
        assert caplog.records[0].getMessage().endswith(": no answer came")


class TestTurns:
    def test_with_no_failure_everybody_has_one(self, outage: PlatformBreaker) -> None:
        assert [outage.claim(key) for key in "aab"] == [Turn("a", 0), Turn("a", 0), Turn("b", 0)]

    def test_in_an_outage_one_is_given_after_each_pause(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        outage.failed("a", DOWN, is_known=False)
        assert outage.claim("b") is None
        clock.passes(0.5)
        assert outage.claim("b") == Turn("b", 1)
        assert outage.claim("b") is None
        clock.passes(0.5)
        assert outage.claim("b") == Turn("b", 1)

    def test_the_prompt_that_failed_waits_twice_as_long(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        outage.failed("a", DOWN, is_known=False)
        clock.passes(0.6)
        assert outage.claim("a") is None
        clock.passes(0.4)
        assert outage.claim("a") == Turn("a", 1)

    def test_it_waits_so_after_the_platform_answers_others(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        outage.failed("a", DOWN, is_known=False)
        outage.ended("b")
        assert outage.claim("a") is None
        clock.passes(1)
        assert outage.claim("a") == Turn("a", 0)

    def test_and_gives_its_turn_to_nobody_who_was_refused_before(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        outage.failed("a", DOWN, is_known=False)
        assert outage.claim("b") is None
        outage.ended("c")
        clock.passes(1)
        assert outage.claim("a") == Turn("a", 0)

    def test_a_prompt_that_fails_alone_gives_its_turn_to_one_that_was_refused(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        outage.failed("a", DOWN, is_known=False)
        assert outage.claim("b") is None
        clock.passes(1)
        assert outage.claim("a") == Turn("b", 1)
        clock.passes(1)
        assert outage.claim("a") == Turn("a", 1)

    def test_the_one_that_was_refused_takes_its_own_turn(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        outage.failed("a", DOWN, is_known=False)
        outage.claim("b")
        clock.passes(0.5)
        assert outage.claim("b") == Turn("b", 1)
        clock.passes(0.5)
        assert outage.claim("a") == Turn("a", 1)

    def test_a_prompt_that_is_not_failing_gives_no_turn_away(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        outage.failed("a", DOWN, is_known=False)
        outage.claim("b")
        clock.passes(0.5)
        assert outage.claim("c") == Turn("c", 1)

    def test_a_failing_prompt_that_is_refused_is_not_passed_over(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        outage.failed("a", DOWN, is_known=False)
        clock.passes(1)
        assert outage.claim("b") == Turn("b", 1)
        assert outage.claim("a") is None
        clock.passes(1)
        assert outage.claim("a") == Turn("a", 1)

    def test_one_that_fails_does_not_take_the_place_of_one_that_was_refused_before(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        outage.failed("a", DOWN, is_known=False)
        assert outage.claim("b") is None
        clock.passes(1)
        assert outage.claim("c") == Turn("c", 1)
        assert outage.claim("a") is None
        clock.passes(1)
        assert outage.claim("a") == Turn("b", 1)

    def test_a_turn_holds_until_a_failure_comes_in(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        turn = outage.claim("a")
        assert turn is not None
        assert outage.holds(turn)
        outage.failed("b", DOWN, is_known=False)
        assert not outage.holds(turn)
        clock.passes(0.5)
        turn = outage.claim("a")
        assert turn is not None
        assert outage.holds(turn)
        outage.ended("b")
        assert outage.holds(turn)

    def test_a_retry_after_puts_all_turns_off(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        outage.failed("a", RateLimitError("slow down", http_status=429, retry_after=20.0), is_known=False)
        clock.passes(19.9)
        assert outage.claim("b") is None
        clock.passes(0.1)
        assert outage.claim("b") == Turn("b", 1)

    def test_a_longer_retry_after_than_the_longest_is_cut(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        outage.failed("a", RateLimitError("slow down", http_status=429, retry_after=3000.0), is_known=False)
        clock.passes(30)
        assert outage.claim("b") == Turn("b", 1)

    def test_the_retry_after_of_the_last_attempt_of_a_call_counts(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        late = TimeoutError("the call is over", is_deadline=True)
        late.__cause__ = RateLimitError("slow down", http_status=429, retry_after=20.0)
        outage.failed("a", late, is_known=False)
        clock.passes(19.9)
        assert outage.claim("b") is None

    def test_a_refused_renewal_waits_for_a_second_and_doubles(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        for pause in (1.0, 2.0, 4.0):
            outage.ended("a", is_refused=True)
            assert outage.claim("a") is None
            assert outage.claim("b") == Turn("b", 0)
            clock.passes(pause - 0.01)
            assert outage.claim("a") is None
            clock.passes(0.01)
            assert outage.claim("a") == Turn("a", 0)
        assert not outage.is_failing("a")

    def test_an_answer_ends_the_pause_of_a_refused_renewal(self, outage: PlatformBreaker) -> None:
        outage.ended("a", is_refused=True)
        outage.ended("a")
        assert outage.claim("a") == Turn("a", 0)

    def test_pauses_grow_to_fifteen_seconds(self, outage: PlatformBreaker, clock: ManualClock) -> None:
        pauses = []
        for _ in range(8):
            outage.failed("a", DOWN, is_known=False)
            began = clock.time
            while outage.claim("b") is None:
                clock.passes(0.125)
            pauses.append(clock.time - began)
        assert pauses == [0.5, 1, 2, 4, 8, 15, 15, 15]

    def test_attempts_in_the_background_get_longer_with_each_failure(
        self, outage: PlatformBreaker, clock: ManualClock
    ) -> None:
        given = []
        for _ in range(5):
            given.append(outage.attempt_seconds)
            outage.failed("a", DOWN, is_known=False)
            clock.passes(20)
        assert given == [5, 10, 20, 40, 80]
        for _ in range(20):
            outage.failed("a", DOWN, is_known=False)
            clock.passes(20)
        assert outage.attempt_seconds == 5 * 1024

    def test_a_thousand_failing_prompts_are_remembered_and_no_more(self, outage: PlatformBreaker) -> None:
        for number in range(1000):
            outage.failed(f"prompt-{number}", DOWN, is_known=False)
        assert outage.is_failing("prompt-0")
        outage.failed("prompt-0", DOWN, is_known=False)
        assert outage.is_failing("prompt-999")
        outage.failed("one more", DOWN, is_known=False)
        assert outage.is_failing("one more")
        assert not outage.is_failing("prompt-0")
