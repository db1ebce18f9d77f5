"""A fetch that fails, fails for its fleet: for who waited for it, and a refusal for a second for who asks next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.clock import ManualClock, eventually
from faults.clocked_store import ClockedStore
from faults.crowd import Crowd
from faults.inside import flights_of, hold_lock, lock_of, store_key_of
from faults.rig import GREETING, Rig, down

from scope_client import (
    ApiError,
    AuthenticationError,
    AuthorizationError,
    ConflictError,
    ConnectionError,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    ScopeError,
    TimeoutError,
    TokenRefreshError,
)
from scope_client._cache.fleet_locks import Lock
from scope_client._cache.shared_entry import new_id
from scope_client._cache.shared_failure import Told, failure_text

if TYPE_CHECKING:
    from collections.abc import Iterator

Make = Callable[[], ScopeError]
REFUSALS: dict[str, Make] = {
    "404": lambda: NotFoundError("no such prompt", http_status=404, error_code="prompt_not_found", request_id="r-1"),
    "410": lambda: NotFoundError("no longer", http_status=410),
    "no production version": lambda: NoProductionVersionError("none", http_status=404, prompt_id="greeting"),
}
SHARED: dict[str, Make] = {
    **REFUSALS,
    "500": down,
    "429": lambda: RateLimitError("too many", http_status=429, retry_after=7.0),
    "409": lambda: ConflictError("not now", http_status=409, http_body='{"error": "conflict"}'),
    "400": lambda: ApiError("bad", http_status=400),
    "200": lambda: ApiError("not JSON", http_status=200),
}
ONES_OWN: dict[str, Make] = {
    "401": lambda: AuthenticationError("who?", http_status=401),
    "403": lambda: AuthorizationError("not you", http_status=403),
    "no token": lambda: TokenRefreshError("no token", http_status=500),
    "no connection": lambda: ConnectionError("gone"),
    "no answer": lambda: TimeoutError("slow"),
    "407": lambda: ApiError("the proxy asks for a password", http_status=407),
}


def met(rig: Rig, **options: Any) -> ScopeError:
    with pytest.raises(ScopeError) as caught:
        rig.read(**options)
    return caught.value


def facts(error: ScopeError) -> tuple[object, ...]:
    return type(error), str(error), {name: fact for name, fact in vars(error).items() if name != "retry_after"}


def waits_for(first: Rig, second: Rig, make: Make, **options: Any) -> ScopeError:
    """What `second` meets, which waits for the fetch of `first`, which fails."""
    asks = iter((True,))
    second.clock.sleeps.clear()

    def fails() -> str:
        if next(asks, False):
            others.append(Crowd(1, lambda: second.read(**options)))
            eventually(lambda: second.clock.sleeps)
        raise make()

    others: list[Crowd] = []
    second.clock.on_sleep = lambda seconds: first_has_ended() if seconds else None

    def first_has_ended() -> None:
        eventually(lambda: not flights_of(first.cache))

    first.source.gives(fails)
    met(first, **options)
    (outcome,) = others[0].outcomes()
    return outcome


class TestWhoWaited:
    @pytest.mark.parametrize("kind", SHARED)
    def test_meets_the_same_without_asking(self, kind: str, rig: Rig, neighbour: Rig) -> None:
        error = waits_for(rig, neighbour, SHARED[kind])
        assert facts(error) == facts(SHARED[kind]())
        assert neighbour.fetches == 0

    @pytest.mark.parametrize("kind", ["500", "400", "200"])
    def test_so_it_does_after_an_earlier_failure(self, kind: str, rig: Rig, neighbour: Rig) -> None:
        for _ in range(3):
            error = waits_for(rig, neighbour, SHARED[kind])
            assert facts(error) == facts(SHARED[kind]())
        assert neighbour.fetches == 0

    @pytest.mark.parametrize("kind", ["409", "400"])
    def test_so_it_does_if_there_is_a_version_that_is_too_old_for_it_and_stays(
        self, kind: str, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        rig.read()
        clock.passes(10)
        for _ in range(3):
            error = waits_for(rig, neighbour, SHARED[kind], max_age=5)
            assert facts(error) == facts(SHARED[kind]())
        assert neighbour.fetches == 0
        assert "first" in store.behind.get_many([store_key_of(rig.shared, GREETING)]).popitem()[1]
        assert Rig(clock, store).read() == "first"

    def test_goes_on_alone_if_a_holder_gives_up_and_another_one_takes_its_place(
        self, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        """In turn, each would wait for the failure of the one before it."""
        rig.read()
        clock.passes(10)
        lock = hold_lock(rig.shared, GREETING, 1000)

        def another_takes_it(seconds: float) -> None:
            clock.on_sleep = lambda seconds: None
            store.behind.delete(lock)
            hold_lock(rig.shared, GREETING, 1000)

        clock.on_sleep = another_takes_it
        neighbour.source.gives("alone")
        assert neighbour.read(max_age=5) == "alone"
        assert clock.sleeps == [0.05]

    @pytest.mark.parametrize("kind", ONES_OWN)
    def test_asks_if_it_may_be_a_fault_of_that_process(self, kind: str, rig: Rig, neighbour: Rig) -> None:
        neighbour.source.gives("mine")
        assert waits_for(rig, neighbour, ONES_OWN[kind]) == "mine"

    def test_asks_if_the_other_has_tried_less_hard(
        self, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        """What renews in the background makes one attempt without a retry."""
        rig.source.gives(down())
        rig.cache.renew(GREETING)
        rig.settle()
        assert rig.fetches == 1
        assert not store.holds(store_key_of(rig.shared, GREETING))
        assert neighbour.read() == "first"

    def test_takes_it_as_evidence_of_an_outage(self, rig: Rig, neighbour: Rig) -> None:
        waits_for(rig, neighbour, down)
        assert neighbour.platform.is_known

    def test_takes_a_refusal_as_none(self, rig: Rig, neighbour: Rig) -> None:
        waits_for(rig, neighbour, SHARED["404"])
        assert not neighbour.platform.is_known

    def test_waits_for_what_is_left_of_a_pause(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        met_by = waits_for(rig, neighbour, SHARED["429"])
        assert isinstance(met_by, RateLimitError)
        assert 6.5 <= (met_by.retry_after or 0) <= 7

    @pytest.mark.parametrize("is_known", [True, False])
    def test_is_put_off_for_longer_if_it_has_a_version_to_go_on_with(
        self, clock: ManualClock, store: ClockedStore, is_known: bool
    ) -> None:
        first, second = (Rig(clock, store, retry_max_delay=10) for _ in range(2))
        if is_known:
            second.read()
            store.empty()
        clock.passes(10)
        waits_for(first, second, lambda: RateLimitError("no", http_status=429, retry_after=3000.0), max_age=5)
        second.platform.ended("another prompt")
        clock.passes(29)
        assert second.platform.outlook(GREETING.key).is_likely_down is is_known


class TestWhoAsksNext:
    @pytest.mark.parametrize("kind", REFUSALS)
    def test_is_told_a_refusal_for_a_second(self, kind: str, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        rig.source.gives(REFUSALS[kind]())
        met(rig)
        clock.passes(0.9)
        assert facts(met(neighbour)) == facts(REFUSALS[kind]())
        assert neighbour.fetches == 0
        clock.passes(0.2)
        assert neighbour.read() == "first"

    def test_is_told_it_no_longer_than_a_second_in_all(self, rig: Rig, clock: ManualClock, store: ClockedStore) -> None:
        rig.source.gives(SHARED["404"]())
        met(rig)
        clock.passes(0.9)
        for _ in range(20):
            late = Rig(clock, store)
            late.source.gives(SHARED["404"]())
            met(late)
            clock.passes(0.05)
        assert late.fetches + rig.fetches <= 2

    def test_asks_if_the_caller_takes_nothing_so_old(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        rig.source.gives(SHARED["404"]())
        met(rig)
        clock.passes(0.5)
        assert neighbour.read(max_age=0.4) == "first"

    @pytest.mark.parametrize("kind", ["500", "409", "400", "200"])
    def test_asks_after_a_failure_that_is_no_refusal(self, kind: str, rig: Rig, neighbour: Rig) -> None:
        rig.source.gives(SHARED[kind]())
        met(rig)
        assert neighbour.read() == "first"
        assert neighbour.clock.sleeps == []

    @pytest.mark.parametrize("kind", ["409", "400"])
    def test_asks_after_a_failure_beside_a_version(
        self, kind: str, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        """What has failed lies in the place of its lock: each next one comes after it."""
        rig.read()
        clock.passes(10)
        for reader in (rig, neighbour, rig):
            reader.source.gives(SHARED[kind]())
            met(reader, max_age=5)
        assert rig.fetches + neighbour.fetches == 4
        neighbour.source.gives("back")
        assert neighbour.read(max_age=5) == "back"
        assert clock.sleeps == []

    def test_is_told_a_refusal_beside_a_version_that_it_has_evicted(
        self, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        rig.read()
        clock.passes(10)
        rig.source.gives(SHARED["404"]())
        met(rig, max_age=5)
        assert facts(met(neighbour)) == facts(SHARED["404"]())
        assert neighbour.fetches == 0

    def test_finds_the_last_of_many_failures_at_once(self, rig: Rig, neighbour: Rig, store: ClockedStore) -> None:
        for reader in (rig, neighbour) * 3:
            reader.source.gives(down())
            met(reader)
        neighbour.source.gives("back")
        assert store.trips
        assert neighbour.read() == "back"
        assert store.trips == ["get_many", "add", "set"]

    def test_gets_out_of_a_ring_of_failures(self, rig: Rig, clock: ManualClock, store: ClockedStore) -> None:
        """Whoever writes to the store can make one."""
        rig.read()
        clock.passes(10)
        first = lock_of(rig.shared, GREETING)
        one, other = new_id(), new_id()
        for key, holder in ((first, one), (f"{store.entry}:lock:{one}", other), (f"{store.entry}:lock:{other}", one)):
            told = Told(down(), Lock(key, holder), clock.wall, 0, 0.0)
            store.behind.set(key, failure_text(told), 1000)
        assert store.trips
        assert rig.read(max_age=5) == "first"
        assert len(store.trips) < 1000

    def test_waits_out_what_a_429_has_asked_for(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        rig.source.gives(SHARED["429"]())
        met(rig)
        clock.passes(6)
        error = met(neighbour)
        assert isinstance(error, RateLimitError)
        assert error.retry_after == pytest.approx(1)
        clock.passes(1.1)
        assert neighbour.read() == "first"

    def test_asks_if_all_was_cleared_since(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        rig.source.gives(SHARED["404"]())
        met(rig)
        rig.cache.clear()
        assert neighbour.read() == "first"

    def test_asks_if_all_was_cleared_meanwhile(self, rig: Rig, neighbour: Rig) -> None:
        def fails() -> str:
            neighbour.cache.clear()
            raise SHARED["404"]()

        rig.source.gives(fails)
        met(rig)
        assert neighbour.read() == "first"

    def test_goes_on_with_what_is_fresh(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        neighbour.read()
        rig.source.gives(SHARED["404"]())
        met(rig, max_age=0)
        assert neighbour.read() == "first"

    def test_evicts_what_has_expired(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        neighbour.read()
        clock.passes(200)
        rig.source.gives(SHARED["404"]())
        met(rig)
        assert isinstance(met(neighbour), NotFoundError)
        assert GREETING.key not in neighbour.cache.entries


def test_the_version_that_failed_to_be_renewed_stays_for_the_others(
    rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
) -> None:
    rig.read()
    clock.passes(200)
    rig.source.gives(down())
    assert rig.read() == "first"
    assert json.loads(store.seen[store_key_of(rig.shared, GREETING)])["version"]["content"] == "first"


def test_a_version_that_another_has_fetched_meanwhile_stays(
    rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
) -> None:
    """The lock ends, another process fetches, and only then the first one fails."""

    def fails() -> str:
        store.behind.delete(store_key_of(rig.shared, GREETING))
        assert neighbour.read() == "first"
        raise down()

    rig.source.gives(fails)
    met(rig)
    assert Rig(clock, store).read() == "first"
    assert neighbour.fetches == 1


def test_a_miss_that_is_refused_costs_three_calls(rig: Rig, store: ClockedStore) -> None:
    rig.source.gives(SHARED["404"]())
    met(rig)
    assert store.trips == ["get_many", "add", "set"]


def changed(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("schema", "generation", "failed_at", "failure"):
        for value in (None, "x", [], -1, 1e308, {"kind": "NotFoundError"}):
            yield {**entry, name: value}
    for name in ("kind", "message", "http_status"):
        for value in (None, 7.5, [], {}, "ScopeError", "KeyboardInterrupt"):
            if name != "message" or not isinstance(value, str):
                yield {**entry, "failure": {**entry["failure"], name: value}}


def test_what_cannot_be_read_is_as_good_as_nothing(rig: Rig, clock: ManualClock, store: ClockedStore) -> None:
    rig.source.gives(SHARED["404"]())
    met(rig)
    key = store_key_of(rig.shared, GREETING)
    for entry in changed(json.loads(store.seen[key])):
        store.behind.set(key, json.dumps(entry), 1000)
        assert Rig(clock, store).read() == "first", entry


def test_facts_of_another_kind_are_left_out(rig: Rig, clock: ManualClock, store: ClockedStore) -> None:
    rig.source.gives(SHARED["404"]())
    met(rig)
    key = store_key_of(rig.shared, GREETING)
    entry = json.loads(store.seen[key])
    entry["failure"].update(http_body=[1], error_code=7, request_id={}, retry_after="soon", holder=9)
    store.behind.set(key, json.dumps(entry), 1000)
    error = met(Rig(clock, store))
    assert (error.http_body, error.error_code, error.request_id, error.retry_after) == (None, None, None, None)


def test_a_long_message_is_cut(rig: Rig, neighbour: Rig, store: ClockedStore) -> None:
    rig.source.gives(NotFoundError("no" * 100_000, http_status=404))
    met(rig)
    assert len(store.seen[store_key_of(rig.shared, GREETING)]) < 5_000
    assert str(met(neighbour)) == "no" * 1000


def test_a_lock_that_hangs_on_leaves_no_trace(rig: Rig, clock: ManualClock, store: ClockedStore) -> None:
    hold_lock(rig.shared, GREETING, 1000)
    rig.source.gives(SHARED["404"]())
    met(rig)
    assert isinstance(met(Rig(clock, store)), NotFoundError)
