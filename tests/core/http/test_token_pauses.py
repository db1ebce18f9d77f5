"""When a token that was not taken is forgotten, and for how long nobody buys the next one."""

from __future__ import annotations

import pytest
from faults.clock import ManualClock
from faults.inside import give_token, refuse_token

from scope_client import ApiKeyCredentials, Configuration, InvalidCredentialsError, ScopeError, TokenRefreshError
from scope_client._background import Background
from scope_client._http.tokens import CREDENTIALS_PAUSES, Tokens

KEYS = ApiKeyCredentials("org", "key", "secret")


@pytest.fixture
def tokens(clock: ManualClock) -> Tokens:
    found = Tokens(Configuration(credentials=KEYS), KEYS, clock.clock, Background())
    give_token(found, "first")
    return found


def test_it_is_forgotten(tokens: Tokens) -> None:
    assert tokens.discards("first")
    assert tokens.expires_in is None


def test_who_hears_of_it_later_leaves_the_next_one(tokens: Tokens) -> None:
    assert tokens.discards("first")
    assert tokens.discards("first")  # there is none
    give_token(tokens, "second")
    assert tokens.discards("first")
    assert tokens.expires_in is not None


def test_after_one_in_vain_the_next_is_kept_for_a_pause(tokens: Tokens, clock: ManualClock) -> None:
    pause = CREDENTIALS_PAUSES.first
    tokens.was_replaced_in_vain()
    assert tokens.are_credentials_refused
    clock.passes(pause * 0.99)
    assert not tokens.discards("first")
    assert tokens.expires_in is not None
    clock.passes(pause * 0.02)
    assert tokens.discards("first")
    assert tokens.expires_in is None


def test_threads_that_meet_it_at_the_same_time_met_one(tokens: Tokens, clock: ManualClock) -> None:
    for _ in range(3):
        tokens.was_replaced_in_vain()
    clock.passes(CREDENTIALS_PAUSES.first)
    assert tokens.discards("first")


def test_each_next_one_in_vain_makes_the_pause_longer(tokens: Tokens, clock: ManualClock) -> None:
    for pause in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        tokens.was_replaced_in_vain()
        clock.passes(pause * 0.99)
        assert not tokens.discards("first")
        clock.passes(pause * 0.02)
        give_token(tokens, "first")


def test_one_that_is_taken_in_its_place_ends_that(tokens: Tokens) -> None:
    tokens.was_replaced_in_vain()
    tokens.was_accepted(is_new=True)
    assert not tokens.are_credentials_refused
    assert tokens.discards("first")


def test_one_that_was_there_before_ends_no_pause(tokens: Tokens) -> None:
    tokens.was_replaced_in_vain()
    tokens.was_accepted(is_new=False)
    assert not tokens.are_credentials_refused
    assert not tokens.discards("first")


def is_in_a_pause(tokens: Tokens) -> bool:
    try:
        tokens.check()
    except ScopeError:
        return True
    return False


def pause_after(tokens: Tokens, clock: ManualClock, *errors: ScopeError) -> float:
    """For how many seconds nobody asks for a token after these errors at the same time."""
    assert tokens.discards("first")
    for error in errors:
        refuse_token(tokens, error)
    began = clock.time
    while is_in_a_pause(tokens) and clock.time < began + 100:
        clock.passes(1)
    return clock.time - began


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (InvalidCredentialsError("no", http_status=401), 1),
        (TokenRefreshError("odd", http_status=200), 1),
        (TokenRefreshError("odd", http_status=499), 1),
        (TokenRefreshError("wait", http_status=429, retry_after=7.0), 7),
        (TokenRefreshError("wait", http_status=429), 0),
        (TokenRefreshError("down", http_status=500), 0),
        (TokenRefreshError("down, wait", http_status=503, retry_after=7.0), 0),
        (TokenRefreshError("slow", http_status=408, retry_after=7.0), 0),
        (TokenRefreshError("no answer"), 0),
    ],
)
def test_how_long_nobody_asks_for_the_next_one(
    error: ScopeError, seconds: int, tokens: Tokens, clock: ManualClock
) -> None:
    assert pause_after(tokens, clock, error) == seconds


def test_threads_that_are_refused_at_the_same_time_were_refused_once(tokens: Tokens, clock: ManualClock) -> None:
    assert pause_after(tokens, clock, *[InvalidCredentialsError("no", http_status=401)] * 4) == 1


def test_an_endpoint_that_is_down_says_nothing_of_credentials_that_it_refused(
    tokens: Tokens, clock: ManualClock
) -> None:
    assert pause_after(tokens, clock, InvalidCredentialsError("no", http_status=401)) == 1
    refuse_token(tokens, TokenRefreshError("down", http_status=500))
    assert tokens.are_credentials_refused
