"""The error of a fetch as a fleet leaves it in a store: what is written, and what is made of a text of anybody's."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from scope_client import (
    ApiError,
    AuthenticationError,
    AuthorizationError,
    ConflictError,
    ConnectionError,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    ScopeError,
    ServerError,
    TokenRefreshError,
)
from scope_client._cache.fleet_locks import Lock
from scope_client._cache.shared_entry import id_in
from scope_client._cache.shared_failure import Failure, Told, failure_in, failure_text, is_shared

NOW = 1_700_000_000.0
SAID = {"kind": "NotFoundError", "message": "gone", "http_status": 404, "holder": "0a1b2c3d"}
WHOLE = {"schema": 1, "generation": 3, "failed_at": NOW, "failure": SAID}


def read(*, after: float = 0.0, **changed: object) -> Failure | None:
    return failure_in({**WHOLE, **changed}, generation=3, now=NOW + after)


def error_of(**changed: object) -> Any:
    found = read(failure={**SAID, **changed})
    assert found is not None
    return found.error


class TestWhatIsLeftForTheOthers:
    @pytest.mark.parametrize(
        "error",
        [
            ApiError("x", http_status=400),
            ConflictError("x", http_status=409),
            NoProductionVersionError("x", http_status=404),
            NotFoundError("x", http_status=410),
            RateLimitError("x", http_status=429),
            ServerError("x", http_status=500),
        ],
    )
    def test_is_what_the_platform_says_of_a_prompt_or_of_itself(self, error: ScopeError) -> None:
        assert is_shared(error)

    @pytest.mark.parametrize(
        "error",
        [
            ApiError("the proxy asks for a password", http_status=407),
            ApiError("no status"),
            AuthenticationError("x", http_status=401),
            AuthorizationError("x", http_status=403),
            ConnectionError("x"),
            TokenRefreshError("x", http_status=500),
            type("NotFoundError", (NotFoundError,), {})("of somebody else's kind", http_status=404),
        ],
    )
    def test_is_not_what_may_be_this_process_own_fault(self, error: ScopeError) -> None:
        assert not is_shared(error)

    def test_is_not_that_a_locked_version_is_gone(self) -> None:
        error = NotFoundError("x", http_status=404)
        error._breaks_lock = True
        assert not is_shared(error)


class TestWhatIsWritten:
    def test_the_error_its_time_its_holder_and_the_lock_of_the_next_fetch(self) -> None:
        error = RateLimitError(
            "slow down", http_status=429, http_body="body", error_code="code", request_id="r-1", retry_after=7.5
        )
        entry = json.loads(failure_text(Told(error, Lock("key", "0a1b2c3d"), NOW, 3, 1.0)))
        assert id_in(entry, "lock") is not None
        facts = {"http_body": "body", "error_code": "code", "request_id": "r-1", "retry_after": 7.5, "prompt_id": None}
        said = {"kind": "RateLimitError", "message": "slow down", "http_status": 429, "holder": "0a1b2c3d", **facts}
        assert {**entry, "lock": None} == {**WHOLE, "failure": said, "lock": None}

    def test_of_a_long_text_the_first_two_thousand_characters(self) -> None:
        error = NotFoundError("m" * 2001, http_status=404, http_body="b" * 2001, error_code="c" * 2001)
        said = json.loads(failure_text(Told(error, Lock("key", "0a1b2c3d"), NOW, 3, 1.0)))["failure"]
        assert (said["message"], said["http_body"], said["error_code"]) == ("m" * 2000, "b" * 2000, "c" * 2000)


class TestWhatIsRead:
    def test_the_error_whose_lock_it_was_and_its_age(self) -> None:
        found = read(after=20.0)
        assert found is not None
        assert (type(found.error), found.error.message, str(found.error)) == (NotFoundError, "gone", "gone")
        assert found.error.args == ("gone",)
        assert (found.error.http_status, found.holder, found.age) == (404, "0a1b2c3d", 20.0)

    @pytest.mark.parametrize(
        "changed",
        [
            *({"schema": 2}, {"generation": 2}, {"generation": None}, {"failed_at": None}, {"failed_at": "1"}),
            *({"failed_at": True}, {"failed_at": math.nan}, {"failed_at": math.inf}, {"failed_at": -math.inf}),
            *({"failed_at": NOW + 1.01}, {"failure": None}, {"failure": []}, {"failure": {}}),
            *(
                {"failure": {**SAID, "kind": kind}}
                for kind in ("TimeoutError", "ScopeError", "", None, 1, ["ApiError"])
            ),
            *({"failure": {**SAID, "message": message}} for message in (None, 1, ["gone"])),
            *({"failure": {**SAID, "http_status": status}} for status in (None, "404", 404.0, True)),
        ],
    )
    def test_none_for_what_cannot_be_used(self, changed: dict[str, object]) -> None:
        assert read() is not None
        assert read(**changed) is None

    @pytest.mark.parametrize("name", WHOLE)
    def test_none_if_something_is_not_there(self, name: str) -> None:
        entry: dict[str, Any] = {key: value for key, value in WHOLE.items() if key != name}
        assert failure_in(entry, generation=3, now=NOW) is None

    def test_clocks_may_differ_by_a_second_and_a_time_may_be_a_whole_number(self) -> None:
        found = read(failed_at=int(NOW) + 1)
        assert found is not None
        assert found.age == 0.0

    @pytest.mark.parametrize("holder", [None, 1, "x", "0a1b2c3d4"])
    def test_a_holder_that_cannot_be_read_is_none(self, holder: object) -> None:
        found = read(failure={**SAID, "holder": holder})
        assert found is not None
        assert found.holder is None

    def test_facts_that_are_text(self) -> None:
        error = error_of(http_body="body", error_code="code", request_id="r-1")
        assert (error.http_body, error.error_code, error.request_id) == ("body", "code", "r-1")
        without = error_of(http_body=1, error_code=["code"], request_id=None)
        assert (without.http_body, without.error_code, without.request_id) == (None, None, None)

    def test_what_is_shown_is_printable_and_a_body_is_as_it_came_but_not_long(self) -> None:
        nasty = "\x1b[31mred\n" + "x" * 3000
        error = error_of(message=nasty, http_body=nasty, error_code=nasty, request_id=nasty)
        assert error.http_body == nasty[:2000]
        for shown in (error.message, error.error_code, error.request_id):
            assert shown.isprintable()
            assert len(shown) <= 2000 + 3

    @pytest.mark.parametrize(("wait", "seconds"), [(7, 7.0), (7.5, 7.5), (0, 0.0)])
    def test_how_long_to_wait(self, wait: object, seconds: float) -> None:
        error = error_of(kind="RateLimitError", http_status=429, retry_after=wait)
        assert (type(error.retry_after), error.retry_after) == (float, seconds)

    @pytest.mark.parametrize("wait", [None, "7", True, math.nan, math.inf, [7]])
    def test_nothing_of_it_if_it_is_no_number(self, wait: object) -> None:
        assert error_of(kind="RateLimitError", http_status=429, retry_after=wait).retry_after is None

    def test_an_error_has_the_facts_of_its_kind_and_no_other(self) -> None:
        assert error_of(kind="NoProductionVersionError", prompt_id="greeting").prompt_id == "greeting"
        assert "prompt_id" not in vars(error_of(kind="NotFoundError", prompt_id="greeting"))

    @pytest.mark.parametrize(
        "error",
        [
            RateLimitError(
                "slow down", http_status=429, http_body="body", error_code="c", request_id="r", retry_after=7.5
            ),
            NoProductionVersionError("none", http_status=404, prompt_id="greeting"),
        ],
    )
    def test_what_was_written_comes_back(self, error: ScopeError) -> None:
        text = failure_text(Told(error, Lock("key", "0a1b2c3d"), NOW, 3, 1.0))
        found = failure_in(json.loads(text), generation=3, now=NOW)
        assert found is not None
        assert (type(found.error), vars(found.error)) == (type(error), vars(error))
