"""A fetch that takes long: who waits for its lock goes on waiting while its holder lives."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING

import pytest
from faults.child import in_a_child
from faults.clock import eventually
from faults.crowd import Crowd
from faults.inside import announces, is_watching, lock_of
from faults.rig import GREETING, Rig, down
from faults.timelimit import TimeLimit

from scope_client import Clock, MemoryStore, ServerError
from scope_client._background import Background
from scope_client._cache.fleet_locks import Lock
from scope_client._cache.held_lock import HeldLock
from scope_client._cache.lock_heartbeat import WATCH_STEP_SECONDS, LockHeartbeat
from scope_client._cache.shared_entry import new_id
from scope_client._prompt.ref import PromptRef

if TYPE_CHECKING:
    from faults.clock import ManualClock
    from faults.clocked_store import ClockedStore

LOCK, OTHER = Lock("key", "holder"), Lock("other", "holder")


class TestWhatIsAnnounced:
    @pytest.fixture
    def told(self) -> list[tuple[Lock, float]]:
        return []

    @pytest.fixture
    def looks(self) -> list[float]:
        """When the time was looked at."""
        return []

    @pytest.fixture
    def heartbeat(self, clock: ManualClock, told: list[tuple[Lock, float]], looks: list[float]) -> LockHeartbeat:
        def now() -> float:
            looks.append(clock.time)
            return clock.time

        return LockHeartbeat(Clock(now=now), lambda lock, silent_for: told.append((lock, silent_for)))

    def test_a_fetch_says_that_it_goes_on_each_time_that_it_has_taken_twice_as_long(
        self, heartbeat: LockHeartbeat, clock: ManualClock, told: list[object], looks: list[float]
    ) -> None:
        with heartbeat.during(LOCK):
            for count, (passes, silent_for) in enumerate(((0.25, 0.25), (0.25, 0.5), (0.5, 1.0), (1.0, 2.0))):
                clock.passes(passes * 0.99)
                eventually(lambda: looks.count(clock.time) >= 2)
                assert len(told) == count
                clock.passes(passes * 0.01)
                eventually(lambda count=count: len(told) > count)
                assert told[count:] == [(LOCK, pytest.approx(silent_for))]

    def test_it_looks_only_now_and_then(self, heartbeat: LockHeartbeat, looks: list[float]) -> None:
        began = time.monotonic()
        with heartbeat.during(LOCK):
            eventually(lambda: len(looks) > 10)
        assert time.monotonic() - began >= 9 * WATCH_STEP_SECONDS

    def test_one_that_has_ended_is_not(self, heartbeat: LockHeartbeat, clock: ManualClock, told: list[object]) -> None:
        with heartbeat.during(OTHER):
            with heartbeat.during(LOCK):
                pass
            with pytest.raises(KeyError), heartbeat.during(LOCK):
                raise KeyError
            clock.passes(0.5)
            eventually(lambda: told)
        assert told == [(OTHER, 0.5)]

    def test_nor_is_one_that_is_given_up_before_its_end(
        self, heartbeat: LockHeartbeat, clock: ManualClock, told: list[object]
    ) -> None:
        with heartbeat.during(OTHER), heartbeat.during(LOCK):
            heartbeat.end(LOCK)
            clock.passes(0.5)
            eventually(lambda: told)
        assert told == [(OTHER, 0.5)]

    def test_the_next_one_is_too(self, heartbeat: LockHeartbeat, clock: ManualClock, told: list[object]) -> None:
        for count in (1, 2):
            with heartbeat.during(LOCK):
                clock.passes(0.5)
                eventually(lambda count=count: len(told) == count)

    def test_its_end_waits_for_a_word_that_is_being_written(self, clock: ManualClock) -> None:
        """Or the lock would be written over what has taken its place."""
        writes, may_write, done = threading.Event(), threading.Event(), []

        def announce(lock: Lock, silent_for: float) -> None:
            writes.set()
            assert may_write.wait(10)
            done.append("written")

        heartbeat = LockHeartbeat(clock.clock, announce)

        def fetch() -> None:
            with heartbeat.during(LOCK):
                clock.passes(0.5)
                assert writes.wait(10)
            done.append("ended")

        fetching = Crowd(1, fetch)
        assert writes.wait(10)
        may_write.set()
        fetching.outcomes()
        assert done == ["written", "ended"]

    def test_one_that_ends_while_the_watch_is_at_another_is_left_out(self, clock: ManualClock) -> None:
        told: list[Lock] = []
        fetch = contextlib.ExitStack()

        def announce(lock: Lock, silent_for: float) -> None:
            told.append(lock)
            fetch.close()

        heartbeat = LockHeartbeat(clock.clock, announce)
        with heartbeat.during(OTHER):
            fetch.enter_context(heartbeat.during(LOCK))
            clock.passes(0.25)
            eventually(lambda: told)
        eventually(lambda: not is_watching(heartbeat))
        assert told == [OTHER]

    def test_one_that_is_interrupted_as_it_begins_leaves_nothing_under_way(
        self, heartbeat: LockHeartbeat, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A watch that nothing ends would go on for the life of the process."""
        limit = TimeLimit(LookupError("time is over"))
        submit = Background.submit

        def is_interrupted(*arguments: object, **options: object) -> bool:
            submit(*arguments, **options)
            limit.strikes()
            return True

        monkeypatch.setattr(Background, "submit", is_interrupted)
        with limit, pytest.raises(LookupError, match="time is over"), heartbeat.during(LOCK):
            pass
        eventually(lambda: not is_watching(heartbeat))

    def test_a_child_announces_its_own_alone(
        self, heartbeat: LockHeartbeat, clock: ManualClock, told: list[object]
    ) -> None:
        def in_child() -> object:
            with heartbeat.during(OTHER):
                clock.passes(0.6)
                eventually(lambda: told)
            return told

        with heartbeat.during(LOCK):
            assert in_a_child(in_child) == [((OTHER.key, OTHER.holder), pytest.approx(0.6))]


