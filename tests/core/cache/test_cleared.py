"""Cleared: since when what was fetched of a prompt is void, though the store may have been away."""

from __future__ import annotations

import pytest
from faults.clock import ManualClock
from faults.watched_store import WatchedStore

from scope_client import MemoryStore
from scope_client._cache.cleared import CLEARED_KEY_SECONDS, MAX_CLEARED_NAMES, Cleared

DAY = 24 * 60 * 60


@pytest.fixture
def store() -> WatchedStore:
    return WatchedStore(MemoryStore())


@pytest.fixture
def cleared(store: WatchedStore, clock: ManualClock) -> Cleared:
    return Cleared(store, clock.clock, lambda name: f"key of {name}", lambda text: int(text or 0))


def test_it_is_written_for_a_fortnight(cleared: Cleared, store: WatchedStore, clock: ManualClock) -> None:
    clock.wall = 1000.0001
    cleared.clear("a")
    assert store.calls == [("set", "key of a", "1000001", 14 * DAY)]
    assert CLEARED_KEY_SECONDS == 14 * DAY


def test_what_nobody_cleared_is_void_since_never(cleared: Cleared, store: WatchedStore) -> None:
    assert cleared.since("a", None) == 0
    assert store.calls == []


def test_the_later_of_what_the_store_has_and_of_what_was_cleared_here_counts(
    cleared: Cleared, store: WatchedStore, clock: ManualClock
) -> None:
    clock.wall = 1000.0
    cleared.clear("a")
    store.calls.clear()
    assert cleared.since("a", "1000000") == 1000
    assert cleared.since("a", "2000000") == 2000
    assert store.calls == []  # it knows
    assert cleared.since("a", "999999") == 1000
    assert store.calls == [("set", "key of a", "1000000", CLEARED_KEY_SECONDS)]


def test_a_thousand_names_are_told_later_to_a_store_that_was_away(cleared: Cleared, clock: ManualClock) -> None:
    clock.wall = 1000.0
    names = [f"name {number}" for number in range(1000)]
    for name in names:
        cleared.clear(name)
    assert MAX_CLEARED_NAMES == 1000
    assert {cleared.since(name, None) for name in names} == {1000}
    cleared.clear("one more")
    assert [cleared.since(name, None) for name in (names[0], names[-1], "one more")] == [0, 0, 1000]
