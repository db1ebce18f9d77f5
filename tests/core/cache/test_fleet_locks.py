"""FleetLocks alone, over a store that refuses, fails, or hides what it has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from faults.clock import ManualClock
from faults.clocked_store import ClockedStore
from faults.inside import refused_locks

from scope_client._attribute_names import STORE_OPERATION
from scope_client._cache.fleet_locks import (
    LOCK_SECONDS,
    LOCKED_OUT_SECONDS,
    MAX_REFUSED_LOCKS,
    REFUSING_SECONDS,
    UNSEEN_LOCK_SECONDS,
    FleetLocks,
    Lock,
    Rival,
    after_holder,
    first_lock,
)
from scope_client._cache.shared_entry import lock_text, new_id
from scope_client._cache.store_breaker import StoreBreaker

KEY = "p:greeting"
UNREADABLE = Rival(None, None)


@pytest.fixture
def store(clock: ManualClock) -> ClockedStore:
    return ClockedStore(clock)


@pytest.fixture
def breaker(clock: ManualClock) -> StoreBreaker:
    return StoreBreaker(clock.clock)


@pytest.fixture
def locks(clock: ManualClock, store: ClockedStore, breaker: StoreBreaker) -> FleetLocks:
    return FleetLocks(store, breaker, clock.clock, "p:")


def lock() -> Lock:
    return first_lock(KEY, None)


def take(locks: FleetLocks, wanted: Lock, silent_for: float | None = 0.25) -> Rival | None:
    return locks.take(wanted, wanted.key, silent_for=silent_for)


def operations(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What of a store failed, as the records of the log name it."""
    return [vars(record)[STORE_OPERATION] for record in caplog.records]


class TestTaken:
    def test_it_says_whose_it_is_and_when_its_holder_speaks_anew(self, locks: FleetLocks, store: ClockedStore) -> None:
        wanted = lock()
        assert take(locks, wanted) is None
        assert store.calls == [("add", KEY, lock_text(wanted.holder, 0.25), LOCK_SECONDS)]
        assert take(locks, lock()) == Rival(wanted.holder, 0.25)

    def test_by_who_finds_another_ones_lock_gone_it_is_had(
        self, locks: FleetLocks, store: ClockedStore, clock: ManualClock
    ) -> None:
        other = lock()
        assert take(locks, other) is None
        assert take(locks, after_holder(KEY, other.holder)) is None
        clock.passes(LOCK_SECONDS)
        assert take(locks, lock()) is None


