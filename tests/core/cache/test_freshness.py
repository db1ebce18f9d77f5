"""A version in use is renewed ahead of its end, once and in the background; past its end it is never fresh."""

from __future__ import annotations

import contextlib
from typing import Callable

import pytest
from faults.clock import ManualClock, ends_within, eventually
from faults.crowd import Crowd, crowd
from faults.reading import content, counted, wait_until_idle
from faults.replies import PROMPT, Gate, error, prompt
from faults.server import FaultServer

from scope_client import AuthenticationError, AuthorizationError, NotFoundError, ScopeClient, ScopeError, ServerError

Make = Callable[..., ScopeClient]
TTL = 1000.0
LONG = 60.0


@pytest.fixture
def client(make_client: Make) -> ScopeClient:
    return make_client(cache_ttl=TTL)


def read_with_life_left(client: ScopeClient, clock: ManualClock, share: float, life: float = TTL) -> str:
    """Reads once, and once more with this share of its life left."""
    content(client)
    clock.passes(life * (1 - share))
    return content(client)


@pytest.mark.parametrize(("chance", "life"), [(0.0, 1000.0), (1.0, 970.0), (0.5, 985.0)])
def test_it_is_renewed_once_at_most_17_percent_of_its_life_are_left(
    chance: float, life: float, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    clock.chance = chance
    server.answers(prompt("old"), prompt("new"))
    assert read_with_life_left(client, clock, 0.171, life) == "old"
    assert client.status().counters["refreshes"] == 0
    clock.passes(life * 0.002)
    assert content(client) == "old"
    eventually(lambda: content(client) == "new")
    assert len(server.reads) == 2


def test_it_is_not_renewed_before_its_last_fifth_whatever_the_jitter(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    read_with_life_left(client, clock, 0.2)
    assert content(client) == "Hello, {{name}}!"
    assert len(server.reads) == 1


@pytest.mark.parametrize(("chance", "life"), [(0.0, 1000.0), (1.0, 970.0)])
def test_jitter_shortens_a_life_by_three_percent_at_most_and_never_prolongs_it(
    chance: float, life: float, make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    clock.chance = chance
    client = make_client(cache_ttl=TTL, stale_if_error=0)
    server.answers(prompt("old"), error(403))
    content(client)
    clock.passes(life - 0.001)
    assert content(client) == "old"
    clock.passes(0.002)
    with pytest.raises(AuthorizationError):
        content(client)


def test_nobody_waits_for_a_renewal_and_it_is_one(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    gate = Gate()
    server.answers(prompt("old"), gate.holds(prompt("new")), prompt("too many"))
    content(client)
    clock.passes(900)
    with ends_within(LONG):
        assert set(crowd(32, lambda: content(client))) == {"old"}
    server.wait_for_reads(2)
    clock.passes(60)
    assert content(client) == "old"
    gate.open()
    eventually(lambda: content(client) == "new")
    assert len(server.reads) == 2


def test_a_prompt_in_use_is_never_past_its_end(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    for number in range(1, 6):
        read_with_life_left(client, clock, 0.15, 970)
        eventually(lambda number=number: counted(client, "refreshes") == number)
    assert counted(client, "stale") == 0
    assert len(server.reads) == 6


def test_what_came_in_a_renewal_has_a_whole_life_of_its_own(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("one"), prompt("two"), prompt("three"))
    read_with_life_left(client, clock, 0.1)
    eventually(lambda: content(client) == "two")
    clock.passes(800)
    assert content(client) == "two"
    assert len(server.reads) == 2
    assert client.status().prompts[0].age == pytest.approx(800)


@pytest.mark.parametrize("reply", [error(500), error(403), error(401), error(418)])
def test_a_failed_renewal_is_not_felt_before_the_end_of_the_version(
    reply: bytes, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), reply)
    read_with_life_left(client, clock, 0.1)
    eventually(lambda: counted(client, "errors"))
    wait_until_idle(client)
    assert content(client) == "old"
    clock.passes(69)
    assert content(client) == "old"


def test_a_failed_renewal_is_tried_again_only_after_a_pause(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), error(500), prompt("new"))
    read_with_life_left(client, clock, 0.1)
    eventually(lambda: counted(client, "errors"))
    wait_until_idle(client)
    for _ in range(20):
        assert content(client) == "old"
        clock.passes(0.04)
    assert len(server.reads) == 2
    clock.passes(1)
    content(client)
    eventually(lambda: content(client) == "new")
    assert len(server.reads) == 3


@pytest.mark.parametrize("reply", [error(404, "Prompt not found"), error(404, "no production version"), error(410)])
def test_what_a_renewal_finds_gone_is_evicted_at_once(
    reply: bytes, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), reply)
    read_with_life_left(client, clock, 0.1)
    eventually(lambda: counted(client, "evictions"))
    assert client.status().prompts == ()
    with pytest.raises(ScopeError) as caught:
        content(client)
    assert caught.value.http_status in (404, 410)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (403, AuthorizationError)])
