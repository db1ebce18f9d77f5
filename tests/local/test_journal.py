"""What arrived is on record for tests, and told to people without a secret."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest
import requests
from faults.clock import ManualClock, eventually

from scope_client.local import LocalPlatform
from scope_client.local._journal import Journal

if TYPE_CHECKING:
    from tests.local.conftest import Caller

PATIENCE = 10.0
A_LONG_TIME = 3600.0


def test_requests_are_recorded_in_order_with_what_they_were_answered(platform: LocalPlatform, call: Caller) -> None:
    call.read("greeting")
    call.read("nobody")
    got = [(request.method, request.path, request.status) for request in platform.requests]
    assert got == [
        ("POST", "/v1/auth/sdk-token", 200),
        ("GET", "/api/v1/prompts/greeting/production", 200),
        ("POST", "/v1/auth/sdk-token", 200),
        ("GET", "/api/v1/prompts/nobody/production", 404),
    ]


def test_a_path_is_recorded_as_it_was_sent(platform: LocalPlatform, call: Caller) -> None:
    path = "/api/v1/prompts/a%2Fb%20%C3%A9/latest?x=%2F"
    call.get(path)
    assert platform.requests[-1].path == path


def test_headers_are_recorded_and_found_in_any_case(platform: LocalPlatform, call: Caller) -> None:
    call.get("/", "t", **{"X-Scope-Environment": "staging"})
    headers: Any = platform.requests[-1].headers
    assert headers["x-scope-environment"] == headers.get("X-SCOPE-ENVIRONMENT") == "staging"
    assert headers["authorization"] == "Bearer t"
    with pytest.raises(TypeError):
        headers["x"] = "y"


def test_the_request_id_on_record_is_the_one_that_was_answered(platform: LocalPlatform, call: Caller) -> None:
    answer = call.read("greeting")
    assert platform.requests[-1].request_id == answer.headers["X-Request-ID"]


def test_a_request_is_on_record_before_it_is_answered(platform: LocalPlatform, call: Caller) -> None:
    platform.latency = 30
    with pytest.raises(requests.Timeout):
        call.session.get(platform.url, timeout=0.05)
    while not platform.requests:
        time.sleep(0.001)
    (request,) = platform.requests
    assert (request.path, request.status, request.elapsed_ms) == ("/", None, None)


def test_a_request_is_on_record_with_its_answer_when_the_caller_has_it(platform: LocalPlatform, call: Caller) -> None:
    for _ in range(50):
        call.session.get(platform.url, timeout=10)
        assert platform.requests[-1].status == 404


def test_requests_of_many_threads_are_all_recorded(
    platform: LocalPlatform, call_to: Callable[[LocalPlatform], Caller]
) -> None:
    callers = [call_to(platform) for _ in range(8)]
    threads = [threading.Thread(target=lambda c=caller: [c.read("greeting") for _ in range(5)]) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(platform.requests) == 80
    assert {request.status for request in platform.requests} == {200}
    assert len({request.request_id for request in platform.requests}) == 80


def test_a_platform_that_runs_for_long_forgets_the_oldest_requests() -> None:
    journal = Journal(kept=5)
    for number in range(8):
        journal.answered(journal.arrived("GET", f"/{number}", {}, "id"), 200, 1.0)
    journal.answered(0, 500, 1.0)
    assert [(record.path, record.status) for record in journal.records] == [
        (f"/{number}", 200) for number in range(3, 8)
    ]


def told(call_to: Callable[[LocalPlatform], Caller], ask: Callable[[Caller], object], **prompts: str) -> list[str]:
    lines: list[str] = []
    with LocalPlatform(prompts, log=lines.append) as platform:
        ask(call_to(platform))
    return lines


def test_each_answer_is_one_readable_line(call_to: Callable[[LocalPlatform], Caller]) -> None:
    lines = told(call_to, lambda call: (call.read("greeting"), call.get("/x", "t")), greeting="Hi")
    assert [re.sub(r" +\d+\.\d ms", " 1.3 ms", line[10:]) for line in lines] == [
        "POST /v1/auth/sdk-token              200 1.3 ms",
        "GET  greeting production             200 1.3 ms  v1",
        "GET  /x                              404 1.3 ms  not_found",
    ]
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines)


def test_no_line_holds_a_token_or_a_secret(call_to: Callable[[LocalPlatform], Caller]) -> None:
    tokens: list[str] = []

    def ask(call: Caller) -> None:
        tokens.append(call.token())
        call.get("/api/v1/prompts/greeting/latest", tokens[0])
        call.get("/api/v1/prompts/greeting/latest", f"{tokens[0]}x")

    text = "\n".join(told(call_to, ask, greeting="Hi"))
    assert "invalid_token" in text
    assert not any(secret in text for secret in (*tokens, tokens[0][:20], "local-secret"))


def test_a_name_cannot_break_a_line_or_colour_it(call_to: Callable[[LocalPlatform], Caller]) -> None:
    *_, line = told(call_to, lambda call: call.read("a\n\x1b[31mb é"))
    assert r"a\n\x1b[31mb é production" in line


def test_a_log_that_fails_breaks_no_answer(
    call_to: Callable[[LocalPlatform], Caller], caplog: pytest.LogCaptureFixture
) -> None:
    def log(line: str) -> None:
        raise BrokenPipeError

    with LocalPlatform({"greeting": "Hi"}, log=log) as platform:
        assert call_to(platform).content("greeting") == "Hi"
    assert "the log of the local platform failed" in caplog.text


def test_without_a_log_nothing_is_written(
    platform: LocalPlatform, call: Caller, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    call.read("greeting")
    platform.stop()
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_a_request_is_recorded_with_its_time_its_client_and_what_it_was_given(
    call_to: Callable[[LocalPlatform], Caller],
) -> None:
    clock = ManualClock()
    with LocalPlatform({"greeting": "Hi"}, clock=clock.clock) as platform:
        call_to(platform).get("/api/v1/prompts/greeting/latest", **{"User-Agent": "Shop/1.0 \x1f" + "x" * 1000})
        clock.passes(5)
        call_to(platform).read("nobody")
    at = [(request.at - clock.wall, request.note) for request in platform.requests]
    assert at == [(-5, ""), (-5, "v1"), (0, ""), (0, "prompt_not_found")]
    client = platform.requests[1].client
    assert client.startswith(r"Shop/1.0 \x1fxxx")
    assert len(client) == 100


class TestFollowing:
    def test_tells_what_arrived_and_what_was_answered_since(self) -> None:
        journal = Journal()
        first = journal.arrived("GET", "/1", {}, "id")
        second = journal.arrived("GET", "/2", {}, "id")
        news = journal.follow(0, PATIENCE)
        assert [(number, record.path, record.status) for number, record in news.requests] == [
            (first, "/1", None),
            (second, "/2", None),
        ]
        journal.answered(first, 200, 1.0, "v1")
        news = journal.follow(news.position, PATIENCE)
        assert [(number, record.status) for number, record in news.requests] == [(first, 200)]

    def test_waits_for_the_next_one(self) -> None:
        journal = Journal()
        seen: list[str] = []

        def follow() -> None:
            position = 0
            while (news := journal.follow(position, A_LONG_TIME)) is not None:
                seen.extend(record.path for _, record in news.requests)
                position = news.position

        thread = threading.Thread(target=follow)
        thread.start()
        for number in range(50):
            journal.arrived("GET", f"/{number}", {}, "id")
        eventually(lambda: len(seen) == 50)
        journal.close()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert seen == [f"/{number}" for number in range(50)]

    def test_has_nothing_to_tell_when_the_time_is_over_or_something_else_has_changed(self) -> None:
        journal = Journal()
        journal.arrived("GET", "/", {}, "id")
        position = journal.follow(0, 0).position
        assert journal.follow(position, 0) == (position, ())
        journal.nudge()
        news = journal.follow(position, PATIENCE)
        assert (news.position > position, news.requests) == (True, ())

    def test_of_one_who_has_followed_another_journal_begins_anew(self) -> None:
        journal = Journal()
        journal.arrived("GET", "/", {}, "id")
        assert len(journal.follow(1_000_000, 0).requests) == 1

    def test_ends_with_the_platform_and_begins_with_it(self) -> None:
        platform = LocalPlatform()
        with platform:
            follow = platform._journal.follow
            assert follow(0, 0) is not None
        assert follow(0, A_LONG_TIME) is None
        with platform:
            assert follow(0, 0) is not None

    def test_tells_no_more_than_what_is_kept(self) -> None:
        journal = Journal(kept=3)
        for number in range(9):
            journal.answered(journal.arrived("GET", f"/{number}", {}, "id"), 200, 1.0)
        journal.answered(0, 500, 1.0)
        assert [record.path for _, record in journal.follow(0, 0).requests] == ["/6", "/7", "/8"]
