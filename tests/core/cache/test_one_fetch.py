"""One fetch for a fleet: its lock, who waits for it, and what that costs in calls to the store."""

from __future__ import annotations

import contextlib
import json
import threading

import pytest
from faults.clock import ManualClock, eventually
from faults.clocked_store import ClockedStore
from faults.crowd import Crowd
from faults.inside import flights_of, hold_lock, lock_of, looks_into_its_store, store_key_of
from faults.rig import GREETING, Rig, down

from scope_client import ConnectionError, NotFoundError, ServerError, TimeoutError
from scope_client._cache.shared_entry import lock_text, new_id
from scope_client._prompt.ref import PromptRef


class TestOneFetch:
    def test_what_one_process_fetched_serves_the_others(self, rig: Rig, neighbour: Rig) -> None:
        assert rig.read() == "first"
        neighbour.source.gives("never asked")
        assert neighbour.read() == "first"
        assert neighbour.fetches == 0

    def test_who_finds_the_lock_taken_waits_for_what_its_holder_brings(
        self, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        may_end = threading.Event()
        rig.source.gives(lambda: may_end.wait(10) and "shared")
        first = Crowd(1, rig.read)
        eventually(lambda: rig.fetches == 1)
        waiting = []

        def ends_while_it_waits(seconds: float) -> None:
            waiting.append(seconds)
            may_end.set()
            first.outcomes()

        clock.on_sleep = ends_while_it_waits
        assert neighbour.read() == "shared"
        assert waiting == [0.05]
        assert neighbour.fetches == 0

    @pytest.mark.parametrize(("silent_for", "waits"), [(None, 0.9), (0.25, 0.4), (2.0, 2.15)])
    def test_a_lock_whose_holder_died_is_waited_for_until_its_next_word_is_late(
        self, silent_for: float | None, waits: float, rig: Rig, clock: ManualClock
    ) -> None:
        hold_lock(rig.shared, GREETING, 1000, silent_for=silent_for)
        began = clock.time
        assert rig.read() == "first"
        assert clock.time - began == pytest.approx(waits, abs=0.11)

    def test_one_that_says_something_anew_is_waited_for_anew(
        self, rig: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        lock = hold_lock(rig.shared, GREETING, 1000, silent_for=0.25)
        holder = json.loads(store.behind.get_many([lock])[lock])["holder"]
        words = {0.25: 0.3, 0.55: 0.6}  # when, and what is said

        def says_so(seconds: float) -> None:
            for due in [due for due in words if clock.time - began >= due]:
                store.behind.set(lock, lock_text(holder, words.pop(due)), 1000)

        clock.on_sleep = says_so
        began = clock.time
        assert rig.read() == "first"
        assert words == {}
        assert clock.time - began == pytest.approx(0.55 + 0.6 + 0.15, abs=0.16)

    def test_who_comes_while_one_takes_the_place_of_the_dead_waits_for_that_one(
        self, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        others: list[Crowd] = []

        def gives() -> str:
            waits = threading.Event()

            def until_the_fetch_has_ended(seconds: float) -> None:
                waits.set()
                eventually(lambda: not flights_of(rig.cache))

            clock.on_sleep = until_the_fetch_has_ended
            others.append(Crowd(1, neighbour.read))
            assert waits.wait(10)
            return "one"

        hold_lock(rig.shared, GREETING, 1000)
        rig.source.gives(gives)
        assert rig.read() == "one"
        assert others[0].outcomes() == ["one"]
        assert neighbour.fetches == 0

    def test_who_takes_the_place_of_the_dead_may_die_too(
        self, rig: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        lock = hold_lock(rig.shared, GREETING, 1000)
        dead = json.loads(store.behind.get_many([lock])[lock])["holder"]
        store.behind.add(f"{lock}:lock:{dead}", lock_text(new_id()), 1000)
        began = clock.time
        assert rig.read() == "first"
        assert clock.time - began == pytest.approx(1.9, abs=0.2)

    def test_a_lock_that_is_its_own_successor_is_asked_for_once_in_a_while(
        self, rig: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        """Whoever writes to the store can have the same holder under every key."""
        lock = hold_lock(rig.shared, GREETING, 1000)
        text = store.behind.get_many([lock])[lock]
        store.behind.add(f"{lock}:lock:{json.loads(text)['holder']}", text, 1000)
        assert store.trips
        began = clock.time
        assert rig.read() == "first"
        assert clock.time - began == pytest.approx(5, abs=0.11)
        assert len(store.trips) <= 3 * 5 / 0.05 + 4

    def test_who_has_seen_a_new_version_since_waits_for_its_renewal_and_for_no_earlier_lock(
        self, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        """The version has come from the one who took the place of the dead, and is too old for this reader."""
        lock = hold_lock(rig.shared, GREETING, 1000)
        dead = json.loads(store.behind.get_many([lock])[lock])["holder"]
        successor = f"{lock}:lock:{dead}"
        store.behind.add(successor, lock_text(new_id(), 3.0), 1000)

        def ends(seconds: float) -> None:
            if clock.time - began > 1.5:
                clock.on_sleep = None
                store.behind.delete(lock)
                neighbour.read()
                clock.passes(2)

        clock.on_sleep = ends
        began = clock.time
        rig.source.gives("renewed")
        assert rig.read(max_age=1) == "renewed"
        assert clock.time - began == pytest.approx(1.55 + 2, abs=0.11)
        assert store.holds(successor)

    def test_nobody_is_waited_for_longer_than_five_seconds(self, rig: Rig, clock: ManualClock) -> None:
        hold_lock(rig.shared, GREETING, 1000, silent_for=60)
        began = clock.time
        assert rig.read() == "first"
        assert clock.time - began == pytest.approx(5, abs=0.11)

    def test_a_renewal_waits_for_it_for_a_second_and_leaves_it_then(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        hold_lock(rig.shared, GREETING, 1000, silent_for=60)
        began = clock.time
        rig.cache.renew(GREETING)
        rig.settle()
        assert rig.fetches == 1
        assert clock.time - began == pytest.approx(1, abs=0.11)
        assert not rig.platform.is_known

    def test_a_renewal_takes_the_place_of_one_that_died(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        hold_lock(rig.shared, GREETING, 1000, silent_for=0.25)
        rig.cache.renew(GREETING)
        rig.settle()
        assert rig.fetches == 2

    def test_a_caller_without_the_time_for_it_gets_a_time_out(self, rig: Rig) -> None:
        hold_lock(rig.shared, GREETING, 1000)
        with pytest.raises(TimeoutError) as caught:
            rig.read(seconds=0.5)
        assert caught.value.is_deadline
        assert rig.fetches == 0

    def test_the_version_takes_the_place_of_its_lock(self, rig: Rig, store: ClockedStore) -> None:
        seen = []
        rig.source.gives(lambda: seen.append(store.behind.get_many(list(store.seen))) or "first")
        rig.read()
        (lock,) = seen
        assert list(lock) == [store_key_of(rig.shared, GREETING)]
        assert list(store.seen) == list(lock)
        assert json.loads(store.seen[store.entry])["version"]["content"] == "first"

    @pytest.mark.parametrize("has_one", [False, True])
    def test_the_lock_is_given_back_after_a_failure(
        self, has_one: bool, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        if has_one:
            rig.read()
        began = clock.time
        rig.source.gives(down())
        with contextlib.suppress(ServerError):
            rig.read(max_age=0)
        assert rig.fetches == 1 + has_one
        neighbour.source.gives("second")
        assert neighbour.read(max_age=0) == "second"
        assert clock.time == began

    def test_the_lock_is_given_back_after_an_interrupt(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        def interrupts() -> str:
            raise KeyboardInterrupt

        rig.source.gives(interrupts)
        with pytest.raises(KeyboardInterrupt):
            rig.read()
        began = clock.time
        assert neighbour.read() == "first"
        assert clock.time == began

    def test_the_lock_is_given_back_if_everything_was_cleared_meanwhile(
        self, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        rig.source.gives(lambda: rig.cache.clear() or "old")
        rig.read()
        began = clock.time
        neighbour.source.gives("new")
        assert neighbour.read() == "new"
        assert clock.time == began

    @pytest.mark.parametrize("has_one", [False, True])
    @pytest.mark.parametrize(("takes", "is_kept"), [(4.9, False), (5.1, True)])
    def test_a_lock_that_may_be_another_processes_by_now_is_left_alone(
        self, takes: float, is_kept: bool, has_one: bool, rig: Rig, store: ClockedStore, clock: ManualClock
    ) -> None:
        if has_one:
            rig.read()
            clock.passes(200)
        key = lock_of(rig.shared, GREETING)

        def another_takes_it_if_it_has_ended() -> str:
            store.behind.add(key, lock_text("another0"), 1000)
            raise ConnectionError("no answer")

        rig.source.takes = takes
        rig.source.gives(another_takes_it_if_it_has_ended)
        with contextlib.suppress(ConnectionError):
            rig.read(max_age=0)
        assert store.holds(key) is is_kept

    def test_a_lock_that_was_left_behind_never_blocks_the_next_renewal(
        self, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        """A tenth of a second between fetches; a lock lives for five."""
        began = clock.time
        for number in range(20):
            reader = (rig, neighbour)[number % 2]
            reader.source.gives(f"number {number}")
            assert reader.read(max_age=0) == f"number {number}"
            clock.passes(0.1)
        assert clock.time - began == pytest.approx(2)

    @pytest.mark.parametrize("is_lost_by", ["eviction", "a clear", "a 404"])
    def test_nor_a_fetch_after_the_version_was_lost(
        self, is_lost_by: str, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        began = clock.time
        for _ in range(3):
            rig.read(max_age=0)
            if is_lost_by == "eviction":
                store.behind.delete(store.entry)
            elif is_lost_by == "a clear":
                rig.cache.clear()
            else:
                rig.source.gives(NotFoundError("no", http_status=404), "back")
                with pytest.raises(NotFoundError):
                    rig.read(max_age=0)
            assert neighbour.read(max_age=0) == "first"
        assert clock.time == began

    def test_clocks_that_stand_still_make_no_two_versions_share_a_lock(
        self, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        """A test of the user's may freeze all clocks."""
        clock.on_sleep = lambda seconds: pytest.fail("it waits for a lock")
        for _ in range(3):
            assert rig.read(max_age=0) == neighbour.read(max_age=0) == "first"

    @pytest.mark.parametrize("has_one", [False, True])
    def test_a_version_that_comes_between_the_look_and_the_lock_is_taken(
        self, has_one: bool, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        if has_one:
            rig.read()
            clock.passes(200)
        neighbour.source.gives("the neighbour's")
        add, store.add = store.add, lambda *arguments: comes_between(*arguments)

        def comes_between(*arguments: object) -> bool:
            store.add = add
            assert neighbour.read() == "the neighbour's"
            return add(*arguments)

        before = rig.fetches
        assert rig.read() == "the neighbour's"
        assert rig.fetches == before

    def test_who_slept_between_the_look_and_the_lock_looks_again(
        self, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        rig.read()
        clock.passes(200)
        neighbour.source.gives("the neighbour's")
        find = rig.shared.find

        def sleeps_after_it(ref: PromptRef, **options: object) -> object:
            rig.shared.find = find
            look = find(ref, **options)
            assert neighbour.read() == "the neighbour's"
            clock.passes(6)
            return look

        rig.shared.find = sleeps_after_it
        assert rig.read() == "the neighbour's"
        assert rig.fetches == 1

    def test_those_who_waited_for_a_fetch_that_failed_do_not_wait_for_each_other(
        self, clock: ManualClock, store: ClockedStore
    ) -> None:
        first, second, third = (Rig(clock, store) for _ in range(3))
        for each in (first, second, third):
            each.source.gives(NotFoundError("no", http_status=404))
        lock = hold_lock(first.shared, GREETING, 1000)
        began = clock.time

        def gives_up(seconds: float) -> None:
            clock.on_sleep = None
            store.behind.delete(lock)
            hold_lock(third.shared, GREETING, 1000)

        clock.on_sleep = gives_up
        with pytest.raises(NotFoundError):
            second.read()
        assert clock.time - began < 0.1

    def test_those_who_waited_for_a_version_that_is_too_old_for_them_wait_for_its_renewal(
        self, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        lock = hold_lock(rig.shared, GREETING, 1000)

        def ends(seconds: float) -> None:
            clock.on_sleep = renews
            store.behind.delete(lock)
            neighbour.read()
            clock.passes(2)
            hold_lock(neighbour.shared, GREETING, 1000)

        def renews(seconds: float) -> None:
            clock.on_sleep = None
            neighbour.source.gives("renewed")
            store.behind.delete(lock_of(neighbour.shared, GREETING))
            assert neighbour.read(max_age=1) == "renewed"

        clock.on_sleep = ends
        assert rig.read(max_age=1) == "renewed"
        assert rig.fetches == 0


def test_a_newer_version_that_was_found_during_a_vain_attempt_is_served_though_it_has_expired_too(
    rig: Rig, neighbour: Rig, clock: ManualClock
) -> None:
    rig.read()
    clock.passes(100)

    def comes_meanwhile() -> str:
        neighbour.source.gives("newer")
        neighbour.read()
        looks_into_its_store(rig, GREETING)
        clock.passes(100)
        raise ConnectionError("no answer")

    rig.source.gives(comes_meanwhile)
    assert rig.read(settles=False) == "newer"
    assert rig.entry().stale_at == clock.time


class TestRoundTrips:
    """A store may be a millisecond away, and each reader of a new name waits for it."""

    def test_a_hit_is_one(self, rig: Rig, neighbour: Rig, store: ClockedStore) -> None:
        rig.read()
        assert store.trips
        neighbour.read()
        assert store.trips == ["get_many"]

    def test_a_miss_that_fetches_and_keeps_is_three(self, rig: Rig, store: ClockedStore) -> None:
        rig.read()
        assert store.trips == ["get_many", "add", "set"]

    def test_so_is_one_that_replaces_an_expired_version(
        self, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        rig.read()
        clock.passes(200)
        assert store.trips
        neighbour.read()
        assert store.trips == ["get_many", "add", "set"]

    @pytest.mark.parametrize("text", ["garbage", "{}", '{"schema": 1}', '{"schema": 2, "lock": "not an ID"}'])
    def test_and_one_that_replaces_what_cannot_be_read(self, text: str, rig: Rig, store: ClockedStore) -> None:
        store.behind.set(store_key_of(rig.shared, GREETING), text, None)
        rig.read()
        assert store.trips == ["get_many", "add", "set"]

    def test_so_is_a_read_by_a_shorter_ttl(self, clock: ManualClock, store: ClockedStore) -> None:
        rig = Rig(clock, store, cache_local_ttl=5)
        rig.read()
        clock.passes(2)
        assert store.trips
        rig.read(max_age=1)
        assert store.trips == ["get_many", "add", "set"]

    def test_so_is_a_renewal(self, rig: Rig, clock: ManualClock, store: ClockedStore) -> None:
        rig.read()
        clock.passes(91)
        assert store.trips
        rig.cache.renew(GREETING)
        rig.settle()
        assert rig.fetches == 2
        assert store.trips == ["get_many", "add", "set"]

    def test_who_waits_asks_once_in_a_while(self, rig: Rig, clock: ManualClock, store: ClockedStore) -> None:
        hold_lock(rig.shared, GREETING, 2)
        assert store.trips
        rig.read()
        assert len(store.trips) <= 2 / 0.05 + 4

    def test_a_renewal_begins_in_the_last_tenth_of_a_life(self, rig: Rig, clock: ManualClock) -> None:
        clock.chance = 0.0
        rig.source.gives("first", "second")
        rig.read()
        clock.passes(89.9)
        rig.read()
        assert rig.fetches == 1
        clock.passes(0.2)
        rig.read()
        assert rig.fetches == 2

    def test_a_renewal_takes_what_a_neighbour_has_renewed(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        rig.read()
        neighbour.read()
        clock.passes(91)
        neighbour.source.gives("second")
        neighbour.read()
        assert neighbour.fetches == 1
        rig.cache.renew(GREETING)
        rig.settle()
        assert rig.fetches == 1
        assert rig.entry().version.content == "second"
