"""What a flight does where a fleet shares a store: whose version wins, and who gives a lock back, and how."""

from __future__ import annotations

import json
import threading
from typing import Callable, Optional

import pytest
from faults.clock import ManualClock, eventually
from faults.clocked_store import ClockedStore
from faults.crowd import Crowd
from faults.inside import hold_lock, lock_of, looks_into_its_store, starts_no_thread, store_key_of
from faults.rig import GREETING, Rig, down
from faults.timelimit import TimeLimit

from scope_client import ConnectionError, NotFoundError, PromptVersion, ServerError, TimeoutError
from scope_client._cache.fleet_locks import Lock
from scope_client._cache.lock_heartbeat import FIRST_WORD_SECONDS
from scope_client._cache.shared_entry import new_id
from scope_client._cache.shared_failure import Told, failure_text
from scope_client._http.budget import Budget
from scope_client._prompt.ref import PromptRef


class Store(ClockedStore):
    """Does something once while it is being read, and knows which threads it was called in."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.meanwhile: Optional[Callable[[], object]] = None
        self.callers: set[int] = set()

    def _call(self, method: str, *arguments: object) -> object:
        self.callers.add(threading.get_ident())
        answer = super()._call(method, *arguments)
        meanwhile, self.meanwhile = (None, self.meanwhile) if method != "get_many" else (self.meanwhile, None)
        if meanwhile is not None:
            meanwhile()
        return answer


@pytest.fixture
def store(clock: ManualClock) -> Store:
    return Store(clock)


@pytest.fixture
def rig(clock: ManualClock, store: Store) -> Rig:
    return Rig(clock, store)


@pytest.fixture
def neighbour(clock: ManualClock, store: Store) -> Rig:
    return Rig(clock, store)


class TestALook:
    def test_does_not_replace_what_another_thread_has_fetched_while_the_store_answered(
        self, rig: Rig, neighbour: Rig, clock: ManualClock, store: Store
    ) -> None:
        rig.read()
        clock.passes(50)
        neighbour.source.gives("second")
        assert neighbour.read(max_age=40) == "second"
        clock.passes(10)
        rig.source.gives("third")
        store.meanwhile = lambda: rig.read(max_age=5)
        looks_into_its_store(rig, GREETING)
        assert rig.entry().version.content == "third"

    def test_does_not_bring_back_what_was_cleared_after_it(
        self, rig: Rig, neighbour: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find = rig.shared.find

        def find_and_clear(ref: PromptRef) -> object:
            look = find(ref)
            rig.cache.clear()
            return look

        neighbour.read()
        monkeypatch.setattr(rig.shared, "find", find_and_clear)
        looks_into_its_store(rig, GREETING)
        assert not rig.cache.entries

    def test_that_finds_a_newer_version_ends_the_count_of_refused_locks(
        self, rig: Rig, neighbour: Rig, clock: ManualClock, store: Store
    ) -> None:
        def one_that_cannot_be_read() -> str:
            lock = lock_of(rig.shared, GREETING)
            assert store.behind.add(lock, "what a client cannot decode", 1000)
            return lock

        def is_granted() -> bool:
            look = rig.shared.find(GREETING)
            return rig.shared.take(rig.shared.lock_for(GREETING, look), GREETING, look, silent_for=None) is None

        rig.read()
        first = one_that_cannot_be_read()
        assert not is_granted()
        clock.passes(10)
        store.behind.delete(first)
        neighbour.source.gives("second")
        assert neighbour.read(max_age=5, seconds=20) == "second"
        looks_into_its_store(rig, GREETING)
        one_that_cannot_be_read()
        clock.passes(10)
        assert not is_granted()


class TestWhoWaits:
    def test_has_it_from_the_store(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        may_end = threading.Event()
        neighbour.source.gives(lambda: may_end.wait(10) and "second")
        fetching = Crowd(1, lambda: neighbour.read(settles=False))
        eventually(lambda: neighbour.fetches)

        def ends(seconds: float) -> None:
            may_end.set()
            fetching.outcomes()

        clock.on_sleep = ends
        found = rig.cache.get(GREETING, Budget(clock.clock.now))
        assert (found.version.content, found.source) == ("second", "store")
        assert rig.fetches == 0

    def test_hears_from_the_lock_when_its_holder_speaks_anew(self, rig: Rig, store: Store) -> None:
        lock = lock_of(rig.shared, GREETING)
        rig.source.gives(lambda: store.behind.get_many([lock])[lock])
        assert json.loads(rig.read())["silent_for"] == FIRST_WORD_SECONDS

    def test_goes_on_alone_if_the_store_fails_meanwhile(self, rig: Rig, store: Store, clock: ManualClock) -> None:
        hold_lock(rig.shared, GREETING, 1000)
        clock.on_sleep = lambda seconds: store.broken.add("get_many")
        assert rig.read() == "first"
        assert len(clock.sleeps) == 1

    def test_is_not_told_what_another_process_than_the_holder_has_met(
        self, rig: Rig, store: Store, clock: ManualClock
    ) -> None:
        hold_lock(rig.shared, GREETING, 1000)
        key = store_key_of(rig.shared, GREETING)
        told = Told(down(), Lock(key, new_id()), clock.wall, rig.shared.generation, 100.0)
        clock.on_sleep = lambda seconds: store.behind.set(key, failure_text(told), 100.0)
        assert rig.read() == "first"

    def test_is_not_told_what_nobody_knows_who_has_met(self, rig: Rig, store: Store, clock: ManualClock) -> None:
        key = store_key_of(rig.shared, GREETING)
        for each in (lambda: key, lambda: lock_of(rig.shared, GREETING)):
            store.behind.set(each(), "garbage", 1000)
        told = Told(down(), Lock(key, "nobody"), clock.wall, rig.shared.generation, 100.0)
        clock.on_sleep = lambda seconds: store.behind.set(key, failure_text(told), 100.0)
        assert rig.read() == "first"

    def test_for_a_renewal_goes_on_waiting_if_the_holder_gives_up_and_another_takes_its_place(
        self, rig: Rig, clock: ManualClock, store: Store
    ) -> None:
        clock.chance = 0.0
        rig.read()
        clock.passes(95)
        lock = hold_lock(rig.shared, GREETING, 1000)

        def another_takes_it(seconds: float) -> None:
            clock.on_sleep = it_brings_a_version
            store.behind.delete(lock)
            hold_lock(rig.shared, GREETING, 1000)

        def it_brings_a_version(seconds: float) -> None:
            newer = PromptVersion.from_api({"content": "second"}, GREETING)
            times = {"stamp": clock.wall, "life": 100.0, "ttl": 100.0}
            rig.shared.keep(GREETING, newer, generation=rig.shared.generation, **times)

        clock.on_sleep = another_takes_it
        rig.cache.renew(GREETING)
        rig.settle()
        assert rig.entry().version.content == "second"
        assert rig.fetches == 1

    def test_alone_and_hears_that_a_version_is_gone_has_the_store_forget_it(
        self, rig: Rig, clock: ManualClock, store: Store
    ) -> None:
        rig.read()
        clock.passes(50)
        lock = hold_lock(rig.shared, GREETING, 1000)

        def another_takes_it(seconds: float) -> None:
            store.behind.delete(lock)
            hold_lock(rig.shared, GREETING, 1000)

        clock.on_sleep = another_takes_it
        rig.source.gives(NotFoundError("no longer", http_status=404))
        with pytest.raises(NotFoundError):
            rig.read(max_age=5)
        assert not store.holds(store_key_of(rig.shared, GREETING))

    def test_asks_though_its_time_is_nearly_over_if_the_lock_is_free(self, rig: Rig) -> None:
        assert rig.read(seconds=0.04) == "first"


class TestWhatTheStoreKeeps:
    @pytest.mark.parametrize("is_overrun", [True, False])
    def test_a_version_that_this_process_had_no_time_to_renew(
        self, rig: Rig, clock: ManualClock, store: Store, is_overrun: bool
    ) -> None:
        rig.read()
        clock.passes(50)
        rig.source.gives(TimeoutError("late", is_deadline=True, is_overrun=is_overrun))
        assert rig.read(max_age=5, seconds=1) == "first"
        assert store.holds(store_key_of(rig.shared, GREETING))

    def test_not_what_was_cleared_while_it_was_fetched(self, rig: Rig, store: Store) -> None:
        def is_cleared() -> str:
            rig.cache.clear()
            return "former"

        rig.source.gives(is_cleared)
        assert rig.read() == "former"
        assert not any("former" in text for text in store.seen.values())


class TestAnInterrupt:
    """Comes in the middle of a fetch: its caller is not to wait for the store."""

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), LookupError("time is over"), ServerError("time is over")])
    def test_has_the_lock_given_back_behind(self, rig: Rig, store: Store, error: BaseException) -> None:
        lock = lock_of(rig.shared, GREETING)

        def is_struck() -> str:
            assert store.holds(lock)
            store.callers.clear()
            limit.strikes()
            return "never"

        rig.source.gives(is_struck)
        with TimeLimit(error) as limit, pytest.raises(type(error)):
            rig.read(settles=False)
        assert threading.get_ident() not in store.callers
        eventually(lambda: not store.holds(lock))

    def test_so_does_an_exception_that_is_thrown_into_the_thread(self, rig: Rig, store: Store) -> None:
        def is_struck() -> str:
            store.callers.clear()
            raise LookupError("time is over")

        rig.source.gives(is_struck)
        with pytest.raises(LookupError):
            rig.read(settles=False)
        assert threading.get_ident() not in store.callers
        eventually(lambda: not store.holds(lock_of(rig.shared, GREETING)))

    @pytest.mark.parametrize("error", [ServerError("down", http_status=503), ConnectionError("gone")])
    def test_a_failure_of_the_platform_is_none(self, rig: Rig, store: Store, error: Exception) -> None:
        starts_no_thread(rig)
        rig.source.gives(error)
        with pytest.raises(type(error)):
            rig.read(settles=False)
        assert not store.holds(lock_of(rig.shared, GREETING))
        assert rig.background.is_idle
