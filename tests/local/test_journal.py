"""What arrived is on record for tests, and told to people without a secret."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest
import requests

from scope_client.local import LocalPlatform
from scope_client.local._journal import Journal

if TYPE_CHECKING:
    from tests.local.conftest import Caller


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
