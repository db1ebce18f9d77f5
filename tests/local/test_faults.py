"""The platform fails when it is told to, as often as it is told to, and then recovers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scope_client.errors import ConfigurationError

if TYPE_CHECKING:
    from scope_client.local import LocalPlatform
    from tests.local.conftest import Caller


def statuses(call: Caller, times: int) -> list[int]:
    token = call.token()
    return [call.get("/api/v1/prompts/greeting/latest", token).status_code for _ in range(times)]


def test_a_fault_ends_after_its_times(platform: LocalPlatform, call: Caller) -> None:
    platform.fail(503, times=2)
    assert statuses(call, 4) == [503, 503, 200, 200]


def test_a_fault_without_times_lasts_until_recovery(platform: LocalPlatform, call: Caller) -> None:
    platform.fail(500)
    assert statuses(call, 5) == [500] * 5
    platform.recover()
    assert statuses(call, 1) == [200]


def test_faults_line_up(platform: LocalPlatform, call: Caller) -> None:
    platform.fail(503, times=1)
    platform.fail(429, times=2)
    platform.fail(500)
    platform.fail(502, times=1)
    assert statuses(call, 5) == [503, 429, 429, 502, 200]


def test_recovery_ends_the_faults_of_both_sides(platform: LocalPlatform, call: Caller) -> None:
    platform.fail(503, times=9)
    platform.fail(503, on="auth")
    platform.recover()
    assert statuses(call, 1) == [200]


def test_the_token_endpoints_fail_on_their_own(platform: LocalPlatform, call: Caller) -> None:
    token = call.token()
    platform.fail(503, on="auth", times=2)
    assert call.get("/api/v1/prompts/greeting/latest", token).status_code == 200
    assert [call.buy(keys).status_code for keys in (platform.credentials, platform.client_credentials)] == [503, 503]
    assert call.buy().status_code == 200


def test_a_fault_says_what_it_was_told_to(platform: LocalPlatform, call: Caller) -> None:
    platform.fail(404, times=1, code="prompt_not_found", message="gone")
    assert call.read("greeting").json() == {"error": {"code": "prompt_not_found", "message": "gone"}}
    platform.fail(500, times=1)
    assert call.read("greeting").json()["error"]["code"] == "fault_500"


@pytest.mark.parametrize(
    ("retry_after", "header"), [(2, "2"), (0.5, "0.5"), (0, "0"), ("Fri, 31 Dec 2027 23:59:59 GMT",) * 2, (None, None)]
)
def test_a_pause_is_asked_for_in_seconds_or_as_a_date(
    retry_after: Any, header: str | None, platform: LocalPlatform, call: Caller
) -> None:
    platform.fail(429, times=1, retry_after=retry_after)
    assert call.read("greeting").headers.get("Retry-After") == header


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"status": 200}, "status must be an HTTP error, 400 to 599, got 200"),
        ({"status": 600}, "status must be an HTTP error"),
        ({"status": "503"}, "status must be an HTTP error"),
        ({"times": 0}, "times must be a whole number, 1 or more, or None, got 0"),
        ({"times": 1.5}, "times must be"),
        ({"times": True}, "times must be"),
        ({"on": "both"}, "on must be one of api, auth, got 'both'"),
        ({"retry_after": -1}, "retry_after must be seconds"),
        ({"retry_after": float("nan")}, "retry_after must be seconds"),
        ({"retry_after": "1\r\nX: y"}, "retry_after must be seconds"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(wrong: dict[str, Any], says: str, platform: LocalPlatform) -> None:
    with pytest.raises(ConfigurationError, match=says):
        platform.fail(**{"status": 503, **wrong})


def test_a_client_gets_over_a_short_outage(platform: LocalPlatform) -> None:
    platform.fail(503, times=2)
    with platform.client(retry_base_delay=0.001) as client:
        assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert [request.status for request in platform.requests] == [200, 503, 503, 200]
