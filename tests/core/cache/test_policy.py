"""The table of reads: every row, every boundary, without a thread, a clock or a socket."""

from __future__ import annotations

import pytest

from scope_client._cache import policy
from scope_client._cache.policy import Facts, Known, Renewal, Rules, Step, decide, look_again_at, renew_at

TTL = 100.0
STALE_IF_ERROR = 1000.0
RULES = Rules(ttl=TTL, stale_if_error=STALE_IF_ERROR, stale_while_revalidate=0.0, renewal_share=policy.RENEWAL_SHARE)
REVALIDATED = RULES._replace(stale_while_revalidate=30.0)
NEVER = float("-inf")
FRESH_UNTIL = TTL
DUE = TTL - policy.RENEWAL_SHARE * TTL
GONE = FRESH_UNTIL + STALE_IF_ERROR
JUST = 1e-6


def known(*, stale_at: float = NEVER, is_refused: bool = False, fresh_until: float = FRESH_UNTIL) -> Known:
    return Known(fetched_at=0.0, fresh_until=fresh_until, stale_at=stale_at, is_refused=is_refused)


def step(
    now: float,
    what: Known | None,
    *,
    max_age: float | None = None,
    renewal: Renewal = Renewal.NONE,
    failed_at: float = NEVER,
    is_likely_down: bool = False,
    is_failing: bool = False,
    has_stand_in: bool = False,
    rules: Rules = RULES,
) -> Step:
    return decide(Facts(now, what, max_age, renewal, failed_at, is_likely_down, is_failing, has_stand_in), rules)


@pytest.mark.parametrize("is_likely_down", [False, True])
@pytest.mark.parametrize("renewal", Renewal)
@pytest.mark.parametrize("has_stand_in", [False, True])
@pytest.mark.parametrize(
    ("now", "wanted"),
    [(0.0, Step.SERVE), (DUE - JUST, Step.SERVE), (DUE, Step.SERVE_AND_RENEW), (TTL - JUST, Step.SERVE_AND_RENEW)],
)
def test_what_is_fresh_is_served_whatever_else_may_be(now, wanted, is_likely_down, renewal, has_stand_in):
    facts = {"is_likely_down": is_likely_down, "renewal": renewal, "has_stand_in": has_stand_in}
    assert step(now, known(), **facts) is wanted
    assert step(now, known(is_refused=True), **facts) is wanted


@pytest.mark.parametrize("now", [TTL, TTL + JUST, GONE - JUST])
def test_the_first_reader_of_what_expired_tries_the_platform(now):
    assert step(now, known()) is Step.TRY_FIRST
    assert step(now, known(), has_stand_in=True) is Step.TRY_FIRST


@pytest.mark.parametrize("now", [TTL, TTL + JUST, GONE - JUST])
def test_nobody_waits_for_a_platform_that_is_likely_down(now):
    assert step(now, known(), is_likely_down=True) is Step.SERVE_STALE
    assert step(now, known(is_refused=True), is_likely_down=True) is Step.SERVE_STALE
    assert step(now, known(), is_likely_down=True, max_age=5.0) is Step.SERVE_STALE


def test_a_stand_in_takes_the_place_of_no_last_known_good_version():
    facts = {"has_stand_in": True, "is_failing": True, "is_likely_down": True}
    assert step(GONE - JUST, known(), **facts) is Step.SERVE_STALE
    assert step(GONE, known(), **facts) is Step.STAND_IN


def test_who_comes_within_a_ttl_of_a_stale_read_that_a_failure_explains_does_not_wait_again():
    read_at = TTL + 50.0
    for explained in ({"failed_at": read_at}, {"failed_at": read_at + 5.0}):
        assert step(read_at + TTL - JUST, known(stale_at=read_at), **explained) is Step.SERVE_STALE
        assert step(read_at + TTL, known(stale_at=read_at), **explained) is Step.TRY_FIRST


def test_a_stale_read_alone_explains_no_other_one():
    read_at = TTL + 50.0
    assert step(read_at + JUST, known(stale_at=read_at)) is Step.TRY_FIRST


def test_readers_who_come_close_together_are_given_it_no_longer_than_a_ttl_after_the_failure():
    failed_at = TTL + 50.0
    stale = known(stale_at=failed_at + TTL - JUST)
    assert step(failed_at + TTL - JUST, stale, failed_at=failed_at) is Step.SERVE_STALE
    assert step(failed_at + TTL, stale, failed_at=failed_at) is Step.TRY_FIRST


def test_a_failure_alone_lets_the_first_reader_try():
    assert step(TTL + 50.0, known(), failed_at=TTL + 49.0) is Step.TRY_FIRST


def test_a_callers_own_age_shortens_that_and_never_lengthens_it():
    read_at = TTL + 50.0
    short = known(stale_at=read_at, fresh_until=5.0)
    assert step(read_at + 5.0 - JUST, short, max_age=5.0, failed_at=read_at) is Step.SERVE_STALE
    assert step(read_at + 5.0, short, max_age=5.0, failed_at=read_at) is Step.TRY_FIRST
    long = known(stale_at=read_at, fresh_until=TTL)
    assert step(read_at + TTL - JUST, long, max_age=10 * TTL, failed_at=read_at) is Step.SERVE_STALE
    assert step(read_at + TTL, long, max_age=10 * TTL, failed_at=read_at) is Step.TRY_FIRST


