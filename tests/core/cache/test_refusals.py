"""A refusal is told again for a second without a request, and a 429 for as long as it asks to wait."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Callable

import pytest
from faults.child import in_a_child
from faults.clock import ManualClock
from faults.crowd import Crowd, crowd
from faults.inside import store_key
from faults.reading import content, wait_until_idle
from faults.replies import Gate, closes, error, prompt
from faults.server import FaultServer

from scope_client import (
    AuthenticationError,
    AuthorizationError,
    InvalidCredentialsError,
    MemoryStore,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    ScopeClient,
    ScopeError,
    ServerError,
    Telemetry,
    TimeoutError,
    TokenRefreshError,
)
from scope_client._cache.refusals import MAX_REFUSALS, Refusals

if TYPE_CHECKING:
    from pathlib import Path

Make = Callable[..., ScopeClient]
MISSING = error(404, "Prompt not found", "prompt_not_found")


@pytest.fixture
def client(make_client: Make) -> ScopeClient:
    return make_client(max_retries=0, cache_ttl=100, retry_max_delay=30)


def refusal(client: ScopeClient, name: str = "greeting", **options: object) -> ScopeError:
    with pytest.raises(ScopeError) as caught:
        content(client, name, **options)
    return caught.value


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(401), AuthenticationError),
        (error(403), AuthorizationError),
        (MISSING, NotFoundError),
        (error(404, "no production version"), NoProductionVersionError),
        (error(410), NotFoundError),
    ],
)
def test_a_loop_asks_once_a_second(
    reply: bytes, kind: type, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(reply)
    first = refusal(client)
    asked = len(server.requests)
    for _ in range(9):
        clock.passes(0.11)
        again = refusal(client)
        assert type(again) is type(first) is kind
        assert vars(again) == vars(first)
        assert again is not first
    assert len(server.requests) == asked
    clock.passes(0.01)
    refusal(client)
    assert len(server.requests) > asked
    assert client.status().counters["errors"] == 2


@pytest.mark.parametrize("reply", [error(400), error(409), error(422), error(500), error(503), closes()])
def test_what_is_no_refusal_is_asked_again_at_once(reply: bytes, client: ScopeClient, server: FaultServer) -> None:
    server.answers(reply)
    for _ in range(3):
        refusal(client, cache_ttl=100)
    server.answers(prompt())
    assert content(client) == "Hello, {{name}}!"


def test_a_prompt_that_is_published_is_found_a_second_later(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(MISSING, prompt("new"))
    refusal(client)
    clock.passes(1)
    assert content(client) == "new"


def test_past_the_cache_and_after_a_clear_it_is_asked_at_once(client: ScopeClient, server: FaultServer) -> None:
    server.answers(MISSING, MISSING, MISSING, prompt("new"))
    refusal(client)
    refusal(client, cache=False)
    client.clear_cache()
    refusal(client)
    assert len(server.reads) == 3
    refusal(client)
    client.clear_cache()
    assert content(client) == "new"


def test_what_is_asked_past_the_cache_is_not_remembered(client: ScopeClient, server: FaultServer) -> None:
    server.answers(MISSING, prompt("new"))
    refusal(client, cache=False)
    assert content(client) == "new"


def test_a_refusal_from_before_a_clear_is_not_told_after_it(client: ScopeClient, server: FaultServer) -> None:
    gate = Gate()
    content(client, "other")
    server.answers(gate.holds(MISSING), prompt("new"))
    reader = Crowd(1, lambda: refusal(client))
    server.wait_for_reads(2)
    client.clear_cache()
    gate.open()
    reader.outcomes()
    assert content(client) == "new"


def test_a_reader_who_takes_nothing_old_is_told_nothing_old(client: ScopeClient, server: FaultServer) -> None:
    server.answers(MISSING, MISSING, prompt("new"))
    refusal(client)
    refusal(client, cache_ttl=0)
    assert content(client, cache_ttl=0) == "new"
    assert content(client) == "new"  # a success ends the memory of it


def test_other_labels_and_versions_are_other_questions(client: ScopeClient, server: FaultServer) -> None:
    server.answers(MISSING, prompt("new"))
    refusal(client)
    assert content(client, label="latest") == content(client, version="v_1") == content(client, "other") == "new"
    refusal(client)
    assert client.get_cached_version("greeting") is None


def test_it_holds_for_a_prefetch_and_within_a_deadline(client: ScopeClient, server: FaultServer) -> None:
    server.answers(MISSING)
    refusal(client)
    report = client.prefetch(["greeting"])
    assert isinstance(report.errors["greeting"], NotFoundError)
    assert isinstance(refusal(client, deadline=0.5), NotFoundError)
    assert len(server.reads) == 1


def test_no_fallback_and_no_folder_hides_it(make_client: Make, server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "greeting.md").write_text("from the folder")
    client = make_client(prompt_dir=str(tmp_path))
    server.answers(error(403))
    for _ in range(3):
        assert isinstance(refusal(client, fallback="stand-in"), AuthorizationError)
    assert len(server.reads) == 1


def test_a_version_past_its_end_whose_renewal_is_refused_is_asked_for_once_a_second(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), error(403))
    content(client)
    clock.passes(101)
    for _ in range(5):
        assert isinstance(refusal(client), AuthorizationError)
    wait_until_idle(client)
    assert len(server.reads) == 2
    server.answers(prompt("new"))
    clock.passes(1)
    assert content(client) == "new"


def test_a_refused_renewal_is_not_told_to_the_next_reader_who_asks_anew(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), error(403), prompt("new"))
    content(client)
    clock.passes(95)
    assert content(client) == "old"  # and it is renewed ahead, which is refused
    wait_until_idle(client)
    assert len(server.reads) == 2
    assert content(client, cache_ttl=1) == "new"


def test_a_renewal_asks_though_a_reader_was_just_refused(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), error(403), prompt("new"))
    content(client)
    clock.passes(95)
    assert isinstance(refusal(client, cache_ttl=1), AuthorizationError)
    assert content(client) == "old"
    wait_until_idle(client)
    assert content(client) == "new"


def test_many_wrong_names_are_not_remembered_for_ever(client: ScopeClient, server: FaultServer) -> None:
    server.answers(MISSING)
    for number in range(300):
        refusal(client, f"name-{number}")
    assert len(server.reads) == 300
    refusal(client, "name-299")
    assert len(server.reads) == 300
    refusal(client, "name-0")
    assert len(server.reads) == 301


def test_each_of_many_threads_gets_an_error_of_its_own(client: ScopeClient, server: FaultServer) -> None:
    server.answers(MISSING)
    refusal(client)
    errors = crowd(16, lambda: refusal(client))
    assert len({id(each) for each in errors}) == 16
    assert len(server.reads) == 1


def test_nothing_of_the_reader_who_was_told_first_is_kept_alive(client: ScopeClient, server: FaultServer) -> None:
    class Something:
        pass

    def reads() -> weakref.ref[Something]:
        something = Something()
        refusal(client)
        return weakref.ref(something)

    server.answers(MISSING)
    first = reads()
    gc.collect()
    assert first() is None
    assert (refusal(client).__cause__, refusal(client).__context__) == (None, None)


def test_a_forked_child_remembers_it_too(client: ScopeClient, server: FaultServer) -> None:
    server.answers(MISSING)
    refusal(client)
    assert in_a_child(lambda: type(refusal(client))) is NotFoundError
    assert len(server.reads) == 1


def test_what_another_process_has_found_since_is_served_at_once(make_client: Make, server: FaultServer) -> None:
    store = MemoryStore()
    late, early = (make_client(cache_store=store, cache_local_ttl=0) for _ in range(2))
    server.answers(MISSING, prompt("new"))
    refusal(late)
    store.delete(store_key(late))  # what it has told the others
    assert content(early) == "new"
    assert content(late) == "new"
    assert len(server.reads) == 2


def test_only_what_was_asked_is_told_to_telemetry(client: ScopeClient, server: FaultServer) -> None:
    told: list[object] = []
    unregister = Telemetry.on_error(told.append)
    server.answers(MISSING)
    for _ in range(5):
        refusal(client)
    unregister()
    assert len(told) == 1


@pytest.mark.parametrize(("asked_to_wait", "remembered"), [(20, 20.0), (300, 30.0)])
def test_a_429_is_told_for_as_long_as_it_asks_to_wait(
    asked_to_wait: int, remembered: float, client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(error(429, Retry_After=asked_to_wait), prompt("new"))
    assert refusal(client).retry_after == asked_to_wait
    clock.passes(5)
    again = refusal(client)
    assert isinstance(again, RateLimitError)
    assert again.retry_after == asked_to_wait - 5
    assert refusal(client, cache_ttl=0).retry_after == asked_to_wait - 5
    clock.passes(remembered - 5.01)
    refusal(client)
    assert len(server.reads) == 1
    clock.passes(0.01)
    assert content(client) == "new"


def test_a_429_that_asks_for_nothing_is_not_remembered(client: ScopeClient, server: FaultServer) -> None:
    server.answers(error(429), prompt("new"))
    refusal(client)
    assert content(client) == "new"


@pytest.mark.parametrize("options", [{"fallback": "stand-in"}, {}])
def test_a_fallback_or_a_folder_stands_in_at_once_for_a_429(
    options: dict[str, str], make_client: Make, server: FaultServer, tmp_path: Path, clock: ManualClock
) -> None:
    (tmp_path / "greeting.md").write_text("stand-in")
    client = make_client(prompt_dir=str(tmp_path), max_retries=0)
    server.answers(error(429, Retry_After=20))
    assert content(client, **options) == "stand-in"
    server.answers(prompt("other"))
    assert content(client, "other") == "other"  # the platform is up
    clock.passes(10)
    assert content(client, **options) == "stand-in"
    wait_until_idle(client)
    assert len(server.reads) == 2
    clock.passes(10)
    content(client, **options)  # is renewed behind
    wait_until_idle(client)
    assert content(client, **options) == "other"


def test_a_429_that_a_deadline_left_no_time_to_wait_for_is_told_to_the_next_reader(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client()
    server.answers(error(429, Retry_After=20), prompt("new"))
    assert isinstance(refusal(client, deadline=2), TimeoutError)
    clock.passes(1)
    again = refusal(client)
    assert isinstance(again, RateLimitError)
    assert again.retry_after == 19
    assert len(server.reads) == 1


def test_a_429_of_the_token_endpoint_is_told_again_too(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.gives_tokens(error(429, Retry_After=20))
    for left in (20, 15, 10):
        again = refusal(client)
        assert isinstance(again, TokenRefreshError)
        assert again.retry_after == left
        clock.passes(5)
    assert len(server.logins) == 1


def test_a_token_endpoint_that_is_down_is_asked_by_every_reader(client: ScopeClient, server: FaultServer) -> None:
    server.gives_tokens(error(502), error(500), error(503))
    for _ in range(3):
        assert isinstance(refusal(client), TokenRefreshError)
    assert len(server.logins) == 3


def test_the_last_known_good_version_is_served_for_a_429(
    client: ScopeClient, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(prompt("old"), error(429, Retry_After=20))
    content(client)
    clock.passes(101)
    assert [content(client) for _ in range(5)] == ["old"] * 5
    wait_until_idle(client)
    assert len(server.reads) == 2


def test_a_server_error_is_no_refusal_of_the_memory(client: ScopeClient, server: FaultServer) -> None:
    server.answers(MISSING, error(503, Retry_After=20))
    refusal(client)
    assert isinstance(refusal(client, "other"), ServerError)
    assert isinstance(refusal(client, "other"), ServerError)
    assert len(server.reads) == 3


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("asked_to_wait", "waits"), [(20, 20), (10**6, 30)])
def test_a_known_prompt_waits_for_as_long_as_it_is_asked_to_though_retry_max_delay_is_small(
    status: int, asked_to_wait: int, waits: int, make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=1, max_retries=3, retry_max_delay=0.1)
    content(client)
    server.answers(error(status, Retry_After=asked_to_wait))
    clock.passes(2)
    asked = len(server.reads) + 1
    ends_at = clock.time + waits
    while clock.time < ends_at - 1:
        assert content(client) == content(client, cache_ttl=0) == "Hello, {{name}}!"
        wait_until_idle(client)
        clock.passes(waits / 50)
    assert len(server.reads) == asked
    server.answers(prompt("new"))
    clock.passes(1)
    content(client)
    wait_until_idle(client)
    assert content(client) == "new"


def test_a_known_prompt_that_is_asked_to_wait_holds_up_no_other(
    make_client: Make, server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=1, max_retries=0, retry_max_delay=0.1)
    busy = error(429, Retry_After=25)
    for name in ("greeting", "other"):
        content(client, name)
    server.answers(lambda peer: peer.send(busy if "/greeting/" in peer.request.line else prompt("new")))
    clock.passes(2)
    content(client)
    wait_until_idle(client)
    clock.passes(20)
    content(client, "other")
    wait_until_idle(client)
    assert content(client, "other") == "new"
    assert content(client) == "Hello, {{name}}!"
    assert content(client, "cold") == "new"


class TestAlone:
    @pytest.fixture
    def refusals(self, clock: ManualClock) -> Refusals:
        clock.time = 1000.0
        return Refusals(clock.clock, longest_retry_after=30.0)

    def test_a_reader_is_told_what_is_younger_than_it_takes_a_version(
        self, refusals: Refusals, clock: ManualClock
    ) -> None:
        refusals.remember("a", NotFoundError("no", http_status=404))
        clock.passes(0.5)
        refusals.check("a", 0.5)
        with pytest.raises(NotFoundError):
            refusals.check("a", 0.501)
        clock.passes(0.5)
        refusals.check("a", None)

    def test_the_oldest_of_so_many_is_forgotten(self, refusals: Refusals) -> None:
        for number in range(MAX_REFUSALS + 1):
            refusals.remember(number, NotFoundError("no", http_status=404))
        assert list(refusals.remembered) == list(range(1, MAX_REFUSALS + 1))

    def test_what_is_told_for_no_time_is_not_remembered(self, refusals: Refusals) -> None:
        refusals.remember("a", ServerError("down", http_status=503))
        assert not refusals.remembered


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (NotFoundError("x", http_status=404), 1.0),
        (AuthorizationError("x", http_status=403), 1.0),
        (ServerError("x", http_status=500), 0.0),
        (RateLimitError("x", http_status=429, retry_after=7.0), 7.0),
        (RateLimitError("x", http_status=429, retry_after=99.0), 30.0),
        (InvalidCredentialsError("x", http_status=401), 0.0),
        (TokenRefreshError("x", http_status=404), 0.0),
    ],
)
def test_what_is_told_again_and_for_how_long(error: ScopeError, seconds: float, clock: ManualClock) -> None:
    assert Refusals(clock.clock, longest_retry_after=30.0).seconds(error) == seconds
