"""client.status() tells how a client is doing: a frozen value without a secret, and nothing is sent for it."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
from typing import Callable

import pytest
from faults.clock import ManualClock, eventually
from faults.crowd import crowd
from faults.inside import rooms
from faults.replies import PROMPT, error, prompt, token
from faults.server import FaultServer

from scope_client import PromptStatus, ScopeClient, ServerError, Status

Make = Callable[..., ScopeClient]


@pytest.fixture
def client(make_client: Make) -> ScopeClient:
    return make_client(cache_ttl=100, stale_if_error=1000, max_retries=0)


@pytest.fixture
def busy(client: ScopeClient, server: FaultServer) -> ScopeClient:
    """A client that has seen a bit of everything."""
    server.gives_tokens(token("token-of-the-status"))
    server.answers(prompt(version_number=3), PROMPT, PROMPT, error(503, "what is token-of-the-status?"))
    client.get_prompt_version("greeting")
    client.get_prompt_version("greeting", label="latest")
    client.get_prompt_version("greeting", version="v_1")
    with pytest.raises(ServerError):
        client.get_prompt_version("other")
    return client


def test_a_new_client_has_nothing_to_tell_and_sends_nothing(client: ScopeClient, server: FaultServer) -> None:
    status = client.status()
    assert (status.is_down, status.is_serving_stale, status.prompts) == (False, False, ())
    assert (status.last_error, status.last_error_age, status.token_expires_in) == (None, None, None)
    assert set(status.counters.values()) == {0}
    assert server.accepted == 0


def test_it_sends_nothing_however_old_things_are(busy: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    asked = len(server.requests)
    for _ in range(5):
        clock.passes(3000)
        busy.status()
    assert len(server.requests) == asked


def test_prompts_are_shown_with_what_was_asked_for_and_what_came(busy: ScopeClient, clock: ManualClock) -> None:
    clock.passes(7)
    shown = [each.to_dict() for each in busy.status().prompts]
    which = [(each["name"], each["label"], each["version"], each["version_number"]) for each in shown]
    assert which == [
        ("greeting", "production", None, 3),
        ("greeting", "latest", None, None),
        ("greeting", None, "v_1", None),
    ]
    assert {(each["version_id"], each["age"], each["state"]) for each in shown} == {("v_1", 7.0, "fresh")}


@pytest.mark.parametrize(
    ("age", "state"),
    [(0, "fresh"), (99.9, "fresh"), (100, "stale"), (1099.9, "stale"), (1100, "gone"), (1e9, "gone")],
)
def test_a_prompt_is_fresh_then_stale_then_gone(
    age: float, state: str, client: ScopeClient, clock: ManualClock
) -> None:
    clock.chance = 0.0
    client.get_prompt_version("greeting")
    clock.passes(age)
    (shown,) = client.status().prompts
    assert (shown.state, shown.age) == (state, pytest.approx(age))


def test_without_stale_if_error_an_expired_prompt_is_gone(make_client: Make, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100, stale_if_error=0)
    client.get_prompt_version("greeting")
    clock.passes(101)
    assert [each.state for each in client.status().prompts] == ["gone"]


def test_counters_count(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    def counters() -> dict[str, int]:
        return {name: count for name, count in client.status().counters.items() if count}

    client.get_prompt_version("greeting")
    client.get_prompt_version("greeting")
    client.get_prompt_version("greeting", cache=False)
    assert counters() == {"fetches": 2}
    clock.passes(90)
    client.get_prompt_version("greeting")
    eventually(lambda: counters() == {"fetches": 3, "refreshes": 1})
    clock.passes(101)
    server.answers(error(503))
    client.get_prompt_version("greeting")
    client.get_prompt_version("greeting")
    client.get_prompt_version("other", fallback="x", cache=False)
    assert counters() == {"fetches": 3, "refreshes": 1, "errors": 2, "stale": 2, "fallbacks": 1}
    server.answers(error(404, "Prompt not found"))
    clock.passes(2)
    client.get_prompt_version("greeting")
    eventually(lambda: counters().get("evictions") == 1)
    assert counters()["errors"] == 3


def test_counting_in_many_threads_loses_nothing(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(503))
    client.get_prompt_version("greeting", fallback="x")
    crowd(16, lambda: [client.get_prompt_version("greeting", fallback="x") for _ in range(50)])
    assert client.status().counters["fallbacks"] == 801


def test_an_outage_shows_and_so_does_its_end(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    server.answers(PROMPT, error(503, "out of order"))
    client.get_prompt_version("greeting")
    clock.passes(101)
    client.get_prompt_version("greeting")
    clock.passes(3)
    status = client.status()
    assert status.is_down
    assert status.is_serving_stale
    assert status.last_error is not None
    assert status.last_error.startswith("ServerError: out of order")
    assert status.last_error_age == pytest.approx(3)
    server.answers(PROMPT)
    client.get_prompt_version("greeting")
    eventually(lambda: not client.status().is_down)
    assert not client.status().is_serving_stale
    assert client.status().last_error == status.last_error


def test_the_last_error_sets_no_colour_and_moves_no_cursor(client: ScopeClient) -> None:
    rooms(client).counters.failed(ServerError("\x1b[2Jwhat a hook of the caller's said"))
    assert client.status().last_error == "ServerError: \\x1b[2Jwhat a hook of the caller's said"


def test_the_tokens_end_shows(client: ScopeClient, clock: ManualClock) -> None:
    client.get_prompt_version("greeting")
    clock.passes(600)
    assert client.status().token_expires_in == pytest.approx(3000)
    clock.passes(3000)
    assert client.status().token_expires_in is None


def test_it_is_frozen(busy: ScopeClient) -> None:
    status = busy.status()
    for value in (status, status.prompts[0]):
        for name in (*value.__slots__, "other"):
            with pytest.raises(AttributeError):
                setattr(value, name, 1)
            with pytest.raises(AttributeError):
                delattr(value, name)
    with pytest.raises(TypeError):
        status.counters["fetches"] = 9
    status.to_dict()["counters"]["fetches"] = 9
    status.to_dict()["prompts"].clear()
    assert status.counters["fetches"] == 3
    assert len(status.prompts) == 3


def test_it_stays_as_it_was_when_it_was_asked_for(busy: ScopeClient, server: FaultServer) -> None:
    before = busy.status()
    busy.clear_cache()
    server.answers(PROMPT)
    busy.get_prompt_version("greeting")
    assert (len(before.prompts), before.counters["fetches"]) == (3, 3)


def test_it_is_fit_for_json_and_pickle_and_can_be_compared(busy: ScopeClient, clock: ManualClock) -> None:
    status = busy.status()
    assert json.loads(json.dumps(status.to_dict(), allow_nan=False)) == status.to_dict()
    for twin in (pickle.loads(pickle.dumps(status)), copy.copy(status), copy.deepcopy(status), busy.status()):
        assert isinstance(twin, Status)
        assert twin == status
        assert hash(twin) == hash(status)
    assert isinstance(twin.prompts[0], PromptStatus)
    assert pickle.loads(pickle.dumps(status.prompts[0])) == status.prompts[0]
    clock.passes(1)
    assert busy.status() != status


def test_it_is_fit_for_json_with_the_longest_times(make_client: Make, clock: ManualClock) -> None:
    client = make_client(cache_ttl=1e308, stale_if_error=1e308)
    client.get_prompt_version("greeting")
    clock.passes(1e300)
    json.dumps(client.status().to_dict(), allow_nan=False)
    assert client.status().prompts[0].state == "fresh"


def test_no_secret_is_in_it(busy: ScopeClient) -> None:
    status = busy.status()
    for shown in (repr(status), str(status), json.dumps(status.to_dict())):
        assert "token-of-the-status" not in shown
        assert "secret-1" not in shown
        assert "what is" in shown


def test_asking_while_others_read_and_clear_never_fails(make_client: Make, clock: ManualClock) -> None:
    client, numbers = make_client(cache_max_size=5, cache_ttl=5), itertools.count()

    def work() -> None:
        for number in range(60):
            client.get_prompt_version(f"prompt-{number % 9}")
            json.dumps(client.status().to_dict())
            clock.passes(0.01)
            if next(numbers) % 50 == 0:
                client.clear_cache()

    assert crowd(8, work) == [None] * 8