class TestAStoreThatRefuses:
    """What it should add is not there afterwards."""

    @pytest.fixture(autouse=True)
    def refusing(self, store: ClockedStore) -> None:
        store.refuses_locks = True

    def test_is_asked_by_a_key_of_its_own_under_the_same_prefix(
        self, locks: FleetLocks, store: ClockedStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr(store, "add", lambda key, value, ttl: bool(asked.append(key)))
        assert take(locks, lock()) == UNREADABLE
        (own, probe) = asked
        assert own == KEY
        assert probe.startswith("p:")
        assert probe != KEY

    def test_counts_as_one_that_fails_after_a_tenth_of_a_second(
        self, locks: FleetLocks, breaker: StoreBreaker, clock: ManualClock
    ) -> None:
        assert take(locks, lock()) == UNREADABLE
        clock.passes(REFUSING_SECONDS - 0.01)
        assert take(locks, lock()) == UNREADABLE
        assert breaker.failures == 0
        clock.passes(0.02)
        assert take(locks, lock()) is None
        assert breaker.failures == 1

    def test_but_adds_another_key_has_something_that_cannot_be_seen(
        self, locks: FleetLocks, store: ClockedStore, breaker: StoreBreaker, clock: ManualClock
    ) -> None:
        store.add = lambda key, value, ttl: key != KEY  # type: ignore[method-assign]
        assert take(locks, lock()) == UNREADABLE
        clock.passes(UNSEEN_LOCK_SECONDS - 0.01)
        assert take(locks, lock()) == UNREADABLE
        clock.passes(0.01)
        assert take(locks, lock()) is None
        assert breaker.failures == 0

    def test_and_then_fails_is_not_waited_for(self, locks: FleetLocks, store: ClockedStore) -> None:
        refused: list[str] = []

        def add(key: str, value: str, ttl: float) -> bool:
            if refused:
                raise OSError("gone")
            return bool(refused.append(key))

        store.add = add  # type: ignore[method-assign]
        assert take(locks, lock()) is None


class TestAStoreThatFails:
    def test_at_adding_is_not_waited_for_though_somebody_has_the_lock(
        self, locks: FleetLocks, store: ClockedStore
    ) -> None:
        store.behind.set(KEY, lock_text(new_id(), 0.25), LOCK_SECONDS)
        store.broken = {"add"}
        assert take(locks, lock()) is None

    def test_at_looking_is_not_waited_for(self, locks: FleetLocks, store: ClockedStore) -> None:
        assert take(locks, lock()) is None
        store.broken = {"get_many"}
        assert take(locks, lock()) is None

    @pytest.mark.parametrize("answer", [None, "yes", object()])
    def test_is_one_that_does_not_say_whether_it_has_added(
        self, locks: FleetLocks, store: ClockedStore, answer: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.add = lambda key, value, ttl: answer  # type: ignore[method-assign]
        assert take(locks, lock()) is None
        assert f"add must return True or False, got {type(answer).__name__}" in caplog.text
        assert operations(caplog) == ["add"]

    @pytest.mark.parametrize(
        ("broken", "operation"), [("get_many", "find"), ("delete", "delete"), ("set", "announce"), ("set", "leave")]
    )
    def test_is_named_with_what_it_failed_at(
        self, locks: FleetLocks, store: ClockedStore, broken: str, operation: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        mine = lock()
        assert take(locks, mine) is None
        store.broken = {broken}
        if operation == "find":
            take(locks, lock())
        elif operation == "delete":
            locks.unlock(mine)
        elif operation == "announce":
            locks.announce(mine, 0.5)
        else:
            locks.leave(mine, KEY, "why", 1.0)
        assert operations(caplog) == ["find" if operation == "find" else broken]

    def test_a_lock_that_never_ends_is_named_so_too(
        self, locks: FleetLocks, clock: ManualClock, store: ClockedStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.behind.set(KEY, lock_text(new_id(), None), 1000)
        assert take(locks, lock()) is not None
        clock.passes(15)
        assert take(locks, lock()) is None
        assert operations(caplog) == ["add"]

    def test_a_lock_that_another_has_by_then_is_refused_anew(
        self, locks: FleetLocks, clock: ManualClock, store: ClockedStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            store.behind.set(KEY, lock_text(new_id(), None), 1000)
            assert take(locks, lock()) is not None
            clock.passes(LOCKED_OUT_SECONDS - 0.1)
            assert take(locks, lock()) is not None
        assert operations(caplog) == []
        clock.passes(0.1)
        assert take(locks, lock()) is None

    def test_a_lock_that_was_had_meanwhile_is_refused_anew(
        self, locks: FleetLocks, clock: ManualClock, store: ClockedStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            store.behind.set(KEY, "what cannot be read", 100)
            assert take(locks, lock()) == UNREADABLE
            store.behind.delete(KEY)
            clock.passes(LOCKED_OUT_SECONDS / 2)
            mine = lock()
            assert take(locks, mine) is None
            locks.unlock(mine)
        assert operations(caplog) == []

    def test_one_that_has_just_gone_is_not_one_that_cannot_be_seen(
        self, locks: FleetLocks, clock: ManualClock, store: ClockedStore
    ) -> None:
        store.behind.set(KEY, lock_text(new_id(), None), 1000)
        assert take(locks, lock()) is not None
        clock.passes(LOCK_SECONDS)
        store.get_many = lambda keys: {}  # type: ignore[method-assign]
        assert take(locks, lock()) == UNREADABLE
        clock.passes(UNSEEN_LOCK_SECONDS)
        assert take(locks, lock()) is None


class TestLeft:
    def test_an_error_lies_where_a_version_has_been(self, locks: FleetLocks, store: ClockedStore) -> None:
        mine = after_holder(KEY, new_id())
        assert take(locks, mine) is None
        locks.leave(mine, KEY, "why", 1.0)
        assert store.behind.get_many([KEY]) == {KEY: "why"}

    def test_beside_a_version_it_lies_in_the_place_of_the_lock(self, locks: FleetLocks, store: ClockedStore) -> None:
        store.behind.set(KEY, json.dumps({"version": {}}), 100)
        mine = after_holder(KEY, new_id())
        assert take(locks, mine) is None
        locks.leave(mine, KEY, "why", 1.0)
        assert store.behind.get_many([mine.key]) == {mine.key: "why"}
        assert "version" in store.behind.get_many([KEY])[KEY]

    def test_nothing_is_left_by_who_has_the_lock_no_more(self, locks: FleetLocks, store: ClockedStore) -> None:
        other = lock()
        assert take(locks, other) is None
        for leaves in (
            lambda: locks.leave(lock(), KEY, "why", 1.0),
            lambda: locks.unlock(lock()),
            lambda: locks.announce(lock(), 1.0),
        ):
            leaves()
            assert store.behind.get_many([KEY]) == {KEY: lock_text(other.holder, 0.25)}


def test_so_many_refused_locks_are_counted_and_no_more(locks: FleetLocks) -> None:
    for number in range(MAX_REFUSED_LOCKS):
        locks.take(lock(), f"key {number}", silent_for=None, seen=Rival(new_id(), None))
    assert refused_locks(locks) == MAX_REFUSED_LOCKS
    locks.take(lock(), "one more", silent_for=None, seen=Rival(new_id(), None))
    assert refused_locks(locks) == 1
