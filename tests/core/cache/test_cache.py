"""A fresh version is answered from memory; what is not fresh is fetched once for all who ask."""

from __future__ import annotations

import itertools
import threading
from typing import Callable

import pytest
from faults.clock import ManualClock
from faults.crowd import Crowd, crowd
from faults.inside import closes_the_slow_path
from faults.reading import content
from faults.replies import PROMPT, Gate, closes, error, prompt
from faults.server import FaultServer

from scope_client import (
    Clock,
    ConnectionError,
    NotFoundError,
    PromptVersion,
    ScopeClient,
    ServerError,
    ValidationError,
)


def numbered(count: int = 9) -> list[bytes]:
    return [prompt(f"answer {number}") for number in range(1, count + 1)]


@pytest.mark.parametrize("options", [{}, {"label": "production"}, {"label": "latest"}, {"version": "v_1"}])
def test_a_cached_version_is_the_same_object_and_takes_no_request(
    options: dict, client: ScopeClient, server: FaultServer
) -> None:
    first = client.get_prompt_version("greeting", **options)
    assert all(client.get_prompt_version("greeting", **options) is first for _ in range(5))
    assert len(server.reads) == 1
    closes_the_slow_path(client)
    assert client.get_prompt_version("greeting", **options) is first


def test_what_is_cached_lets_no_wrong_call_pass(client: ScopeClient, server: FaultServer) -> None:
    server.answers(PROMPT, PROMPT, PROMPT, error(404))
    for options in ({}, {"label": "latest"}, {"version": "v_1"}):
        for _ in range(2):
            client.get_prompt_version("greeting", **options)
    wrong = {"label": "latest", "version": "v_1"}
    with pytest.raises(TypeError, match="exclude each other"):
        client.get_prompt_version("greeting", **wrong)
    for label in ("v_1", "draft", ["latest"]):
        with pytest.raises(ValidationError, match="label must be"):
            client.get_prompt_version("greeting", label=label)
    with pytest.raises(ValidationError, match="version must be"):
        client.get_prompt_version("greeting", version=["v_1"])
    with pytest.raises(NotFoundError):
        client.get_prompt_version("greeting", version="latest")
    for name in (("greeting", "latest", None), ["greeting"]):
        with pytest.raises(ValidationError, match="name must be"):
            client.get_prompt_version(name)


def test_no_label_is_production(client: ScopeClient, server: FaultServer) -> None:
    first = client.get_prompt_version("greeting")
    assert client.get_prompt_version("greeting", label="production") is first
    assert client.get_prompt_version("greeting", label=None, version=None) is first
    assert len(server.reads) == 1


def test_names_labels_and_versions_never_mix(client: ScopeClient, server: FaultServer) -> None:
    server.answers(*numbered())
    asked = [
        {},
        {"label": "latest"},
        {"version": "v_1"},
        {"version": "latest"},
        {"version": "production"},
        {"name": "other"},
        {"name": "production"},
        {"name": "latest"},
        {"name": "Greeting"},
    ]
    first = [content(client, **{"name": "greeting", **options}) for options in asked]
    assert first == [f"answer {number}" for number in range(1, 10)]
    assert [content(client, **{"name": "greeting", **options}) for options in asked] == first


def test_it_is_fresh_for_cache_ttl_seconds_and_not_a_moment_longer(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=100)
    server.answers(*numbered())
    assert content(client) == "answer 1"
    clock.passes(79)
    assert content(client) == "answer 1"
    clock.passes(21)
    assert content(client) == "answer 2"
    assert content(client) == "answer 2"


def test_reading_does_not_prolong_its_life(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=10)
    server.answers(*numbered())
    for _ in range(9):
        content(client)
        clock.passes(1)
    clock.passes(1)
    assert content(client) == "answer 2"


def test_cache_false_neither_reads_nor_writes(client: ScopeClient, server: FaultServer) -> None:
    server.answers(*numbered())
    assert content(client, cache=False) == "answer 1"
    assert content(client) == "answer 2"
    assert content(client, cache=False) == "answer 3"
    assert content(client) == "answer 2"


@pytest.mark.parametrize("options", [{"cache_enabled": False}, {"cache_ttl": 0}])
def test_nothing_is_kept_where_the_cache_is_off(
    options: dict, make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client = make_client(**options)
    server.answers(*numbered())
    assert [content(client), content(client), content(client, cache_ttl=0)] == ["answer 1", "answer 2", "answer 3"]


def test_a_cache_ttl_of_the_call_is_how_long_its_answer_is_kept(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(*numbered())
    assert content(client, cache_ttl=10) == "answer 1"
    clock.passes(7)
    assert content(client) == "answer 1"
    clock.passes(3)
    assert content(client) == "answer 2"
    clock.passes(200)
    assert content(client) == "answer 2"


def test_a_cache_ttl_of_the_call_is_how_old_its_answer_may_be(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(*numbered())
    content(client)
    clock.passes(20)
    assert content(client, cache_ttl=30) == "answer 1"
    assert content(client, cache_ttl=20) == "answer 2"


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), True, "60", pytest.param(10**5000, id="huge"), []])
def test_a_cache_ttl_that_is_no_time_is_a_validation_error(value: object, client: ScopeClient) -> None:
    client.get_prompt_version("greeting")
    for options in ({}, {"cache": False}):
        with pytest.raises(ValidationError, match="cache_ttl must be"):
            client.get_prompt_version("greeting", cache_ttl=value, **options)


