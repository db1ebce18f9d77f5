"""`read_prompt` says how a read was answered; one prompt is cleared alone; changes and refusals are told."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.clock import ManualClock, eventually
from faults.reading import content, wait_until_idle
from faults.replies import error, prompt, token
from faults.watched_store import WatchedStore

from scope_client import (
    AuthenticationError,
    CacheInfo,
    InvalidCredentialsError,
    MemoryStore,
    NotFoundError,
    PromptRead,
    RedisStore,
    ScopeClient,
    Telemetry,
    TokenRefreshError,
    ValidationError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from faults.redisserver import RedisServer
    from faults.server import FaultServer

Make = Callable[..., ScopeClient]


def source_of(client: ScopeClient, name: str = "greeting", **options: Any) -> tuple[str, float | None]:
    found = client.read_prompt(name, **options)
    return found.source, found.age


def body(number: int, **facts: Any) -> Any:
    return prompt(f"text {number}", id=f"v_{number}", version_number=number, **facts)


def test_what_was_fetched_comes_from_the_platform_and_then_from_memory(make_client: Make, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100)
    assert source_of(client) == ("platform", 0.0)
    clock.passes(5)
    assert source_of(client) == ("memory", 5.0)
    assert source_of(client, label="latest") == ("platform", 0.0)
    assert source_of(client, cache=False) == ("platform", 0.0)
    assert source_of(client, cache_ttl=1) == ("platform", 0.0)


def test_it_gives_the_version_that_get_prompt_version_gives(make_client: Make) -> None:
    client = make_client()
    found = client.read_prompt("greeting")
    assert isinstance(found, PromptRead)
    assert client.read_prompt("greeting").version is client.get_prompt_version("greeting")
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(AttributeError):
        found.source = "memory"  # type: ignore[misc]


def test_a_last_known_good_version_is_stale(make_client: Make, server: FaultServer, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100, max_retries=0)
    content(client)
    server.answers(error(503))
    clock.passes(150)
    assert source_of(client) == ("stale", 150.0)
    clock.passes(1)
    assert source_of(client) == ("stale", 151.0)


def test_a_version_past_its_end_that_is_renewed_behind_is_stale(make_client: Make, clock: ManualClock) -> None:
    client = make_client(cache_ttl=100, stale_while_revalidate=100)
    content(client)
    clock.passes(150)
    assert source_of(client) == ("stale", 150.0)
    wait_until_idle(client)
    assert source_of(client) == ("memory", 0.0)


def test_stand_ins_say_whose_they_are(make_client: Make, server: FaultServer, tmp_path: Path) -> None:
    server.answers(error(503))
    (tmp_path / "greeting.md").write_text("of the folder")
    assert source_of(make_client(max_retries=0), fallback="mine") == ("fallback", None)
    client = make_client(max_retries=0, prompt_dir=tmp_path)
    assert source_of(client) == ("folder", None)
    assert source_of(client, fallback="mine") == ("fallback", None)


def test_what_another_process_fetched_comes_from_the_store(make_client: Make, clock: ManualClock) -> None:
    store = MemoryStore()
    one, two = (make_client(cache_ttl=100, cache_store=store) for _ in range(2))
    assert source_of(one) == ("platform", 0.0)
    clock.passes(3)
    assert source_of(two) == ("store", 3.0)
    assert source_of(two) == ("memory", 3.0)
    clock.passes(6)
    assert source_of(two) == ("memory", 9.0)  # the store was asked, and had nothing newer


def test_it_takes_and_refuses_what_get_prompt_version_does(make_client: Make) -> None:
    client = make_client()
    with pytest.raises(TypeError):
        client.read_prompt("greeting", label="latest", version="v_1")
    with pytest.raises(TypeError, match="a read has no option 'lable'; the nearest one is 'label'"):
        client.read_prompt("greeting", lable="latest")
    with pytest.raises(ValidationError):
        client.read_prompt("")


class TestClearingOnePrompt:
    def test_the_others_stay(self, make_client: Make, server: FaultServer) -> None:
        client = make_client()
        for name in ("a", "b"):
            for options in ({}, {"label": "latest"}, {"version": "v_1"}):
                client.get_prompt_version(name, **options)
        client.clear_cache("a")
        for options in ({}, {"label": "latest"}, {"version": "v_1"}):
            assert source_of(client, "a", **options)[0] == "platform"
            assert source_of(client, "b", **options)[0] == "memory"

    @pytest.mark.parametrize("narrow", [{"label": "latest"}, {"version": "v_1"}, {"label": "production"}])
    def test_a_label_or_a_version_narrows_it(self, make_client: Make, narrow: dict[str, str]) -> None:
        client = make_client()
        each = ({"label": "production"}, {"label": "latest"}, {"version": "v_1"})
        for options in each:
            client.get_prompt_version("a", **options)
        client.clear_cache("a", **narrow)
        assert [source_of(client, "a", **options)[0] for options in each] == [
            "platform" if options == narrow else "memory" for options in each
        ]

    def test_a_fetch_under_way_brings_no_old_one_back(self, make_client: Make, server: FaultServer) -> None:
        client = make_client()

        def clears(peer: Any) -> None:
            client.clear_cache("greeting")
            peer.send(prompt("from before"))

        server.answers(clears, prompt("from after"))
        assert content(client) == "from before"
        assert content(client) == "from after"

    def test_a_refusal_is_forgotten_too(self, make_client: Make, server: FaultServer) -> None:
        client = make_client()
        server.answers(error(404, code="prompt_not_found"), prompt("there"))
        with pytest.raises(NotFoundError):
            content(client)
        client.clear_cache("greeting")
        assert content(client) == "there"

    def test_bad_arguments_are_errors(self, make_client: Make) -> None:
        client = make_client()
        for options in ({"label": "latest"}, {"version": "v_1"}):
            with pytest.raises(TypeError, match="only with the name"):
                client.clear_cache(**options)
        with pytest.raises(TypeError, match="exclude each other"):
            client.clear_cache("a", label="latest", version="v_1")
        for name in ("", ".."):
            with pytest.raises(ValidationError):
                client.clear_cache(name)
        with pytest.raises(ValidationError):
            client.clear_cache("a", label="staging")

    @pytest.mark.parametrize("options", [{}, {"label": "latest"}, {"version": "v_1"}])
    def test_the_whole_fleet_forgets_it(
        self, make_client: Make, server: FaultServer, redis_server: RedisServer, clock: ManualClock, options: Any
    ) -> None:
        one, two, three = (
            make_client(cache_ttl=1000, cache_local_ttl=5, cache_store=RedisStore(redis_server.url)) for _ in range(3)
        )
        server.answers(body(1))
        for client in (one, two):
            client.get_prompt_version("a", **options)
            client.get_prompt_version("b", **options)
        server.answers(body(2))
        clock.passes(1)
        three.clear_cache("a")
        clock.passes(5)
        for client in (one, two, three):
            assert client.get_prompt_version("a", **options).version_number == 2
            assert client.get_prompt_version("b", **options).version_number == 1

    def test_what_a_neighbour_fetched_before_stays_away_from_the_store(
        self, make_client: Make, server: FaultServer, clock: ManualClock
    ) -> None:
        store = MemoryStore()
        one, two, three = (make_client(cache_ttl=1000, cache_local_ttl=0, cache_store=store) for _ in range(3))

        def cleared_meanwhile(peer: Any) -> None:
            clock.passes(1)
            two.clear_cache("greeting")
            peer.send(body(1))

        server.answers(cleared_meanwhile)
        assert one.get_prompt_version("greeting").version_number == 1
        server.answers(body(2))
        clock.passes(1)
        assert three.get_prompt_version("greeting").version_number == 2
        assert one.get_prompt_version("greeting").version_number == 2

    def test_a_store_that_was_away_hears_of_it_later(
        self, make_client: Make, server: FaultServer, clock: ManualClock
    ) -> None:
        store = WatchedStore(MemoryStore())
        one, two = (make_client(cache_ttl=1000, cache_local_ttl=5, cache_store=store) for _ in range(2))
        server.answers(body(1))
        for client in (one, two):
            assert client.get_prompt_version("greeting").version_number == 1
        server.answers(body(2))
        store.broken = {"get_many", "set", "add", "delete"}
        clock.passes(1)
        one.clear_cache("greeting")
        store.broken = set()
        clock.passes(60)
        for client in (one, two):
            assert client.get_prompt_version("greeting").version_number == 2

    @pytest.mark.parametrize("options", [{}, {"label": "latest"}])
    def test_what_the_fleet_was_refused_is_asked_again(
        self, make_client: Make, server: FaultServer, clock: ManualClock, options: Any
    ) -> None:
        client = make_client(cache_store=MemoryStore())
        server.answers(error(404, code="prompt_not_found"), prompt("there"))
        with pytest.raises(NotFoundError):
            content(client, **options)
        client.clear_cache("greeting")
        assert content(client, **options) == "there"

    def test_a_store_that_was_away_is_told_with_the_next_read_of_the_prompt(
        self, make_client: Make, server: FaultServer, clock: ManualClock
    ) -> None:
        store = WatchedStore(MemoryStore())
        one, two = (make_client(cache_ttl=1000, cache_local_ttl=5, cache_store=store) for _ in range(2))
        server.answers(body(1))
        two.get_prompt_version("greeting", label="latest")
        server.answers(body(2))
        store.broken = {"get_many", "set", "add", "delete"}
        clock.passes(1)
        one.clear_cache("greeting")
        store.broken = set()
        clock.passes(60)
        content(one)  # of another label: the one of the neighbour is not fetched for it
        assert two.get_prompt_version("greeting", label="latest").version_number == 2

    def test_what_was_fetched_in_the_same_millisecond_is_void(
        self, make_client: Make, server: FaultServer, clock: ManualClock
    ) -> None:
        store = MemoryStore()
        one, two = (make_client(cache_ttl=1000, cache_local_ttl=0, cache_store=store) for _ in range(2))
        server.answers(body(1))
        clock.wall += 0.0002
        two.get_prompt_version("greeting")
        server.answers(body(2))
        clock.wall += 0.0004
        one.clear_cache("greeting")
        clock.passes(1)
        assert two.get_prompt_version("greeting").version_number == 2

    def test_a_refusal_that_a_neighbour_met_is_void(
        self, make_client: Make, server: FaultServer, clock: ManualClock
    ) -> None:
        store = MemoryStore()
        one, two, three = (make_client(cache_store=store) for _ in range(3))
        server.answers(error(404, code="version_not_found"), prompt("there"))
        with pytest.raises(NotFoundError):
            content(two, version="v_9")
        clock.passes(0.1)
        one.clear_cache("greeting")
        assert content(three, version="v_9") == "there"

    def test_only_so_many_names_are_remembered(self, make_client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("scope_client._cache.cleared.MAX_CLEARED_NAMES", 3)
        client = make_client(cache_store=MemoryStore())
        for number in range(10):
            client.clear_cache(f"name {number}")
        assert len(client._rooms.shared._cleared._own) <= 3

    def test_a_time_to_come_clears_nothing(self, make_client: Make, clock: ManualClock) -> None:
        store = WatchedStore(MemoryStore())
        one, two = (make_client(cache_ttl=1000, cache_local_ttl=0, cache_store=store) for _ in range(2))
        one.clear_cache("greeting")
        (key,) = [key for key in store.seen if key.endswith(":cleared")]
        for text in ("9" * 18, "x", "-5"):
            store.set(key, text, None)
            one.get_prompt_version("greeting")
            assert source_of(two)[0] in ("store", "memory")


class TestChanges:
    @pytest.fixture
    def told(self) -> list[CacheInfo]:
        events: list[CacheInfo] = []
        Telemetry.on_cache(lambda info: events.append(info) if info.outcome == "changed" else None)
        return events

    def test_a_renewal_that_brings_another_version_tells_both_ids(
        self, make_client: Make, server: FaultServer, clock: ManualClock, told: list[CacheInfo]
    ) -> None:
        client = make_client(cache_ttl=100)
        server.answers(body(1))
        content(client)
        clock.passes(90)
        server.answers(body(2))
        content(client)
        eventually(lambda: told)
        assert told == [CacheInfo("greeting", "changed", 90.0, "v_1", "v_2")]
        wait_until_idle(client)
        clock.passes(101)
        content(client)
        assert len(told) == 1
        assert client.status().counters["changes"] == 1

    def test_a_change_is_told_though_all_was_cleared(
        self, make_client: Make, server: FaultServer, told: list[CacheInfo]
    ) -> None:
        client = make_client()
        server.answers(body(1))
        content(client)
        server.answers(body(2))
        client.clear_cache()
        content(client)
        assert told == [CacheInfo("greeting", "changed", None, "v_1", "v_2")]

    def test_a_change_that_a_neighbour_found_is_told_here_too(
        self, make_client: Make, server: FaultServer, clock: ManualClock, told: list[CacheInfo]
    ) -> None:
        store = MemoryStore()
        one, two = (make_client(cache_ttl=100, cache_local_ttl=0, cache_store=store) for _ in range(2))
        server.answers(body(1))
        content(one)
        content(two)
        server.answers(body(2))
        clock.passes(101)
        content(one)
        content(two)
        assert [(info.old, info.new) for info in told] == [("v_1", "v_2")] * 2

    def test_labels_are_told_apart(self, make_client: Make, server: FaultServer, told: list[CacheInfo]) -> None:
        client = make_client(cache_max_size=3)
        for number in range(1, 20):
            server.answers(body(number))
            client.get_prompt_version(f"name {number}")
            client.get_prompt_version("greeting", label="latest", cache_ttl=0)
        assert told
        assert all(info.prompt == "greeting" for info in told)

    def test_past_as_many_prompts_as_are_kept_the_ids_of_all_are_forgotten(
        self, make_client: Make, server: FaultServer, told: list[CacheInfo]
    ) -> None:
        client = make_client(cache_max_size=2)
        for number, names in enumerate(("ab", "ab", "c", "ca"), start=1):
            server.answers(body(number))
            client.clear_cache()
            for name in names:
                client.get_prompt_version(name)
        assert [(info.old, info.new) for info in told] == [("v_1", "v_2"), ("v_1", "v_2"), ("v_3", "v_4")]


class TestRefusedCredentials:
    def test_the_status_says_so_until_they_are_taken(
        self, make_client: Make, server: FaultServer, clock: ManualClock
    ) -> None:
        client = make_client(max_retries=0)
        assert client.status().is_refused is False
        server.gives_tokens(error(403))
        with pytest.raises(InvalidCredentialsError):
            content(client)
        assert client.status().is_refused is True
        clock.passes(3600)
        assert client.status().to_dict()["is_refused"] is True
        server.gives_tokens(token())
        content(client)
        assert client.status().is_refused is False

    def test_a_failing_token_endpoint_is_no_refusal(self, make_client: Make, server: FaultServer) -> None:
        client = make_client(max_retries=0)
        server.gives_tokens(error(503))
        with pytest.raises(TokenRefreshError):
            content(client)
        assert client.status().is_refused is False

    def test_it_is_not_said_while_a_token_is_alive(
        self, make_client: Make, server: FaultServer, clock: ManualClock
    ) -> None:
        client = make_client(max_retries=0, cache_enabled=False)
        server.gives_tokens(token(expires_in=1000), error(401))
        content(client)
        clock.passes(950)
        content(client)
        wait_until_idle(client)
        assert len(server.logins) == 2
        assert client.status().is_refused is False
        clock.passes(100)
        assert client.status().is_refused is True

    def test_a_platform_that_takes_no_new_token_either_refuses_them(
        self, make_client: Make, server: FaultServer
    ) -> None:
        client = make_client(max_retries=0)
        server.answers(error(401))
        with pytest.raises(AuthenticationError):
            content(client)
        assert client.status().is_refused is True
        client.clear_cache()
        server.answers(prompt())
        content(client)
        assert client.status().is_refused is False
