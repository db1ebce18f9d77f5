"""What is tried again, how often, and after which pause."""

from __future__ import annotations

import contextlib
from itertools import count
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.clock import ManualClock
from faults.replies import PROMPT, answer, brief, chunked, closes, error, hangs, head, resets, token
from faults.server import FaultServer, Peer

from scope_client import (
    ApiError,
    ApiKeyCredentials,
    Clock,
    Configuration,
    ConnectionError,
    NoProductionVersionError,
    RateLimitError,
    ScopeClient,
    ServerError,
    TimeoutError,
    TokenRefreshError,
)
from scope_client._attribute_names import (
    ERROR_TYPE,
    METHOD,
    REQUEST_DURATION,
    REQUEST_ID,
    RESEND_COUNT,
    RETRY_DELAY,
    STATUS,
)
from scope_client._attribute_names import REQUEST_URL as URL
from scope_client._http.budget import Budget
from scope_client._http.retries import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scope_client._http.answer import Reply

TIMEOUT = 1.0  # of real time
SECONDS_OF_A_CALL = 10.0
PASSING = (408, 429, 500, 502, 503, 504)
FINAL = (300, 302, 304, 400, 402, 403, 404, 405, 409, 410, 418, 422, 425, 451, 501, 505, 507, 511, 599, 201, 204, 206)
BROKEN = {
    "closed at once": closes(),
    "reset at once": resets(),
    "garbage": closes(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "closed in the headers": closes(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "closed after a header": closes(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"),
    "reset in the headers": resets(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "reset in the body": resets(PROMPT[:-10]),
    "closed in the body": closes(PROMPT[:-10]),
    "closed in a chunk": closes(chunked(b'{"content": "Hello"}', is_whole=False)[:-10]),
    "closed between chunks": closes(chunked(b'{"content": "Hello"}', is_whole=False)),
    "reset between chunks": resets(chunked(b'{"content": "Hello"}', is_whole=False)),
}
# Date is five minutes behind the clock of the client: the platform's own time counts.
DATE = "Tue, 14 Nov 2023 22:08:20 GMT"
IN_7_SECONDS_THERE = "Tue, 14 Nov 2023 22:08:27 GMT"
IN_7_SECONDS_HERE = "Tue, 14 Nov 2023 22:13:27 GMT"


@pytest.mark.parametrize("status", PASSING)
def test_a_status_that_may_pass_is_tried_again_and_then_succeeds(
    status: int, client: ScopeClient, server: FaultServer
) -> None:
    server.answers(error(status), error(status), PROMPT)
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert len(server.reads) == 3


@pytest.mark.parametrize("fault", BROKEN)
def test_a_connection_that_breaks_is_tried_again_and_then_succeeds(
    fault: str, client: ScopeClient, server: FaultServer
) -> None:
    server.answers(BROKEN[fault], PROMPT)
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"
    assert len(server.reads) == 2


@pytest.mark.parametrize("status", FINAL)
def test_any_other_status_is_raised_at_once(
    status: int, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(error(status) if status not in (204, 304) else head(status))
    with pytest.raises((ApiError, NoProductionVersionError)) as caught:
        client.get_prompt_version("greeting")
    assert caught.value.http_status == status
    assert len(server.reads) == 1
    assert clock.sleeps == []


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"{", b'"text"', b"null", b"{} {}"])
def test_a_whole_answer_that_is_no_json_object_is_raised_at_once(
    body: bytes, client: ScopeClient, server: FaultServer
) -> None:
    server.answers(answer(body))
    with pytest.raises(ApiError, match="expected a JSON object, got"):
        client.get_prompt_version("greeting")
    assert len(server.reads) == 1


@pytest.mark.parametrize("retries", [0, 1, 5])
@pytest.mark.parametrize(("fault", "replaced"), [(error(503), 0), (closes(), 1)], ids=["503", "closed"])
def test_there_are_max_retries_attempts_after_the_first(
    retries: int,
    fault: object,
    replaced: int,
    make_client: Callable[..., ScopeClient],
    server: FaultServer,
    clock: ManualClock,
) -> None:
    """The connection that had brought the token is found dead, and replaced within the first attempt."""
    server.answers(fault)
    with pytest.raises((ServerError, ConnectionError)):
        make_client(max_retries=retries).get_prompt_version("greeting")
    assert len(server.reads) == 1 + retries + replaced
    assert len(clock.sleeps) == retries


def test_a_refused_connection_is_tried_again(
    make_client: Callable[..., ScopeClient], closed_port: int, clock: ManualClock
) -> None:
    client = make_client(base_url=f"http://127.0.0.1:{closed_port}", max_retries=2)
    with pytest.raises(ConnectionError):
        client.get_prompt_version("greeting")
    assert len(clock.sleeps) == 2


def test_the_error_is_that_of_the_last_attempt(client: ScopeClient, server: FaultServer) -> None:
    server.answers(closes(), error(503), error(429), error(500, "the last one"))
    with pytest.raises(ServerError, match="the last one"):
        client.get_prompt_version("greeting")


@pytest.mark.parametrize(
    ("chance", "options", "sleeps"),
    [
        (1.0, {}, [0.5, 1, 2]),
        (0.5, {}, [0.25, 0.5, 1]),
        (0.0, {}, [0, 0, 0]),
        (1.0, {"retry_max_delay": 0.75}, [0.5, 0.75, 0.75]),
        (0.5, {"retry_max_delay": 0.75}, [0.25, 0.375, 0.375]),
        (1.0, {"retry_base_delay": 0}, [0, 0, 0]),
        (1.0, {"retry_max_delay": 0}, [0, 0, 0]),
        (1.0, {"retry_base_delay": 3, "max_retries": 6}, [3, 6, 12, 24, 30, 30]),
        (1.0, {"retry_base_delay": 1e-9, "max_retries": 70, "retry_max_delay": 5}, None),
        (1.0, {"retry_base_delay": 1e308, "max_retries": 2}, [30, 30]),
    ],
)
def test_the_pause_is_full_jitter_over_a_doubling_delay_up_to_its_limit(
    chance: float,
    options: dict,
    sleeps: list | None,
    make_client: Callable[..., ScopeClient],
    server: FaultServer,
    clock: ManualClock,
) -> None:
    clock.chance = chance
    server.answers(error(500))
    with pytest.raises(ServerError):
        make_client(**options).get_prompt_version("greeting")
    assert clock.sleeps == (sleeps or [min(1e-9 * 2.0**retry, 5) for retry in range(70)])


@pytest.mark.parametrize("status", [429, 503, 500, 408])
@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "0"}, 0),
        ({"Retry_After": "0.25"}, 0.25),
        ({"Retry_After": " 7 "}, 7),
        ({"Retry_After": "30"}, 30),
        ({"Retry_After": IN_7_SECONDS_HERE}, 7),
        ({"Retry_After": IN_7_SECONDS_THERE, "Date": DATE}, 7),
        ({"Retry_After": IN_7_SECONDS_HERE, "Date": "yesterday"}, 7),
        ({"Retry_After": "Tuesday, 14-Nov-23 22:13:27 GMT"}, 7),
        ({"Retry_After": "Tue Nov 14 22:13:27 2023"}, 7),
        ({"Retry_After": "Tue, 14 Nov 2023 23:13:27 +0100"}, 7),
        ({"Retry_After": "Tue, 14 Nov 2023 22:13:27 -0000"}, 7),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
    ],
)
def test_retry_after_is_obeyed(
    status: int, headers: dict, pause: float, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    clock.wall = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
    server.answers(error(status, **headers), PROMPT)
    client.get_prompt_version("greeting")
    assert clock.sleeps == [pytest.approx(pause)]


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "-5", "+5", "1e3", "0x10", "NaN", "inf", "5 seconds", "5, 5", "\xb2", "5.", ".5", "1_0"),
        *("Wed, 99 Oct 2015 07:28:00 GMT", "0000-00-00", "Mon, 1 Jan 99999 0:0:0 GMT"),
        *("9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 -9999", "Fri, 31 Dec 2100", ",", "Mon,"),
    ],
)
def test_a_retry_after_that_cannot_be_read_is_as_good_as_none(
    text: str, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(error(503, Retry_After=text), PROMPT)
    client.get_prompt_version("greeting")
    assert clock.sleeps == [0.5]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "31"}, 31),
        ({"Retry_After": "86400"}, 86400),
        ({"Retry_After": "9" * 400}, 1e9),
        ({"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 253402300799 - 1_700_000_000),
        ({"Retry_After": "Tue, 14 Nov 2023 23:08:20 GMT", "Date": DATE}, 3600),
    ],
)
@pytest.mark.parametrize(("status", "kind"), [(429, RateLimitError), (503, ServerError)])
def test_a_retry_after_that_is_too_long_is_raised_at_once_and_told(
    status: int, kind: type, headers: dict, seconds: float, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(error(status, **headers))
    with pytest.raises(kind) as caught:
        client.get_prompt_version("greeting")
    assert caught.value.retry_after == pytest.approx(seconds)
    assert clock.sleeps == []
    assert len(server.reads) == 1


def test_retry_after_is_told_where_no_attempt_is_left(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.answers(error(429, Retry_After="7"))
    with pytest.raises(RateLimitError) as caught:
        make_client(max_retries=0).get_prompt_version("greeting")
    assert caught.value.retry_after == 7


def test_retry_after_is_none_where_it_was_not_sent(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    server.answers(error(429))
    with pytest.raises(RateLimitError) as caught:
        make_client(max_retries=0).get_prompt_version("greeting")
    assert caught.value.retry_after is None


@pytest.mark.parametrize("fault", [*map(error, PASSING), closes(), closes(token()[:-5])], ids=brief)
def test_the_token_exchange_is_tried_again_by_the_same_rule(
    fault: object, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(fault, fault, token())
    client.get_prompt_version("greeting")
    assert len(server.logins) == 3
    assert clock.sleeps == [0.5, 1]


def test_a_long_retry_after_of_the_token_endpoint_is_told(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(error(429, Retry_After="3600"))
    with pytest.raises(TokenRefreshError) as caught:
        client.get_prompt_version("greeting")
    assert (caught.value.http_status, caught.value.retry_after) == (429, 3600)
    assert clock.sleeps == []


def test_every_attempt_of_a_call_has_the_same_request_id_and_the_next_call_another(
    client: ScopeClient, server: FaultServer
) -> None:
    server.gives_tokens(error(500), token("token-1"), token("token-2"))
    server.answers(error(503), closes(), error(401), PROMPT)
    client.get_prompt_version("greeting")
    assert len(server.requests) == 7
    first = {request.header("X-Request-ID") for request in server.requests}
    assert len(first) == 1
    client.get_prompt_version("other")
    assert server.requests[-1].header("X-Request-ID") not in first


def test_an_interrupted_pause_ends_the_call(make_client: Callable[..., ScopeClient], server: FaultServer) -> None:

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    client = make_client(clock=Clock(sleep=interrupted))
    server.answers(error(503), PROMPT)
    with pytest.raises(KeyboardInterrupt):
        client.get_prompt_version("greeting")
    assert client.get_prompt_version("greeting").content == "Hello, {{name}}!"


def test_a_connection_that_was_closed_while_idle_is_no_failure(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(max_retries=0)
    server.answers(closes(PROMPT))
    client.get_prompt_version("greeting")
    server.wait_until_all_have_left()
    assert client.get_prompt_version("other").content == "Hello, {{name}}!"
    assert clock.sleeps == []
    assert server.accepted == 2


def test_each_attempt_is_in_the_log_with_its_facts(
    client: ScopeClient, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def takes_two_seconds(peer: Any) -> None:
        clock.passes(2)
        peer.send(PROMPT)

    caplog.set_level("DEBUG", "scope_client.http")
    server.answers(error(503), takes_two_seconds)
    client.get_prompt_version("greeting")
    url = f"{server.url}{server.reads[0].target}"
    failed, pause, answered = [record for record in caplog.records if vars(record).get(URL) == url]
    for record, status, resends, seconds in ((failed, 503, 0, 0.0), (answered, 200, 1, 2.0)):
        facts = vars(record)
        assert record.getMessage() == f"GET {url} answered {status} in {seconds * 1000:.1f} ms"
        assert (facts[METHOD], facts[STATUS], facts[RESEND_COUNT]) == ("GET", status, resends)
        assert facts[REQUEST_ID] == server.reads[resends].header("X-Request-ID")
        assert facts[REQUEST_DURATION] == pytest.approx(seconds)
    facts = vars(pause)
    assert pause.getMessage().startswith("attempt 1 failed, the next one is in ")
    assert (facts[METHOD], facts[STATUS], facts[RESEND_COUNT]) == ("GET", 503, 1)
    assert facts[RETRY_DELAY] == clock.sleeps[0]
    assert facts[REQUEST_ID] == server.reads[0].header("X-Request-ID")
    assert facts[ERROR_TYPE] == "scope_client.ServerError"


@pytest.fixture
def exchange(keys: ApiKeyCredentials, clock: ManualClock) -> Iterator[Exchange]:
    opened = Exchange(Configuration(credentials=keys, max_retries=3), clock.clock)
    yield opened
    opened.close()


def get(exchange: Exchange, server: FaultServer, budget: Budget) -> Reply:
    return exchange.get(f"{server.url}/api/v1/prompts/a/production", "r-1", budget, token="t", resends=count())


def test_a_budget_hears_of_each_attempt_without_an_answer(
    exchange: Exchange, server: FaultServer, clock: ManualClock
) -> None:
    heard: list[int] = []
    budget = Budget(clock.clock.now).watched(lambda: heard.append(len(server.requests)))
    server.answers(closes(), closes(), error(503), PROMPT)
    assert "content" in get(exchange, server, budget).body
    assert heard == [1, 2]


def test_an_attempt_without_an_answer_has_the_id_of_its_request(
    exchange: Exchange, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(closes())
    with pytest.raises(ConnectionError) as caught:
        get(exchange, server, Budget(clock.clock.now))
    assert caught.value.request_id == server.reads[0].header("X-Request-ID") == "r-1"


@pytest.mark.parametrize(("late_by", "is_overrun"), [(0.0, False), (0.95, False), (1.05, True)])
def test_an_attempt_that_is_more_than_a_second_late_was_kept_from_its_time(
    late_by: float, is_overrun: bool, keys: ApiKeyCredentials, server: FaultServer, clock: ManualClock
) -> None:
    def hangs_while_time_passes(peer: Peer) -> None:
        clock.passes(TIMEOUT + late_by)
        hangs()(peer)

    server.answers(hangs_while_time_passes)
    exchange = Exchange(Configuration(credentials=keys, timeout=TIMEOUT, max_retries=0), clock.clock)
    with contextlib.closing(exchange), pytest.raises(TimeoutError) as caught:
        get(exchange, server, Budget(clock.clock.now))
    assert caught.value.is_overrun is is_overrun


def test_an_attempt_that_times_out_is_followed_by_another_if_there_is_time_for_one(
    keys: ApiKeyCredentials, server: FaultServer, clock: ManualClock
) -> None:
    def hangs_while_time_passes(peer: Peer) -> None:
        clock.passes(SECONDS_OF_A_CALL - 0.5)
        hangs()(peer)

    server.answers(hangs_while_time_passes, PROMPT)
    clock.chance = 0.1
    exchange = Exchange(Configuration(credentials=keys, timeout=TIMEOUT, retry_base_delay=1.0), clock.clock)
    with contextlib.closing(exchange):
        assert "content" in get(exchange, server, Budget(clock.clock.now, SECONDS_OF_A_CALL)).body
    assert len(server.reads) == 2


def test_an_attempt_that_ends_after_the_call_is_the_time_out_of_the_call(
    keys: ApiKeyCredentials, server: FaultServer, clock: ManualClock
) -> None:
    def hangs_while_time_passes(peer: Peer) -> None:
        clock.passes(SECONDS_OF_A_CALL + 0.5)
        hangs()(peer)

    server.answers(hangs_while_time_passes)
    exchange = Exchange(Configuration(credentials=keys, timeout=TIMEOUT, max_retries=0), clock.clock)
    with contextlib.closing(exchange), pytest.raises(TimeoutError) as caught:
        get(exchange, server, Budget(clock.clock.now, SECONDS_OF_A_CALL))
    assert caught.value.is_deadline


def test_a_call_whose_time_is_over_before_it_asks_sends_nothing_and_says_nothing_of_the_platform(
    exchange: Exchange, server: FaultServer, clock: ManualClock
) -> None:
    budget = Budget(clock.clock.now, SECONDS_OF_A_CALL)
    clock.passes(SECONDS_OF_A_CALL + 0.2)
    with pytest.raises(TimeoutError) as caught:
        get(exchange, server, budget)
    assert (caught.value.is_deadline, caught.value.is_overrun) == (True, True)
    assert not server.requests


def test_an_exchange_that_is_closed_has_no_connections_though_somebody_holds_it(
    exchange: Exchange, server: FaultServer, clock: ManualClock
) -> None:
    get(exchange, server, Budget(clock.clock.now))
    server.wait_until_open(1)
    exchange.close()
    server.wait_until_all_have_left()