def test_a_refusal_in_a_renewal_reaches_readers_after_the_end_of_the_version_and_not_before(
    status: int, kind: type, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), error(status))
    read_with_life_left(client, clock, 0.1)
    eventually(lambda: counted(client, "errors"))
    wait_until_idle(client)
    clock.passes(50)
    assert content(client) == "old"
    wait_until_idle(client)
    assert counted(client, "errors") == 2
    clock.passes(50)
    for _ in range(3):
        with pytest.raises(kind):
            content(client)
    server.answers(prompt("new"))
    clock.passes(1)
    assert content(client) == "new"


def test_a_refusal_is_not_hidden_past_the_end_by_another_renewal_that_is_under_way(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    gate = Gate()
    server.answers(prompt("old"), error(403), gate.holds(error(403)))
    read_with_life_left(client, clock, 0.15)
    wait_until_idle(client)
    clock.passes(60)
    content(client)
    server.wait_for_reads(3)
    clock.passes(100)
    reader = Crowd(1, lambda: content(client))
    with contextlib.suppress(AssertionError):  # where it is served at once, it never waits
        reader.wait_until_waiting(1)
    gate.open()
    assert [type(outcome) for outcome in reader.outcomes()] == [AuthorizationError]


def test_a_version_by_its_id_is_renewed_too(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    server.answers(prompt("draft"), prompt("edited"))
    assert content(client, version="v_1") == "draft"
    clock.passes(900)
    content(client, version="v_1")
    eventually(lambda: content(client, version="v_1") == "edited")


def test_refs_are_renewed_apart(client: ScopeClient, server: FaultServer, clock: ManualClock) -> None:
    content(client)
    clock.passes(500)
    content(client, label="latest")
    clock.passes(400)
    content(client)
    content(client, label="latest")
    eventually(lambda: counted(client, "refreshes") == 1)
    assert [read.target.rpartition("/")[2] for read in server.reads] == ["production", "latest", "production"]


def test_clear_cache_in_the_middle_of_a_renewal_brings_nothing_old_back(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    gate = Gate()
    server.answers(prompt("old"), gate.holds(prompt("late")), prompt("new"), prompt("too many"))
    read_with_life_left(client, clock, 0.1)
    server.wait_for_reads(2)
    client.clear_cache()
    assert content(client) == "new"
    gate.open()
    eventually(lambda: counted(client, "fetches") == 3)
    assert content(client) == "new"


def test_a_404_from_before_clear_cache_does_not_evict_what_came_after_it(
    client: ScopeClient, server: FaultServer
) -> None:
    gate = Gate()
    server.answers(gate.holds(error(404, "Prompt not found")), prompt("new"), prompt("too many"))
    early = Crowd(1, lambda: content(client))
    server.wait_for_reads(1)
    client.clear_cache()
    assert content(client) == "new"
    gate.open()
    assert [type(outcome) for outcome in early.outcomes()] == [NotFoundError]
    assert content(client) == "new"


def test_a_reader_who_waits_for_a_renewal_has_the_retries_that_it_has_not(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client, gate = make_client(cache_ttl=TTL, stale_if_error=0), Gate()
    server.answers(prompt("old"), gate.holds(error(503)), prompt("new"))
    read_with_life_left(client, clock, 0.1)
    server.wait_for_reads(2)
    clock.passes(101)
    patient = Crowd(1, lambda: content(client))
    patient.wait_until_waiting(1)
    gate.open()
    assert patient.outcomes() == ["new"]


def test_a_reader_who_waits_for_the_token_of_a_renewal_has_the_retries_that_it_has_not(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client, gate = make_client(cache_ttl=4000), Gate()
    content(client)
    server.gives_tokens(gate.holds(error(503)), *server.gives_tokens._replies)
    clock.passes(3800)
    content(client)
    server.wait_for_logins(2)
    patient = Crowd(1, lambda: content(client, "other"))
    patient.wait_until_waiting(1)
    gate.open()
    assert patient.outcomes() == ["Hello, {{name}}!"]


@pytest.mark.parametrize("ttl", [1e9, 1e18, 1e308])
def test_a_huge_cache_ttl_is_for_ever(ttl: float, make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client = make_client(cache_ttl=ttl, stale_if_error=ttl)
    content(client)
    clock.passes(5e8)
    assert content(client) == content(client, cache_ttl=ttl) == "Hello, {{name}}!"
    assert len(server.reads) == 1


def test_with_a_zero_cache_ttl_every_reader_asks(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client = make_client(cache_ttl=0, stale_if_error=0, max_retries=0)
    server.answers(PROMPT, PROMPT, error(500))
    content(client)
    content(client)
    with pytest.raises(ServerError):
        content(client)
