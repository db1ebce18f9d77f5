"""A store behind several clients: one fetch for all of them, and never worse than none."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Callable

import pytest
from faults.clock import ManualClock, eventually
from faults.crowd import Crowd, crowd
from faults.inside import ends_the_rest_of_the_store, hold_lock, shared
from faults.reading import content, wait_until_idle, warnings
from faults.redisserver import RedisServer
from faults.replies import Gate, error, prompt
from faults.server import FaultServer
from faults.watched_store import ENTRY, WatchedStore

from scope_client import (
    ApiKeyCredentials,
    AuthorizationError,
    Clock,
    MemoryStore,
    NotFoundError,
    ScopeClient,
    ServerError,
    TokenRefreshError,
)
from scope_client._prompt.ref import PromptRef

if TYPE_CHECKING:
    from collections.abc import Iterator

Make = Callable[..., ScopeClient]
pytestmark = pytest.mark.usefixtures("numbered_answers")
KEY = rf"{ENTRY}(:lock:[0-9a-f]{{1,8}})?|scope:1:\{{[0-9a-f]{{20}}\}}:generation"


@pytest.fixture
def store(clock: ManualClock) -> WatchedStore:
    return WatchedStore(MemoryStore(timer=lambda: clock.time))


@pytest.fixture
def join(make_client: Make, store: WatchedStore) -> Make:
    """One more client over the same store."""
    return lambda **options: make_client(**{"cache_store": store, "max_retries": 0, **options})


@pytest.fixture
def fleet(redis_server: RedisServer, make_client: Make) -> Iterator[Make]:
    """One more client, with a connection of its own to a real Redis; none is at work when the next test begins."""
    with contextlib.ExitStack() as opened:

        def make(**options: object) -> ScopeClient:
            usual = {"cache_store": opened.enter_context(redis_server.store()), "max_retries": 0, "clock": Clock()}
            client = make_client(**{**usual, **options})
            opened.callback(wait_until_idle, client)
            return client

        yield make


def test_the_second_makes_no_platform_request(join: Make, server: FaultServer) -> None:
    first, second = join(), join()
    version = first.get_prompt_version("greeting")
    assert second.get_prompt_version("greeting") == version
    assert content(second, label="latest") == content(first, label="latest") == "answer 2"
    assert len(server.reads) == 2


def test_a_fleet_on_a_real_redis_makes_one_request(fleet: Make, server: FaultServer) -> None:
    server.answers(prompt([{"role": "user", "content": "Grüße 🎈 {{name}}"}], metadata={"a": [1]}, more="kept"))
    versions = [fleet().get_prompt_version("greeting") for _ in range(4)]
    assert all(version == versions[0] for version in versions)
    assert versions[3].messages(name="Ada") == [{"role": "user", "content": "Grüße 🎈 Ada"}]
    assert len(server.requests) == 2


def test_after_cache_local_ttl_a_reader_sees_what_another_has_fetched(
    join: Make, server: FaultServer, clock: ManualClock
) -> None:
    first, second = join(), join()
    content(first)
    clock.passes(100)
    assert content(second) == "answer 1"
    assert content(first, cache_ttl=60) == "answer 2"
    clock.passes(4.9)
    assert content(second) == "answer 1"
    clock.passes(0.1)
    assert content(second) == "answer 2"
    assert len(server.reads) == 2


def test_an_entry_of_the_store_is_as_old_for_all_as_for_the_one_who_fetched_it(
    join: Make, server: FaultServer, clock: ManualClock
) -> None:
    content(join(cache_ttl=100))
    clock.passes(60)
    late, strict = join(cache_ttl=100), join(cache_ttl=50)
    assert content(late) == "answer 1"
    assert content(strict) == "answer 2"
    clock.passes(40)
    assert content(late) == "answer 2"
    assert late.status().prompts[0].age == pytest.approx(40)


def test_clear_cache_is_seen_by_all_within_cache_local_ttl(
    join: Make, store: WatchedStore, server: FaultServer, clock: ManualClock
) -> None:
    first, second = join(), join()
    for client in (first, second):
        content(client)
        content(client, label="latest")
    store.set("theirs", "kept", None)
    first.clear_cache()
    assert content(join()) == "answer 3"
    clock.passes(5)
    assert content(second) == "answer 3"
    assert content(second, label="latest") == content(first, label="latest") == "answer 4"
    assert store.get_many(["theirs"]) == {"theirs": "kept"}


def test_each_clear_cache_counts_though_the_clocks_of_two_machines_differ(
    join: Make, server: FaultServer, clock: ManualClock
) -> None:
    ahead, behind = ManualClock(), ManualClock()
    ahead.passes(0.9)
    first, second = join(clock=ahead.clock), join(clock=behind.clock)
    first.clear_cache()
    assert content(first) == "answer 1"
    second.clear_cache()
    ahead.passes(5)
    assert content(first) == "answer 2"


def test_a_clear_cache_that_the_store_did_not_hear_of_is_told_to_it_later(
    join: Make, store: WatchedStore, clock: ManualClock
) -> None:
    first, second = join(), join()
    assert content(first) == content(second) == "answer 1"
    store.broken = {"set"}
    first.clear_cache()
    store.broken = set()
    clock.passes(5.1)
    assert content(first) == "answer 2"
    clock.passes(5)
    assert content(second) == "answer 2"


@pytest.mark.parametrize(
    "other",
    [
        {"credentials": ApiKeyCredentials("org-2", "key-1", "secret-1")},
        {"environment": "staging"},
        {"api_version": "v2"},
        {"base_url": "localhost"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_two_tenants_on_one_store_never_meet(other: dict, join: Make, server: FaultServer, clock: ManualClock) -> None:
    if "base_url" in other:
        other = {"base_url": f"http://localhost:{server.port}"}
    ours, theirs = join(), join(**other)
    assert [content(ours), content(theirs)] == ["answer 1", "answer 2"]
    theirs.clear_cache()
    clock.passes(6)
    assert [content(ours), content(theirs), content(join())] == ["answer 1", "answer 3", "answer 1"]


def test_another_key_of_the_same_organisation_shares(join: Make, server: FaultServer) -> None:
    content(join())
    assert content(join(credentials=ApiKeyCredentials("org-1", "key-2", "secret-2"))) == "answer 1"


def test_keys_are_short_ascii_values_are_json_and_neither_holds_a_secret(join: Make, store: WatchedStore) -> None:
    client = join()
    for name in ("greeting", "a b/ü:\n" + "x" * 5000, "🎈"):
        content(client, name)
        content(client, name, label="latest")
        content(client, name, version="v_1")
        content(client, name, cache_ttl=0)
    client.clear_cache()
    assert len(store.seen) == 9 + 3 + 1  # the entries, the locks of those that were renewed, the generation
    for key, value in store.seen.items():
        assert re.fullmatch(KEY, key)
        assert not re.search("secret-1|key-1|org-1|token-", key + value)
        if ":lock:" in key or key.endswith(":generation"):
            continue
        assert json.loads(value)["schema"] == 1
        assert json.loads(value)["version"]["content"].startswith("answer")


def changed(**fields: object) -> Callable[[dict], object]:
    return lambda entry: {**entry, **fields}


def without(name: str) -> Callable[[dict], object]:
    return lambda entry: {key: value for key, value in entry.items() if key != name}


GARBAGE: dict[str, Callable[[dict], object]] = {
    **{f"text {text!r}": lambda _, text=text: text for text in ("", "{", "nil", "\x00", "\ud800", "NaN", "1" * 9999)},
    **{f"json {value!r}": lambda _, value=value: value for value in (None, 1, [], {}, "text", True, [{}])},
    **{f"no {name}": without(name) for name in ("schema", "generation", "fetched_at", "life", "version")},
    **{f"schema {value!r}": changed(schema=value) for value in (2, 0, "1", None, [])},
    **{f"generation {value!r}": changed(generation=value) for value in (1, -1, "0", None, [], 10**30)},
    **{
        f"{name} {value!r}": changed(**{name: value})
        for name in ("fetched_at", "life")
        for value in (None, "soon", [], {}, float("nan"), float("inf"), -float("inf"))
    },
    **{f"{name} huge": changed(**{name: 10**400}) for name in ("fetched_at", "life")},
    "a life below zero": changed(life=-1),
    "from the future": lambda entry: {**entry, "fetched_at": entry["fetched_at"] + 3600},
    **{f"version {value!r}": changed(version=value) for value in (None, 1, "text", [], {}, {"content": None})},
    "content that is a number": changed(version={"content": 5}),
    "a chat that is none": changed(version={"content": "{", "type": "chat"}),
    "a type that is none": changed(version={"content": "x", "type": ["text"]}),
    "deep nesting": lambda entry: json.dumps(entry)[:-1] + ', "more": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "nesting in a version": changed(version={"content": "x", "more": json.loads("[" * 400 + "]" * 400)}),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_under_a_key_of_ours_is_a_miss_and_is_replaced(
    garbage: Callable[[dict], object], join: Make, store: WatchedStore, caplog: pytest.LogCaptureFixture
) -> None:
    content(join())
    made = garbage(json.loads(store.seen[store.entry]))
    store.behind.set(store.entry, made if isinstance(made, str) else json.dumps(made), None)
    assert content(join()) == "answer 2"
    assert content(join()) == "answer 2"
    assert not warnings(caplog, "scope_client.store")


@pytest.mark.parametrize("value", [None, 5, b"bytes", ["a"], {}])
def test_a_store_that_gives_something_else_than_text_is_a_miss(value: object, join: Make, store: WatchedStore) -> None:
    content(join())
    store.behind.set(store.entry, value, None)
    assert content(join()) == "answer 2"


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "9" * 30, "²", "NaN", "\x00"])
def test_garbage_in_place_of_the_generation_harms_nobody(text: str, join: Make, store: WatchedStore) -> None:
    client = join()
    client.clear_cache()
    generation = next(key for key in store.seen if key.endswith(":generation"))
    assert content(client) == "answer 1"
    store.behind.set(generation, text, None)
    assert content(join()) in ("answer 1", "answer 2")
    assert content(client, label="latest") in ("answer 2", "answer 3")


@pytest.mark.parametrize("digits", ["9" * 19, "9" * 15, None])
def test_a_generation_from_the_far_future_is_refused(
    digits: str | None, join: Make, store: WatchedStore, clock: ManualClock
) -> None:
    client = join()
    assert content(client) == "answer 1"
    generation = store.entry.rpartition(":")[0] + ":generation"
    store.behind.set(generation, digits or str(int((clock.wall + 86_400) * 1000)), None)
    clock.passes(6)  # the store is asked again
    assert content(client) == content(join()) == "answer 1"
    client.clear_cache()
    assert content(join()) == "answer 2"
    assert content(client) == content(join()) == "answer 2"
    assert 0 < int(store.behind.get_many([generation])[generation]) <= clock.wall * 1000


def test_a_generation_of_a_clock_that_is_a_little_ahead_is_taken(
    join: Make, store: WatchedStore, clock: ManualClock
) -> None:
    client = join()
    assert content(client) == "answer 1"
    generation = store.entry.rpartition(":")[0] + ":generation"
    store.behind.set(generation, str(int((clock.wall + 60) * 1000)), None)
    clock.passes(6)
    assert content(client) == "answer 2"


def test_bytes_that_are_no_text_do_not_keep_a_fleet_from_its_redis(
    fleet: Make, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    content(fleet())
    with redis_server.connected() as connection:
        (key,) = connection.keys("scope:*")
        connection.set(key, b"\xff\xfe")
    assert content(fleet()) == "answer 2"
    assert content(fleet()) == "answer 2"
    assert not warnings(caplog, "scope_client.store")


@pytest.mark.parametrize("options", [{}, {"cache_ttl": 10}])
def test_an_expired_entry_of_the_store_is_a_last_known_good_for_a_new_process(
    options: dict, join: Make, server: FaultServer, clock: ManualClock
) -> None:
    content(join(cache_ttl=60))
    clock.passes(3600)
    server.answers(error(503))
    server.gives_tokens(error(503))
    late = join(cache_ttl=60)
    assert content(late, **options) == "answer 1"
    assert late.status().prompts[0].state == "stale"
    with pytest.raises(TokenRefreshError):
        content(join(cache_ttl=60, stale_if_error=3500), **options)


def test_12_clients_on_a_cold_name_make_one_request(make_client: Make, server: FaultServer) -> None:
    watched, gate = WatchedStore(MemoryStore(timer=Clock().now)), Gate()
    clients = iter([make_client(cache_store=watched, clock=Clock()) for _ in range(12)])
    server.answers(gate.holds(prompt("one")), prompt("too many"))
    readers = Crowd(12, lambda: content(next(clients)))
    server.wait_for_reads(1)
    eventually(lambda: len(watched.calls) >= 48)
    gate.open()
    assert readers.outcomes() == ["one"] * 12
    assert len(server.reads) == 1


def test_a_fleet_of_threads_and_clients_renews_an_expiring_name_once_a_life(fleet: Make, server: FaultServer) -> None:
    clients = [fleet(cache_ttl=1, cache_local_ttl=0.05) for _ in range(4)]
    turns = itertools.count()
    pause = threading.Event()
    ends_at = Clock().now() + 2.5

    def work() -> None:
        client = clients[next(turns) % 4]
        while Clock().now() < ends_at:
            assert content(client).startswith("answer")
            pause.wait(0.002)  # eight threads that only count would make any store look slow

    assert crowd(8, work) == [None] * 8
    assert len(server.reads) <= 5


def test_a_lock_whose_holder_died_holds_nobody_up_for_longer_than_five_seconds(
    join: Make, store: WatchedStore, server: FaultServer, clock: ManualClock
) -> None:
    client = join()
    hold_lock(shared(client), PromptRef("greeting"), 5.0)
    began = clock.time
    assert content(client) == "answer 1"
    assert 0.5 < clock.time - began <= 5.2


def test_a_lock_whose_holder_died_is_no_outage(
    join: Make, store: WatchedStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    client = join()
    content(client)
    clock.passes(400)
    hold_lock(shared(client), PromptRef("greeting"), 5.0)
    assert content(client) in ("answer 1", "answer 2")
    wait_until_idle(client)
    assert not client.status().is_down
    assert "is down" not in caplog.text
    clock.passes(5)
    content(client)
    wait_until_idle(client)
    assert content(client) == "answer 2"


def test_no_lock_outlives_a_fetch_that_failed(
    join: Make, store: WatchedStore, server: FaultServer, clock: ManualClock
) -> None:
    server.answers(error(500), prompt("answer 1"), error(500), prompt("answer 2"))
    client, other = join(), join()
    began = clock.time
    with pytest.raises(ServerError):
        content(client)
    assert not [text for text in store.get_many(list(store.seen)).values() if "holder" in json.loads(text)]
    assert content(other) == "answer 1"
    assert content(other, cache_ttl=0) == "answer 1"  # the last known good
    assert content(join(), cache_ttl=0) == "answer 2"
    assert clock.time == began


@pytest.mark.parametrize("method", ["get_many", "set", "add", "all"])
def test_a_store_that_raises_is_a_miss_one_warning_and_a_rest(
    method: str, join: Make, store: WatchedStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    store.broken = {"get_many", "set", "add", "delete"} if method == "all" else {method}
    client = join(cache_local_ttl=0)
    for number in range(20):
        before = len(store.calls)
        assert content(client) == "answer 1"
        assert content(client, f"prompt-{number}") == f"answer {number + 2}"
        assert number == 0 or len(store.calls) == before
        clock.passes(0.2)
    assert len(warnings(caplog, "scope_client.store")) == 1
    assert "OSError" in warnings(caplog, "scope_client.store")[0]
    assert "hunter2" not in caplog.text
    clock.passes(1.1)
    content(client, "another")
    assert len(warnings(caplog, "scope_client.store")) == 1
    assert client.status().counters["store_failures"] == 2
    store.broken = set()
    clock.passes(5)
    assert content(client, "last") == content(join(), "last")


def test_a_store_that_cannot_delete_lets_the_error_of_a_fetch_pass(
    join: Make, store: WatchedStore, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    store.broken = {"delete"}
    server.answers(error(403))
    client = join()
    for number in range(3):
        with pytest.raises(AuthorizationError):
            content(client, f"prompt-{number}")
    assert len(warnings(caplog, "scope_client.store")) == 1
    assert "OSError" in warnings(caplog, "scope_client.store")[0]


def test_a_redis_that_hangs_holds_few_readers_up_and_is_used_again(
    fleet: Make, redis_server: RedisServer, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = fleet(cache_local_ttl=0)
    content(client)
    redis_server.pause()
    began = Clock().now()
    assert crowd(8, lambda: [content(client) for _ in range(50)]) == [["answer 1"] * 50] * 8
    assert [content(client, name) for name in "abc"] == ["answer 2", "answer 3", "answer 4"]
    assert Clock().now() - began < 5
    assert len(warnings(caplog, "scope_client.store")) == 1
    redis_server.resume()
    ends_the_rest_of_the_store(client)
    assert content(client, "d") == content(fleet(), "d") == "answer 5"


@pytest.mark.parametrize("is_emptied", [True, False])
def test_a_redis_that_stops_and_comes_back_empty_loses_nothing_that_is_known(
    is_emptied: bool, fleet: Make, redis_server: RedisServer, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    client = fleet(clock=clock.clock)
    client.clear_cache()
    content(client)
    clock.passes(400)
    server.answers(error(503))
    if not is_emptied:
        redis_server.stop()
        assert content(client) == "answer 1"
        assert len(warnings(caplog, "scope_client.store")) == 1
        redis_server.start()
    else:
        redis_server.reset()
    wait_until_idle(client)
    clock.passes(6)
    for _ in range(3):
        assert content(client) == "answer 1"
        wait_until_idle(client)
        clock.passes(6)
    server.answers(prompt("back"))
    clock.passes(60)
    assert content(client) == "answer 1"
    wait_until_idle(client)
    assert content(client) == "back"
    assert content(fleet(clock=clock.clock)) == "back"
    assert len(warnings(caplog, "scope_client.store")) == (not is_emptied)


def test_what_was_fetched_while_the_store_was_down_stays_known_when_it_is_back(
    join: Make, store: WatchedStore, server: FaultServer, clock: ManualClock
) -> None:
    join().clear_cache()
    clock.passes(60)
    store.broken = {"get_many", "set", "add", "delete"}
    client = join()
    assert content(client) == "answer 1"
    store.broken = set()
    server.answers(error(503))
    clock.passes(6)
    assert content(client) == "answer 1"


def test_a_404_is_forgotten_by_the_store_too(join: Make, server: FaultServer, clock: ManualClock) -> None:
    first = join()
    content(first)
    server.answers(error(404, code="prompt_not_found"), error(503))
    clock.passes(400)
    with pytest.raises(NotFoundError):
        content(first)
    clock.passes(1)
    with pytest.raises(ServerError):
        content(join())


def test_credentials_of_somebody_whose_org_id_is_no_text_have_a_cache_of_their_own(join: Make) -> None:
    class Numbered:
        org_id = 7
        token_path = "/v1/auth/sdk-token"

        def token_body(self) -> dict[str, str]:
            return {"account_id": "7"}

    content(join(credentials=Numbered()))
    assert content(join(credentials=Numbered())) == "answer 1"
    assert content(join()) == "answer 2"


@pytest.mark.parametrize(("pauses", "times"), [([0.9], 0), ([0.9, 0.0, 0.9], 0), ([0.9, 0.9], 1), ([2.1], 1)])
def test_one_slow_answer_is_forgiven_and_two_in_a_row_or_a_very_slow_one_are_not(
    pauses: list[float], times: int, make_client: Make, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = list(pauses)

    class Slow(MemoryStore):
        def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
            clock.passes(waiting.pop(0) if waiting else 0.0)
            return super().get_many(keys)

    store = Slow(timer=lambda: clock.time)
    make_client(cache_store=store).get_prompt_version("greeting")  # looks, locks, looks again, keeps
    waiting[:] = pauses
    caplog.clear()
    client = make_client(cache_store=store, cache_local_ttl=0)
    for _ in range(4):
        client.get_prompt_version("greeting")  # looks
    assert sum("an answer took" in record.getMessage() for record in caplog.records) == times
