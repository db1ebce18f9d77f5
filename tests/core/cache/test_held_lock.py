"""HeldLock: when the fleet's lock of a fetch is given back, and in which thread the store hears of it."""

from __future__ import annotations

from typing import Callable

import pytest
from faults.clock import ManualClock
from faults.clocked_store import ClockedStore
from faults.inside import is_watching, starts_no_thread
from faults.rig import GREETING, Rig, down

from scope_client._cache.held_lock import HeldLock
from scope_client._cache.lock_heartbeat import FIRST_WORD_SECONDS
from scope_client._cache.shared_failure import Told
from scope_client._http.budget import Budget
from scope_client._prompt.ref import PromptRef

Hold = Callable[..., HeldLock]


@pytest.fixture
def store(clock: ManualClock) -> ClockedStore:
    return ClockedStore(clock)


@pytest.fixture
def rig(clock: ManualClock, store: ClockedStore) -> Rig:
    """Whose background gets no time to begin."""
    rig = Rig(clock, store)
    starts_no_thread(rig)
    return rig


@pytest.fixture
def hold(rig: Rig, clock: ManualClock, store: ClockedStore) -> Hold:
    def hold(ref: PromptRef = GREETING, *, may_hang: bool = False) -> HeldLock:
        store.may_hang = may_hang  # type: ignore[attr-defined]
        held = HeldLock(rig.shared, ref, clock=clock.clock, background=rig.background)
        look = rig.shared.find(ref)
        held.lock = rig.shared.lock_for(ref, look)
        assert rig.shared.take(held.lock, ref, look, silent_for=held.first_word) is None
        return held

    return hold


def told(held: HeldLock) -> Told:
    assert held.lock is not None
    return Told(down(), held.lock, 0.0, 0, 1.0)


class TestTheFirstWord:
    def test_is_promised_by_a_store_that_answers_in_time(self, hold: Hold, rig: Rig, store: ClockedStore) -> None:
        held = hold()
        assert held.first_word == FIRST_WORD_SECONDS
        assert f'"silent_for": {FIRST_WORD_SECONDS}' in store.seen[held.lock.key]
        with held.announced():
            assert is_watching(rig.shared.lock_heartbeat)

    def test_is_not_by_one_that_may_hold_it_up(self, hold: Hold, rig: Rig, store: ClockedStore) -> None:
        held = hold(may_hang=True)
        assert held.first_word is None
        assert '"silent_for": null' in store.seen[held.lock.key]
        with held.announced():
            assert not is_watching(rig.shared.lock_heartbeat)

    def test_is_not_without_a_lock(self, hold: Hold, rig: Rig) -> None:
        held = hold()
        held.give_back()
        with held.announced():
            assert not is_watching(rig.shared.lock_heartbeat)


class TestAPlatformThatSaysNothing:
    """To the fetch under the lock: those who wait would do better to ask alone."""

    @pytest.fixture
    def held(self, hold: Hold) -> HeldLock:
        return hold()

    @pytest.fixture
    def budget(self, held: HeldLock, clock: ManualClock) -> Budget:
        return held.watched(Budget(clock.clock.now))

    def test_has_it_given_back_after_two_attempts(self, held: HeldLock, budget: Budget, store: ClockedStore) -> None:
        key = held.lock.key
        budget.heard_nothing()
        assert store.holds(key)
        budget.heard_nothing()
        assert not store.holds(key)
        assert held.lock is None

    @pytest.mark.parametrize(("seconds", "is_held"), [(0.249, True), (0.25, False)])
    def test_has_it_given_back_after_one_that_took_a_quarter_of_a_second(
        self, held: HeldLock, budget: Budget, store: ClockedStore, clock: ManualClock, seconds: float, is_held: bool
    ) -> None:
        key = held.lock.key
        clock.time = 1000.0  # the clock's own step is exact there
        watched = held.watched(Budget(clock.clock.now))
        clock.passes(seconds)
        watched.heard_nothing()
        assert store.holds(key) is is_held


class TestGivenBack:
    def test_it_is_gone_when_its_caller_goes_on(self, hold: Hold, rig: Rig, store: ClockedStore) -> None:
        held = hold()
        key = held.lock.key
        held.give_back()
        held.give_back()
        assert not store.holds(key)
        assert store.trips.count("delete") == 1
        assert rig.background.is_idle

    @pytest.mark.parametrize(("may_hang", "behind"), [(True, False), (False, True), (True, True)])
    def test_a_caller_whose_time_is_over_or_whose_store_may_hang_does_not_wait(
        self, hold: Hold, rig: Rig, store: ClockedStore, may_hang: bool, behind: bool
    ) -> None:
        held = hold(may_hang=may_hang)
        assert store.trips
        held.give_back(behind=behind)
        assert store.trips == []
        assert held.lock is None
        (job,) = rig.background.by_key.values()
        job()
        assert store.trips == ["get_many", "delete"]

    def test_each_prompts_lock_is_given_back(self, hold: Hold, rig: Rig) -> None:
        for ref in (GREETING, PromptRef("other")):
            hold(ref).give_back(behind=True)
        assert len(rig.background.by_key) == 2


class TestTold:
    def test_the_error_lies_in_its_place_when_its_caller_goes_on(
        self, hold: Hold, rig: Rig, store: ClockedStore
    ) -> None:
        held = hold()
        key = held.lock.key
        held.tell(told(held), is_evicted=False)
        assert "failure" in store.behind.get_many([key])[key]
        assert held.lock is None
        assert rig.background.is_idle

    def test_a_store_that_may_hang_is_told_behind(self, hold: Hold, rig: Rig, store: ClockedStore) -> None:
        for ref in (GREETING, PromptRef("other")):
            held = hold(ref, may_hang=True)
            key = held.lock.key
            assert store.trips
            held.tell(told(held), is_evicted=False)
            assert store.trips == []
        job = list(rig.background.by_key.values())[-1]
        assert len(rig.background.by_key) == 2
        job()
        assert "failure" in store.behind.get_many([key])[key]
