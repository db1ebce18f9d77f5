"""The platform fails when it is told to, as often as it is told to, and then recovers."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Callable

import pytest
import requests
from faults.clock import ManualClock, eventually

from scope_client.errors import AuthenticationError, ConfigurationError, InvalidCredentialsError, TimeoutError
from scope_client.local import ActiveFault, LocalPlatform, _platform
from scope_client.local._connection import LIMITS
from scope_client.local._server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.conftest import Caller

PATIENCE = 10.0


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
    ("retry_after", "header"),
    [(2, "2"), (0.5, "0.5"), (0, "0"), (1234567, "1234567"), ("Fri, 31 Dec 2027 23:59:59 GMT",) * 2, (None, None)],
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
        ({"retry_after": float("inf")}, "retry_after must be seconds"),
        ({"retry_after": 10**400}, "retry_after must be seconds"),
        ({"retry_after": True}, "retry_after must be seconds"),
        ({"code": 5}, "code must be text, or None, got 5"),
        ({"message": b"gone"}, "message must be text, or None, got b'gone'"),
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


def kinds(platform: LocalPlatform) -> list[tuple[str, str]]:
    return [(fault.kind, fault.on) for fault in platform.faults]


class Asked:
    """A request that is under way in a thread of its own."""

    def __init__(self, call: Caller, token: str) -> None:
        self.status: int | None = None
        self._call, self._token = call, token
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        self.status = self._call.get("/api/v1/prompts/greeting/latest", self._token).status_code

    def ended(self) -> int | None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.status


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def timed(clock: ManualClock) -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Hello"}, clock=clock.clock) as started:
        yield started


class TestAHang:
    def test_keeps_a_client_waiting_until_it_runs_into_its_time_limit(self, platform: LocalPlatform) -> None:
        platform.hang()
        with platform.client(timeout=0.3, max_retries=0) as client, pytest.raises(TimeoutError):
            client.get_prompt_version("greeting")
        assert [request.path for request in platform.requests][-1] == "/api/v1/prompts/greeting/production"

    def test_notices_a_client_that_has_gone_and_frees_its_thread(self, platform: LocalPlatform, call: Caller) -> None:
        platform.hang()
        with pytest.raises(requests.Timeout):
            call.session.get(platform.url, timeout=0.05)
        eventually(lambda: [request.status for request in platform.requests] == [499])
        assert platform.requests[0].note == "client_gone"

    def test_is_over_with_a_recovery_and_those_who_wait_are_answered(
        self, platform: LocalPlatform, call: Caller
    ) -> None:
        token = call.token()
        platform.hang(times=1)
        asked = Asked(call, token)
        eventually(lambda: len(platform.requests) == 2 and not platform.faults)
        platform.recover()
        assert asked.ended() == 200

    def test_is_for_as_many_requests_as_it_says(self, platform: LocalPlatform, call: Caller) -> None:
        token = call.token()
        platform.hang(times=1)
        with pytest.raises(requests.Timeout):
            call.session.get(platform.url, timeout=0.05)
        assert call.get("/api/v1/prompts/greeting/latest", token).status_code == 200

    def test_of_the_token_endpoints_leaves_the_prompts_alone(self, platform: LocalPlatform, call: Caller) -> None:
        token = call.token()
        platform.hang(on="auth")
        assert call.get("/api/v1/prompts/greeting/latest", token).status_code == 200
        with pytest.raises(requests.Timeout):
            call.session.post(platform.url + platform.credentials.token_path, json={}, timeout=0.05)

    def test_ends_by_itself_when_its_time_is_over(
        self, timed: LocalPlatform, clock: ManualClock, call_to: Callable[[LocalPlatform], Caller]
    ) -> None:
        call = call_to(timed)
        token = call.token()
        timed.hang(for_seconds=30)
        asked = Asked(call, token)
        eventually(lambda: timed.faults[0].hits == 1)
        clock.passes(29)
        assert kinds(timed) == [("hang", "api")]
        clock.passes(1)
        assert asked.ended() == 200
        assert timed.faults == ()

    def test_that_gives_way_to_another_fault_lets_its_clients_go(self, platform: LocalPlatform, call: Caller) -> None:
        token = call.token()
        platform.hang()
        asked = Asked(call, token)
        eventually(lambda: platform.faults[0].hits == 1)
        platform.fail(503)
        assert asked.ended() == 200

    def test_lets_its_clients_go_when_it_is_ended_alone(self, platform: LocalPlatform, call: Caller) -> None:
        token = call.token()
        platform.hang()
        platform.fail(503, on="auth")
        asked = Asked(call, token)
        eventually(lambda: platform.faults[0].hits == 1)
        platform._faults.end(lambda fault: fault.kind == "hang")
        assert asked.ended() == 200
        assert [fault.kind for fault in platform.faults] == ["error"]

    def test_goes_on_when_another_fault_is_ended(self, platform: LocalPlatform, call: Caller) -> None:
        token = call.token()
        platform.hang()
        platform.slow(0.001)
        asked = Asked(call, token)
        eventually(lambda: platform.faults[0].hits == 1)
        platform._faults.end(lambda fault: fault.kind == "slow")
        assert [fault.kind for fault in platform.faults] == ["hang"]
        platform.recover()
        assert asked.ended() == 200

    def test_leaves_room_for_the_page_that_ends_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        few = LIMITS._replace(connections=2)
        monkeypatch.setattr(_platform, "LoopbackServer", lambda *of: LoopbackServer(*of, few))
        with LocalPlatform(ui=True) as platform, contextlib.ExitStack() as opened:
            platform.hang()
            for _ in range(2):
                connection = opened.enter_context(socket.create_connection(("127.0.0.1", platform.port), PATIENCE))
                connection.sendall(b"GET /api/v1/prompts/greeting/latest HTTP/1.1\r\nHost: localhost\r\n\r\n")
            eventually(lambda: platform.faults[0].hits == 2)
            assert requests.get(f"{platform.url}/faults", timeout=PATIENCE).status_code == 200

    def test_does_not_outlive_the_platform(self, platform: LocalPlatform, call: Caller) -> None:
        platform.hang()
        with pytest.raises(requests.Timeout):
            call.session.get(platform.url, timeout=0.05)
        connection = socket.create_connection(("127.0.0.1", platform.port), PATIENCE)
        with connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{platform.port}\r\n\r\n".encode())
            eventually(lambda: len(platform.requests) == 2)
            platform.stop()
            assert connection.recv(1) == b""
        platform.start()
        assert kinds(platform) == [("hang", "api")]


class TestRefusals:
    def test_of_tokens_are_of_every_token_and_new_ones_are_issued(self, platform: LocalPlatform, call: Caller) -> None:
        platform.refuse_tokens()
        answer = call.read("greeting")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token")
        with platform.client() as client, pytest.raises(AuthenticationError):
            client.get_prompt_version("greeting")
        platform.recover()
        assert call.read("greeting").status_code == 200

    def test_of_tokens_for_one_request_are_got_over_with_a_new_token(self, platform: LocalPlatform) -> None:
        platform.refuse_tokens(times=1)
        with platform.client() as client:
            assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
        assert [request.status for request in platform.requests] == [200, 401, 200, 200]

    def test_of_credentials_are_of_the_token_endpoints_alone(self, platform: LocalPlatform, call: Caller) -> None:
        token = call.token()
        platform.refuse_credentials(times=2)
        assert call.get("/api/v1/prompts/greeting/latest", token).status_code == 200
        with platform.client() as client, pytest.raises(InvalidCredentialsError):
            client.get_prompt_version("greeting")
        assert kinds(platform) == [("refused credentials", "auth")]


class TestSlowness:
    def test_is_beside_the_other_faults_and_ends_with_them(self, platform: LocalPlatform, call: Caller) -> None:
        token = call.token()
        platform.fail(503)
        platform.slow(0.05)
        assert call.get("/api/v1/prompts/greeting/latest", token).status_code == 503
        took = platform.requests[-1].elapsed_ms
        assert took is not None
        assert took >= 45
        assert kinds(platform) == [("error", "api"), ("slow", "both")]
        assert (platform.faults[-1].delay, platform.faults[-1].hits) == (0.05, 1)
        platform.recover()
        assert platform.faults == ()

    def test_lets_go_at_a_recovery_whoever_waits(self, platform: LocalPlatform, call: Caller) -> None:
        token = call.token()
        platform.slow(1000)
        asked = Asked(call, token)
        eventually(lambda: platform.faults[0].hits == 1)
        platform.recover()
        assert asked.ended() == 200

    def test_ends_for_those_who_wait_when_its_time_is_over(
        self, timed: LocalPlatform, clock: ManualClock, call_to: Callable[[LocalPlatform], Caller]
    ) -> None:
        call = call_to(timed)
        token = call.token()
        timed.slow(1000, for_seconds=60)
        asked = Asked(call, token)
        eventually(lambda: timed.faults[0].hits == 1)
        clock.passes(60)
        assert asked.ended() == 200

    def test_that_another_one_takes_the_place_of_keeps_nobody_waiting(
        self, platform: LocalPlatform, call: Caller
    ) -> None:
        token = call.token()
        platform.slow(1000)
        asked = Asked(call, token)
        eventually(lambda: platform.faults[0].hits == 1)
        platform.slow(0.001)
        assert asked.ended() == 200

    @pytest.mark.parametrize("seconds", [1000, 1e300])
    def test_notices_a_client_that_has_gone_and_frees_its_thread(
        self, seconds: float, platform: LocalPlatform, call: Caller
    ) -> None:
        token = call.token()
        platform.slow(seconds)
        with pytest.raises(requests.Timeout):
            requests.get(f"{platform.url}/api/v1/prompts/greeting/latest", timeout=0.1)
        eventually(lambda: platform.requests[-1].status == 499)
        platform.recover()
        assert call.get("/api/v1/prompts/greeting/latest", token).status_code == 200

    def test_is_no_shorter_than_the_latency_which_outlives_it(self, platform: LocalPlatform, call: Caller) -> None:
        token = call.token()
        platform.latency = 0.05
        platform.slow(0.001)
        for _ in range(2):
            call.get("/api/v1/prompts/greeting/latest", token)
            took = platform.requests[-1].elapsed_ms
            assert took is not None
            assert took >= 45
            platform.recover()
        assert platform.latency == 0.05

    @pytest.mark.parametrize("seconds", [0, -1, float("nan"), "1", None])
    def test_that_cannot_be_is_refused(self, seconds: Any, platform: LocalPlatform) -> None:
        with pytest.raises(ConfigurationError, match="seconds must be a positive number of seconds"):
            platform.slow(seconds)
        assert platform.faults == ()


class TestTheClock:
    def test_ends_each_kind_of_fault(self, timed: LocalPlatform, clock: ManualClock) -> None:
        timed.fail(500, times=3, for_seconds=1)
        timed.hang(for_seconds=2)
        timed.refuse_credentials(for_seconds=3)
        timed.slow(1, for_seconds=4)
        left = []
        for _ in range(5):
            left.append(len(timed.faults))
            clock.passes(1)
        assert left == [4, 3, 2, 1, 0]

    def test_says_how_long_a_fault_has_been_on_and_how_much_is_left(
        self, timed: LocalPlatform, clock: ManualClock, call_to: Callable[[LocalPlatform], Caller]
    ) -> None:
        began = clock.wall
        timed.fail(429, retry_after=2, times=5, for_seconds=60)
        clock.passes(20)
        call_to(timed).read("greeting")
        assert timed.faults == (ActiveFault("error", "api", 429, "2", 0.0, began, 20.0, 40.0, 4, 1),)
        timed.recover()
        timed.fail(503)
        (fault,) = timed.faults
        assert (fault.seconds_left, fault.times_left, fault.hits) == (None, None, 0)

    def test_takes_a_fault_that_is_over_out_of_the_line(
        self, timed: LocalPlatform, clock: ManualClock, call_to: Callable[[LocalPlatform], Caller]
    ) -> None:
        timed.fail(503, times=9, for_seconds=10)
        timed.fail(500, times=1)
        clock.passes(10)
        assert statuses(call_to(timed), 2) == [500, 200]

    @pytest.mark.parametrize("wrong", [0, -1, float("nan"), "1"])
    def test_must_be_a_positive_number(self, wrong: Any, platform: LocalPlatform) -> None:
        for switch in (platform.hang, platform.refuse_tokens, platform.refuse_credentials):
            with pytest.raises(ConfigurationError, match="for_seconds must be a positive number of seconds"):
                switch(for_seconds=wrong)
        assert platform.faults == ()


def test_those_who_follow_are_told_of_each_switch(platform: LocalPlatform) -> None:
    positions = [platform._journal.follow(0, 0).position]
    for switch in (platform.hang, lambda: platform.slow(1), platform.recover):
        switch()
        positions.append(platform._journal.follow(positions[-1], PATIENCE).position)
    assert positions == sorted(set(positions))
