"""A shared store gives a locked client what its own lock names, and nothing that others have left there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.locking import GREETING, NEWS, answer_of, body, write_lock
from faults.reading import content, wait_until_idle
from faults.redisserver import RedisServer
from faults.replies import error, prompt
from faults.watched_store import WatchedStore

from scope_client import Clock, MemoryStore, NotFoundError, ScopeClient

if TYPE_CHECKING:
    from pathlib import Path

    from faults.clock import ManualClock
    from faults.server import FaultServer, Peer

Make = Callable[..., ScopeClient]
OTHER = body("other {{name}}", number=8)


@pytest.fixture
def store(clock: ManualClock) -> WatchedStore:
    return WatchedStore(MemoryStore(timer=lambda: clock.time))


@pytest.fixture
def other_lock(tmp_path: Path) -> Path:
    return write_lock(tmp_path / "other project", [OTHER, NEWS])


@pytest.fixture
def same_id_other_hash(tmp_path: Path) -> Path:
    """Of the same draft, which was edited in between."""
    return write_lock(tmp_path / "edited project", [{**GREETING, "content": "edited {{name}}"}])


@pytest.fixture
def join(make_client: Make, store: WatchedStore) -> Make:
    return lambda **options: make_client(**{"cache_store": store, "max_retries": 0, "cache_ttl": 100, **options})


@pytest.fixture(autouse=True)
def platform(server: FaultServer, bodies: dict[str, Any]) -> None:
    bodies["/api/v1/prompts/greeting/versions/v_greeting_8"] = OTHER

    def reply(peer: Peer) -> None:
        found = bodies.get(peer.request.target)
        peer.send(prompt("unlocked", id="v_greeting_7") if found is None else answer_of(found))

    server.answers(reply)


def test_a_fleet_with_the_same_lock_fetches_once(join: Make, lock: Path, server: FaultServer, tmp_path: Path) -> None:
    read = [join(lock=lock).read_prompt("greeting") for _ in range(3)]
    assert [each.source for each in read] == ["platform", "store", "store"]
    assert all(each.is_locked and each.version.content == "locked {{name}}" for each in read)
    elsewhere = write_lock(tmp_path / "another machine", [GREETING])
    assert join(lock=elsewhere).read_prompt("greeting").source == "store"
    assert len(server.reads) == 1


def test_nobody_is_served_what_another_lock_or_none_has_left(
    join: Make, lock: Path, other_lock: Path, same_id_other_hash: Path, server: FaultServer, bodies: dict[str, Any]
) -> None:
    for _ in range(2):
        for options, expected in (
            ({}, "unlocked"),
            ({"lock": lock}, "locked {{name}}"),
            ({"lock": other_lock}, "other {{name}}"),
            ({}, "unlocked"),
        ):
            assert content(join(**options)) == expected
    bodies["/api/v1/prompts/greeting/versions/v_greeting_7"] = {**GREETING, "content": "edited {{name}}"}
    assert content(join(lock=same_id_other_hash)) == "edited {{name}}"
    assert content(join(lock=lock)) == "locked {{name}}"
    assert len(server.reads) == 4


def test_what_is_not_locked_is_shared_with_everybody(
    join: Make, lock: Path, other_lock: Path, server: FaultServer
) -> None:
    for options in ({}, {"lock": lock}, {"lock": other_lock}):
        assert content(join(**options), label="latest") == "unlocked"
        assert content(join(**options), version="v_x") == "unlocked"
    assert len(server.reads) == 2


def test_two_locks_of_the_same_version_share_it(join: Make, lock: Path, other_lock: Path, server: FaultServer) -> None:
    assert content(join(lock=lock), "news") == content(join(lock=other_lock), "news") == "news {{topic}}"
    assert len(server.reads) == 1


@pytest.mark.parametrize("field", ["content", "metadata", "id", "name", "tags"])
def test_an_entry_that_somebody_changed_in_the_store_is_a_miss(
    join: Make, lock: Path, store: WatchedStore, server: FaultServer, field: str
) -> None:
    content(join(lock=lock))
    (key, text), *_ = [
        (key, text) for key in store.seen for text in store.behind.get_many([key]).values() if '"version"' in text
    ]
    entry = json.loads(text)
    entry["version"][field] = {"content": "evil", "metadata": {}, "id": "v_x", "name": "x", "tags": []}[field]
    store.behind.set(key, json.dumps(entry), 1000)
    read = join(lock=lock).read_prompt("greeting")
    assert (read.version.content, read.source) == ("locked {{name}}", "platform")
    assert read.version.id == "v_greeting_7"
    assert read.version.tags == ("a",)
    assert len(server.reads) == 2
    assert join(lock=lock).read_prompt("greeting").source == "store"


def test_clear_cache_clears_a_prompt_for_the_whole_fleet(
    join: Make, lock: Path, server: FaultServer, clock: ManualClock
) -> None:
    one, two = join(lock=lock), join(lock=lock)
    unlocked = join()
    for client in (one, two, unlocked):
        content(client)
    assert len(server.reads) == 2
    clock.passes(10)
    one.clear_cache("greeting")
    clock.passes(10)
    for client in (one, two, unlocked):
        content(client)
    assert len(server.reads) == 4
    one.clear_cache()
    clock.passes(10)
    for client in (one, two, unlocked):
        content(client)
    assert len(server.reads) == 6


def test_a_refusal_is_not_told_to_a_neighbour_who_has_a_copy(
    join: Make, lock: Path, bare_lock: Path, server: FaultServer
) -> None:
    server.answers(error(404))
    with pytest.raises(NotFoundError):
        content(join(lock=bare_lock))
    assert join(lock=lock).read_prompt("greeting").source == "folder"


def test_during_an_outage_the_store_comes_before_the_folder(
    join: Make, lock: Path, server: FaultServer, clock: ManualClock
) -> None:
    content(join(lock=lock))
    server.answers(error(503))
    assert join(lock=lock).read_prompt("greeting").source == "store"
    clock.passes(150)
    assert join(lock=lock).read_prompt("greeting").source == "stale"


def test_the_last_version_that_fits_is_not_kept_for_what_is_locked(join: Make, lock: Path, store: WatchedStore) -> None:
    client = join(lock=lock, when_unfit="last_fitting")
    content(client)
    wait_until_idle(client)
    assert not [key for key in store.seen if key.endswith(":fitting")]
    content(client, label="latest")
    wait_until_idle(client)
    assert [key for key in store.seen if key.endswith(":fitting")]


def test_on_a_real_redis(redis_server: RedisServer, make_client: Make, lock: Path, server: FaultServer) -> None:
    with redis_server.store() as one, redis_server.store() as two:
        clients = [make_client(cache_store=each, lock=lock, clock=Clock()) for each in (one, two)]
        assert [client.read_prompt("greeting").source for client in clients] == ["platform", "store"]
        assert content(make_client(cache_store=two, clock=Clock())) == "unlocked"
        assert len(server.reads) == 2
        for client in clients:
            wait_until_idle(client)
