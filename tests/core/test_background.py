"""What goes on in the background takes four daemon threads at most, and outlives nothing."""

from __future__ import annotations

import _thread
import gc
import logging
import threading
import weakref
from typing import Callable

import pytest
from faults.clock import ManualClock, eventually
from faults.crowd import crowd
from faults.inside import background
from faults.reading import is_idle
from faults.replies import Gate, error, prompt
from faults.server import FaultServer

from scope_client import ApiKeyCredentials, ScopeClient, Telemetry
from scope_client._background import Background

Make = Callable[..., ScopeClient]


NAMES = ("one", "two", "three", "four", "five")


def threads(name: str = "scope-background") -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(name)]


def wait_for_outcomes(client: ScopeClient, count: int) -> None:
    eventually(lambda: client.status().counters["fetches"] + client.status().counters["errors"] == count)


@pytest.fixture(autouse=True)
def threads_of_other_tests_have_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that wait for more to do are gone after a few seconds; here, soon."""
    eventually(lambda: not threads())
    monkeypatch.setattr("scope_client._background.IDLE_THREAD_SECONDS", 0.2)


@pytest.fixture
def client(make_client: Make) -> ScopeClient:
    return make_client(cache_ttl=100)


def test_there_is_no_thread_before_the_first_renewal(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    for name in ("one", "two", "one"):
        client.get_prompt_version(name)
    clock.passes(79)
    client.get_prompt_version("one")
    client.status()
    server.answers(error(404))
    assert threads() == []


def test_many_renewals_take_four_daemon_threads(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    names, gate = [f"prompt-{number}" for number in range(20)], Gate()
    for name in names:
        client.get_prompt_version(name)
    clock.passes(90)
    server.answers(gate.holds(prompt("new")))
    assert crowd(8, lambda: {client.get_prompt_version(name).content for name in names}) == [{"Hello, {{name}}!"}] * 8
    server.wait_for_reads(24)
    assert len(threads()) == 4
    assert all(thread.daemon for thread in threads())
    gate.open()
    eventually(lambda: client.status().counters["refreshes"] == 20)
    assert len(server.reads) == 40
    assert len(threads()) <= 4


def test_renewals_of_prompts_and_of_the_token_share_the_four(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client, gate = make_client(cache_ttl=3550), Gate()
    for name in NAMES:
        client.get_prompt_version(name)
    clock.passes(3442 + 99)
    server.answers(gate.holds(prompt("new")))
    server.gives_tokens(gate.holds(prompt("no token")))
    for name in NAMES:
        client.get_prompt_version(name, cache_ttl=3600)
    eventually(lambda: len(server.requests) == 1 + 5 + 4)
    assert len(threads()) == 4
    gate.open()


def test_a_thread_without_work_goes_and_comes_back_when_there_is_some(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    for number in (1, 2):
        client.get_prompt_version("greeting")
        clock.passes(90)
        client.get_prompt_version("greeting")
        eventually(lambda number=number: client.status().counters["refreshes"] == number)
        eventually(lambda: not threads())


@pytest.mark.parametrize("outcome", [prompt("new"), error(500), error(404)])
def test_a_dropped_client_is_collected_while_its_threads_are_still_there(
    outcome: bytes,
    server: FaultServer,
    clock: ManualClock,
    keys: ApiKeyCredentials,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("scope_client.outage"), "disabled", True)  # pytest keeps what is logged
    monkeypatch.setattr("scope_client._background.IDLE_THREAD_SECONDS", 60.0)
    client = ScopeClient(
        credentials=keys, base_url=server.url, auth_api_url=server.url, clock=clock.clock, cache_ttl=100
    )
    client.get_prompt_version("greeting")
    clock.passes(90)
    server.answers(outcome)
    client.get_prompt_version("greeting")
    wait_for_outcomes(client, 2)
    dropped, its_background = weakref.ref(client), weakref.ref(background(client))
    client.close()
    del client

    def is_gone() -> bool:
        gc.collect()
        return dropped() is None

    eventually(is_gone)
    left = its_background()
    if left is not None:  # its thread waits for more; wake it, so that it leaves
        monkeypatch.setattr("scope_client._background.IDLE_THREAD_SECONDS", 0.0)
        left.submit("nothing", lambda: None)


def test_a_client_that_was_never_used_is_collected(keys: ApiKeyCredentials) -> None:
    client = weakref.ref(ScopeClient(credentials=keys))
    gc.collect()
    assert client() is None


def test_a_job_that_fails_is_logged_and_the_next_one_is_done(caplog: pytest.LogCaptureFixture) -> None:
    background, done = Background(), threading.Event()

    def fails() -> None:
        raise ValueError("the job is broken")

    with caplog.at_level(logging.ERROR, "scope_client.background"):
        background.submit("one", fails)
        background.submit("two", done.set)
        assert done.wait(10)
        eventually(lambda: not {"one", "two"}.intersection(background.by_key))
    assert "the job is broken" in caplog.text


def test_a_key_that_waits_or_runs_is_not_taken_twice() -> None:
    background, gate, begun, done = Background(), threading.Event(), [], []
    for key in "abcde" * 2:
        assert background.submit(key, lambda key=key: (begun.append(key), gate.wait(10), done.append(key)))
    eventually(lambda: sorted(begun) == ["a", "b", "c", "d"])
    assert background.is_full
    assert "e" in background.by_key
    gate.set()
    eventually(lambda: not set("abcde").intersection(background.by_key))
    assert sorted(done) == ["a", "b", "c", "d", "e"]
    assert not background.is_full


def test_what_is_needed_first_is_done_first() -> None:
    background, may_go_on, begun, done = Background(), [threading.Event() for _ in range(4)], [], []
    for number in range(4):
        background.submit(number, lambda number=number: (begun.append(number), may_go_on[number].wait(10)))
    eventually(lambda: len(begun) == 4)
    for needed_at in (30.0, 10.0, 20.0, 10.0, 0.0):
        background.submit(object(), lambda needed_at=needed_at: done.append(needed_at), needed_at=needed_at)
    may_go_on[0].set()  # one thread does them all
    eventually(lambda: len(done) == 5)
    for event in may_go_on:
        event.set()
    assert done == [0.0, 10.0, 10.0, 20.0, 30.0]


def test_a_queue_that_is_full_takes_no_more() -> None:
    background, gate, begun = Background(max_jobs=3), threading.Event(), []
    for number in range(4):
        background.submit(number, lambda number=number: (begun.append(number), gate.wait(10)))
        eventually(lambda number=number: number in begun)
    assert [background.submit(number, lambda: None) for number in range(4, 8)] == [True, True, True, False]
    gate.set()
    eventually(lambda: 6 not in background.by_key)


@pytest.mark.parametrize(("where", "name"), [(_thread, "start_new_thread"), (threading.Thread, "start")])
def test_where_no_thread_is_to_be_had_readers_go_on(
    where: object,
    name: str,
    client: ScopeClient,
    server: FaultServer,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.answers(prompt("old"), prompt("new"))
    client.get_prompt_version("greeting")

    def refuses(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    clock.passes(90)
    with monkeypatch.context() as patched:
        patched.setattr(where, name, refuses)
        assert client.get_prompt_version("greeting").content == "old"
        eventually(lambda: is_idle(client))
    clock.passes(1)
    client.get_prompt_version("greeting")
    eventually(lambda: client.get_prompt_version("greeting").content == "new")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_jobs_that_wait_are_done_even_if_what_ran_before_them_ended_its_thread() -> None:
    background, gate, done = Background(), threading.Event(), threading.Event()

    def exits() -> None:
        gate.wait(10)
        raise SystemExit

    background.submit("one", exits)
    background.submit("two", exits)
    background.submit("three", done.set)
    gate.set()
    assert done.wait(5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_callback_that_exits_in_the_background_ends_no_reader(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    def exits(_: object) -> None:
        raise SystemExit

    unregister = Telemetry.on_cache(exits)
    try:
        client.get_prompt_version("greeting")
        clock.passes(90)
        client.get_prompt_version("greeting")
        eventually(lambda: client.status().counters["refreshes"])
        eventually(lambda: not threads())
    finally:
        unregister()
    clock.passes(90)
    client.get_prompt_version("greeting")
    eventually(lambda: client.status().counters["refreshes"] == 2)