def test_clear_cache_forgets_everything(client: ScopeClient, server: FaultServer) -> None:
    server.answers(*numbered())
    content(client)
    content(client, label="latest")
    client.clear_cache()
    client.clear_cache()
    assert [content(client), content(client, label="latest")] == ["answer 3", "answer 4"]


def test_a_fetch_from_before_clear_cache_neither_comes_back_nor_serves_later_readers(
    client: ScopeClient, server: FaultServer
) -> None:
    gate = Gate()
    server.answers(gate.holds(prompt("old")), prompt("new"), prompt("too many"))
    early = Crowd(1, lambda: content(client))
    server.wait_for_reads(1)
    client.clear_cache()
    assert content(client) == "new"
    gate.open()
    assert early.outcomes() == ["old"]
    assert content(client) == "new"
    assert len(server.reads) == 2


def test_64_threads_on_one_cold_name_make_one_request(client: ScopeClient, server: FaultServer) -> None:
    gate = Gate()
    server.answers(gate.holds(PROMPT))
    readers = Crowd(64, lambda: client.get_prompt_version("greeting"))
    readers.wait_until_waiting(63)
    gate.open()
    versions = readers.outcomes()
    assert all(version is versions[0] for version in versions)
    assert isinstance(versions[0], PromptVersion)
    assert len(server.requests) == 2


def test_64_threads_on_one_name_share_its_error_and_the_next_reader_asks_again(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    client, gate = make_client(max_retries=0), Gate()
    server.answers(gate.holds(error(500, "shared")), PROMPT)
    readers = Crowd(64, lambda: client.get_prompt_version("greeting"))
    readers.wait_until_waiting(63)
    gate.open()
    outcomes = readers.outcomes()
    assert {type(outcome) for outcome in outcomes} == {ServerError}
    assert len(server.reads) == 1
    assert content(client) == "Hello, {{name}}!"


def test_an_error_loses_nothing_that_is_cached(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(max_retries=0)
    content(client)
    server.answers(closes())
    for options in ({"cache": False}, {"name": "other"}):
        with pytest.raises((ConnectionError, ServerError)):
            content(client, **options)
    asked = len(server.reads)
    assert content(client) == "Hello, {{name}}!"
    assert len(server.reads) == asked


def test_a_reader_who_is_interrupted_does_not_take_the_waiting_ones_along(
    make_client: Callable[..., ScopeClient], server: FaultServer
) -> None:
    all_wait, turns = threading.Event(), itertools.count()

    def sleep(_: float) -> None:
        if next(turns) == 0:
            all_wait.wait(10)
            raise KeyboardInterrupt

    client = make_client(clock=Clock(sleep=sleep))
    server.answers(error(503), PROMPT)
    readers = Crowd(8, lambda: client.get_prompt_version("greeting"))
    readers.wait_until_waiting(8)
    all_wait.set()
    outcomes = sorted(readers.outcomes(), key=lambda outcome: isinstance(outcome, PromptVersion))
    assert isinstance(outcomes[0], KeyboardInterrupt)
    assert all(isinstance(outcome, PromptVersion) for outcome in outcomes[1:])
    assert len(server.reads) == 2


def test_different_prompts_do_not_wait_for_each_other(client: ScopeClient, server: FaultServer) -> None:
    gate = Gate()
    server.answers(gate.holds(prompt("slow")), prompt("quick"))
    slow = Crowd(1, lambda: content(client, "slow"))
    server.wait_for_reads(1)
    assert content(client, "quick") == "quick"
    gate.open()
    assert slow.outcomes() == ["slow"]


def test_when_it_is_full_the_one_unread_for_longest_goes(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_max_size=3)
    for name in ("a", "b", "c", "a"):
        content(client, name)
        clock.passes(1)
    content(client, "d")
    fetched = len(server.reads)
    for name in ("a", "c", "d"):
        content(client, name)
    assert len(server.reads) == fetched
    content(client, "b")
    assert len(server.reads) == fetched + 1


def test_a_prompt_in_use_stays_however_many_others_pass_by(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_max_size=20)
    for number in range(100):
        content(client, f"passer-by-{number}")
        clock.passes(0.1)
        content(client, "in use")
        clock.passes(0.1)
    assert sum("in%20use" in read.line for read in server.reads) == 1
    assert len(server.reads) == 101


def test_a_cache_of_one_keeps_the_last(make_client: Callable[..., ScopeClient], server: FaultServer) -> None:
    client = make_client(cache_max_size=1)
    for name in ("a", "a", "b", "b", "a"):
        content(client, name)
    assert len(server.reads) == 3


def test_two_clients_share_nothing(make_client: Callable[..., ScopeClient], server: FaultServer) -> None:
    content(make_client())
    content(make_client())
    assert len(server.reads) == 2
    assert len(server.logins) == 2


def test_threads_that_read_evict_and_clear_at_once_get_versions_and_nothing_else(
    make_client: Callable[..., ScopeClient], clock: ManualClock
) -> None:
    client = make_client(cache_max_size=3, cache_ttl=5)
    numbers = itertools.count()

    def work() -> None:
        for number in range(60):
            name = f"prompt-{number % 7}"
            assert content(client, name, label="latest" if number % 3 else None) == "Hello, {{name}}!"
            if next(numbers) % 40 == 0:
                client.clear_cache()
            clock.passes(0.01)

    assert crowd(8, work) == [None] * 8