@pytest.mark.parametrize("is_likely_down", [False, True])
def test_a_renewal_that_is_late_is_taken_over_by_the_next_reader(is_likely_down):
    late = {"renewal": Renewal.LATE, "is_likely_down": is_likely_down, "failed_at": TTL}
    assert step(TTL, known(stale_at=TTL), **late) is Step.TRY_FIRST
    assert step(GONE - JUST, known(stale_at=TTL), **late) is Step.TRY_FIRST
    assert step(TTL - JUST, known(), **late) is Step.SERVE_AND_RENEW


@pytest.mark.parametrize("is_likely_down", [False, True])
@pytest.mark.parametrize("renewal", Renewal)
def test_while_it_may_be_revalidated_what_expired_is_served_like_what_is_due(renewal, is_likely_down):
    facts = {"renewal": renewal, "is_likely_down": is_likely_down, "rules": REVALIDATED}
    for now in (TTL, TTL + 30.0 - JUST):
        assert step(now, known(), **facts) is Step.SERVE_AND_RENEW
    assert step(TTL + 30.0, known(), **facts) is not Step.SERVE_AND_RENEW


def test_revalidation_does_not_need_stale_if_error():
    rules = REVALIDATED._replace(stale_if_error=0.0)
    assert step(TTL + 30.0 - JUST, known(), rules=rules) is Step.SERVE_AND_RENEW
    assert step(TTL + 30.0, known(), rules=rules) is Step.FETCH


def test_a_refusal_and_a_callers_own_age_are_not_hidden_by_revalidation():
    assert step(TTL, known(is_refused=True), rules=REVALIDATED) is Step.TRY_FIRST
    assert step(5.0, known(fresh_until=5.0), rules=REVALIDATED, max_age=5.0) is Step.TRY_FIRST


def test_who_finds_a_renewal_under_way_does_not_wait_for_it():
    assert step(TTL, known(), renewal=Renewal.UNDER_WAY) is Step.SERVE_STALE


def test_who_asks_for_an_age_of_their_own_waits_for_an_attempt_of_their_own():
    assert step(TTL, known(), renewal=Renewal.UNDER_WAY, max_age=5.0) is Step.TRY_FIRST


def test_what_the_platform_refused_to_renew_is_asked_for_so_that_the_reader_sees_the_error():
    assert step(TTL, known(is_refused=True), renewal=Renewal.UNDER_WAY) is Step.TRY_FIRST


@pytest.mark.parametrize("what", [None, known()])
@pytest.mark.parametrize("renewal", Renewal)
def test_what_is_gone_or_was_never_known_is_fetched(what, renewal):
    for facts in ({}, {"has_stand_in": True}, {"is_likely_down": True}, {"is_failing": True}):
        assert step(GONE, what, renewal=renewal, **facts) is Step.FETCH


@pytest.mark.parametrize("what", [None, known(), known(stale_at=GONE, is_refused=True)])
def test_a_stand_in_is_served_at_once_if_an_outage_is_likely_or_this_prompt_fails(what):
    assert step(GONE, what, has_stand_in=True, is_likely_down=True) is Step.STAND_IN
    assert step(GONE, what, has_stand_in=True, is_failing=True) is Step.STAND_IN


def test_with_no_time_for_stale_versions_what_expired_is_gone():
    never_stale = RULES._replace(stale_if_error=0.0)
    assert step(TTL - JUST, known(), rules=never_stale) is Step.SERVE_AND_RENEW
    assert step(TTL, known(), rules=never_stale, is_likely_down=True) is Step.FETCH


def test_a_life_of_no_length_is_expired_from_the_start():
    assert step(0.0, known(fresh_until=0.0)) is Step.TRY_FIRST


def test_the_renewal_begins_in_the_last_part_of_a_life_and_later_in_a_fleet():
    assert renew_at(known(), RULES) == pytest.approx(83.0)
    in_a_fleet = RULES._replace(renewal_share=policy.FLEET_RENEWAL_SHARE)
    assert renew_at(known(), in_a_fleet) == pytest.approx(90.0)
    late = Known(fetched_at=40.0, fresh_until=140.0, stale_at=NEVER, is_refused=False)
    assert renew_at(late, RULES) == pytest.approx(123.0)


def test_a_fresh_version_is_served_without_a_thought_until_it_is_due():
    assert look_again_at(known(), 10.0, RULES) == pytest.approx(DUE)


def test_a_due_version_is_looked_at_four_times_a_second_and_not_past_its_end():
    assert look_again_at(known(), DUE, RULES) == pytest.approx(DUE + 0.25)
    assert look_again_at(known(), TTL - 0.25, RULES) == TTL
    assert look_again_at(known(), TTL - 0.1, RULES) == TTL


def test_a_version_that_is_revalidated_is_looked_at_four_times_a_second_and_not_past_its_window():
    assert look_again_at(known(), TTL, REVALIDATED) == pytest.approx(TTL + 0.25)
    assert look_again_at(known(), TTL + 29.9, REVALIDATED) == pytest.approx(TTL + 30.0)
    assert look_again_at(known(), TTL - 0.1, REVALIDATED) == TTL


def test_how_long_a_reader_may_wait_is_the_promise_of_the_manual():
    assert (policy.FIRST_READER_SECONDS, policy.JOINER_SECONDS) == (1.0, 0.25)
