"""Telemetry.on_cache hears what the cache does beyond answering with what is fresh, and never gets in the way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.clock import ManualClock, ends_within, eventually
from faults.crowd import crowd
from faults.reading import content, counted, wait_until_idle
from faults.replies import error, prompt
from faults.server import FaultServer

from scope_client import CacheInfo, NotFoundError, ScopeClient, ScopeError, ServerError, Telemetry

if TYPE_CHECKING:
    pass

Make = Callable[..., ScopeClient]
LONG = 10.0


@pytest.fixture
def told() -> list[CacheInfo]:
    events: list[CacheInfo] = []
    Telemetry.on_cache(events.append)
    return events


@pytest.fixture
def client(make_client: Make) -> ScopeClient:
    return make_client(cache_ttl=100, max_retries=0)


def refreshes(client: ScopeClient, clock: ManualClock) -> None:
    content(client)
    clock.passes(90)
    content(client)
    eventually(lambda: counted(client, "refreshes"))
    wait_until_idle(client)


def goes_stale(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    content(client)
    clock.passes(101)
    server.answers(error(503))
    assert content(client) == "Hello, {{name}}!"


def test_what_is_fetched_or_fresh_is_no_event(client: ScopeClient, told: list, clock: ManualClock) -> None:
    for options in ({}, {"label": "latest"}, {"cache": False}, {}):
        content(client, **options)
    clock.passes(500)
    content(client)
    client.clear_cache()
    content(client)
    assert told == []


def test_a_refresh_tells_the_age_of_what_it_replaced(client: ScopeClient, told: list, clock: ManualClock) -> None:
    refreshes(client, clock)
    eventually(lambda: told)
    assert told == [CacheInfo("greeting", "refresh", 90.0)]


def test_a_stale_answer_tells_its_age_each_time(
    client: ScopeClient, told: list, server: FaultServer, clock: ManualClock
) -> None:
    goes_stale(client, server, clock)
    clock.passes(0.25)
    content(client)
    assert told == [CacheInfo("greeting", "stale", 101.0), CacheInfo("greeting", "stale", 101.25)]


@pytest.mark.parametrize("fallback", ["text", lambda: "text", ""])
def test_a_fallback_has_no_age(fallback: Any, client: ScopeClient, told: list, server: FaultServer) -> None:
    server.answers(error(503))
    content(client, label="latest", fallback=fallback)
    content(client, fallback=fallback)
    assert told == [CacheInfo("greeting", "fallback", None)] * 2


def test_a_fallback_that_fails_is_none(client: ScopeClient, told: list, server: FaultServer) -> None:
    server.answers(error(503))
    with pytest.raises(ScopeError, match="fallback"):
        content(client, fallback=lambda: 5)
    assert told == []
    assert client.status().counters["fallbacks"] == 0


def test_an_eviction_is_told_once_and_only_of_what_was_there(
    client: ScopeClient, told: list, server: FaultServer, clock: ManualClock
) -> None:
    content(client)
    clock.passes(120)
    server.answers(error(404, "Prompt not found"))
    for _ in range(3):
        with pytest.raises(NotFoundError):
            content(client)
        with pytest.raises(NotFoundError):
            content(client, "never known")
        with pytest.raises(NotFoundError):
            content(client, cache=False)
    assert told == [CacheInfo("greeting", "evicted", 120.0)]


def test_what_is_told_cannot_be_changed(told: list, client: ScopeClient, clock: ManualClock) -> None:
    refreshes(client, clock)
    eventually(lambda: told)
    for name in ("prompt", "outcome", "age", "other"):
        with pytest.raises(AttributeError):
            setattr(told[0], name, "x")


@pytest.mark.parametrize("is_enabled", [False, True])
def test_nothing_is_built_that_nobody_hears(
    is_enabled: bool, make_client: Make, server: FaultServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []
    if not is_enabled:
        Telemetry.on_cache(heard.append)
    monkeypatch.setattr("scope_client._telemetry.CacheInfo", lambda *_: heard.append("built"))
    client = make_client(cache_ttl=100, telemetry_enabled=is_enabled)
    refreshes(client, clock)
    clock.passes(101)
    server.answers(error(503))
    content(client)
    content(client, "other", fallback="x")
    assert heard == []
    assert client.status().counters["stale"] == client.status().counters["fallbacks"] == 1


def test_a_callback_that_raises_is_logged_once_and_breaks_no_read(
    client: ScopeClient, server: FaultServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(info: CacheInfo) -> None:
        raise RuntimeError("the callback is broken")

    Telemetry.on_cache(broken)
    later: list[CacheInfo] = []
    Telemetry.on_cache(later.append)
    refreshes(client, clock)
    clock.passes(101)
    server.answers(error(503))
    for _ in range(3):
        assert content(client) == "Hello, {{name}}!"
    assert content(client, "other", fallback="x") == "x"
    clock.passes(90_000)
    server.answers(error(404, "Prompt not found"))
    with pytest.raises(NotFoundError):
        content(client)
    assert [info.outcome for info in later] == ["refresh", "stale", "stale", "stale", "fallback", "evicted"]
    assert len([record for record in caplog.records if record.name == "scope_client.telemetry"]) == 1


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_callback_reaches_the_reader(
    interrupt: type, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    def interrupts(info: CacheInfo) -> None:
        raise interrupt

    content(client)
    clock.passes(101)
    server.answers(error(503))
    unregister = Telemetry.on_cache(interrupts)
    with pytest.raises(interrupt):
        content(client)
    unregister()
    assert content(client) == "Hello, {{name}}!"


def test_a_callback_is_unregistered_alone_or_with_all_others(client: ScopeClient, server: FaultServer) -> None:
    one: list[CacheInfo] = []
    other: list[CacheInfo] = []
    unregister = Telemetry.on_cache(one.append)
    Telemetry.on_cache(other.append)
    server.answers(error(503))
    content(client, fallback="x")
    unregister()
    unregister()
    content(client, fallback="x")
    Telemetry.clear_callbacks()
    content(client, fallback="x")
    assert (len(one), len(other)) == (1, 2)


@pytest.mark.parametrize("callback", [None, "print", 5])
def test_what_cannot_be_called_is_a_type_error(callback: Any) -> None:
    with pytest.raises(TypeError, match="callable"):
        Telemetry.on_cache(callback)


def test_a_refresh_is_told_in_the_background_and_the_rest_to_the_reader(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    heard: dict[str, str] = {}
    Telemetry.on_cache(lambda info: heard.setdefault(info.outcome, threading.current_thread().name))
    refreshes(client, clock)
    goes_stale(client, server, clock)
    content(client, "other", fallback="x")
    me = threading.current_thread().name
    assert heard == {"refresh": "scope-background", "stale": me, "fallback": me}


def outcome(client: ScopeClient, name: str) -> str:
    try:
        return content(client, name)
    except ScopeError as failure:
        return type(failure).__name__


def reading(client: ScopeClient, seen: list) -> Callable[[CacheInfo], None]:
    """A callback that reads, twice, the prompt that it is told of."""

    def read(info: CacheInfo) -> None:
        seen.append(info.outcome)
        assert len(seen) < 1000, "it goes on and on"
        seen.extend(outcome(client, info.prompt) for _ in range(2))

    return read


def test_a_callback_of_a_refresh_may_read_the_prompt(client: ScopeClient, server: FaultServer, clock: Any) -> None:
    seen: list[str] = []
    Telemetry.on_cache(reading(client, seen))
    refreshes(client, clock)
    eventually(lambda: len(seen) == 3)
    assert seen == ["refresh", "Hello, {{name}}!", "Hello, {{name}}!"]


def test_a_callback_of_a_stale_answer_that_reads_the_prompt_is_not_told_of_its_own_read(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    seen: list[str] = []
    Telemetry.on_cache(reading(client, seen))
    with ends_within(LONG):
        goes_stale(client, server, clock)
    assert len(seen) < 10


def test_a_callback_of_a_fallback_that_uses_one_itself_is_not_told_of_its_own(
    client: ScopeClient, server: FaultServer
) -> None:
    seen: list[str] = []

    def alerts(info: CacheInfo) -> None:
        seen.append(info.prompt)
        content(client, "alert", fallback="the prompt server is down")

    Telemetry.on_cache(alerts)
    server.answers(error(503))
    assert content(client, fallback="x") == "x"
    assert len(seen) < 10


def test_a_callback_of_an_eviction_that_reads_the_prompt_neither_hangs_nor_asks_again(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    seen: list[str] = []
    content(client)
    clock.passes(101)
    server.answers(error(404, "Prompt not found"))
    Telemetry.on_cache(reading(client, seen))
    with ends_within(LONG), pytest.raises(NotFoundError):
        content(client)
    assert seen == ["evicted", "ConfigurationError", "ConfigurationError"]
    assert len(server.reads) == 2


def test_a_callback_may_clear_the_cache(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    Telemetry.on_cache(lambda _: client.clear_cache())
    goes_stale(client, server, clock)
    with pytest.raises(ServerError):
        content(client)
    server.answers(prompt("new"))
    assert content(client) == "new"


def test_many_readers_of_a_stale_version_are_each_told(
    client: ScopeClient, told: list, server: FaultServer, clock: ManualClock
) -> None:
    goes_stale(client, server, clock)
    crowd(16, lambda: content(client))
    assert [info.outcome for info in told] == ["stale"] * 17
    assert client.status().counters["stale"] == 17