class TestAFleet:
    """Its clocks are real ones; a fetch takes longer than its holder is waited for without a word."""

    @pytest.fixture
    def clock(self, clock: ManualClock) -> ManualClock:
        clock.clock = Clock()
        return clock

    @pytest.fixture
    def shared_store(self) -> MemoryStore:
        return MemoryStore()

    @pytest.mark.parametrize("fails", [False, True])
    def test_it_fetches_once(
        self, fails: bool, clock: ManualClock, shared_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("scope_client._cache.fleet_loading.LATE_WORD_SECONDS", 0.5)  # this machine may be busy
        may_end = threading.Event()
        rigs = [Rig(clock, shared_store) for _ in range(3)]
        for rig in rigs:
            rig.source.gives(lambda: may_end.wait(10) and (_raise(down()) if fails else "slow"))
        crowds = [Crowd(1, rig.read) for rig in rigs]
        eventually(lambda: sum(rig.fetches for rig in rigs))
        (holder,) = (rig for rig in rigs if rig.fetches)
        key = lock_of(holder.shared, GREETING)
        eventually(lambda: (silence_of(shared_store, key) or 0) >= 1)
        may_end.set()
        outcomes = [outcome for crowd in crowds for outcome in crowd.outcomes()]
        assert sum(rig.fetches for rig in rigs) == 1
        if fails:
            assert {type(outcome) for outcome in outcomes} == {ServerError}
        else:
            assert outcomes == ["slow"] * 3


class TestALockThatIsGivenBackInTheMiddleOfAFetch:
    @pytest.fixture
    def held(self, rig: Rig, clock: ManualClock) -> HeldLock:
        ref = PromptRef("any")
        held = HeldLock(rig.shared, ref, clock=clock.clock, background=Background())
        look = rig.shared.find(ref)
        held.lock = rig.shared.lock_for(ref, look)
        assert rig.shared.take(held.lock, ref, look, silent_for=held.first_word) is None
        return held

    def test_is_spoken_of_no_more(self, held: HeldLock, rig: Rig, store: ClockedStore) -> None:
        key = held.lock.key
        assert store.holds(key)
        with held.announced():
            held.give_back()
            eventually(lambda: not is_watching(rig.shared.lock_heartbeat))
            assert not store.holds(key)
        assert held.lock is None

    def test_is_there_to_be_given_back_behind_if_an_interrupt_strikes_meanwhile(
        self, held: HeldLock, rig: Rig, store: ClockedStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key, limit = held.lock.key, TimeLimit(LookupError("time is over"))
        with monkeypatch.context() as struck:
            struck.setattr(rig.shared, "unlock", limit.strikes)
            with limit, pytest.raises(LookupError, match="time is over"):
                held.give_back()
        assert store.holds(key)
        held.give_back(behind=True)
        eventually(lambda: not store.holds(key))


def test_the_word_is_in_the_lock_for_as_long_as_it_is_this_processes(
    rig: Rig, clock: ManualClock, store: ClockedStore
) -> None:
    lock = Lock(lock_of(rig.shared, PromptRef("any")), new_id())
    announces(rig.shared, lock, 3.0)
    assert silence_of(store.behind, lock.key) is None
    assert rig.shared.take(lock, PromptRef("any"), rig.shared.find(PromptRef("any")), silent_for=None) is None
    announces(rig.shared, lock, 3.0)
    assert silence_of(store.behind, lock.key) == 3.0
    announces(rig.shared, lock._replace(holder=new_id()), 6.0)
    assert silence_of(store.behind, lock.key) == 3.0
    clock.passes(5.1)
    assert not store.holds(lock.key)


def silence_of(store: MemoryStore, key: str) -> float | None:
    text = store.get_many([key]).get(key)
    return None if text is None else json.loads(text).get("silent_for")


def _raise(error: Exception) -> str:
    raise error
