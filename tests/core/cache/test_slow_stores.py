"""A store that keeps one thread waiting does not keep those waiting who can do without it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from faults.clock import ManualClock, eventually
from faults.clocked_store import ClockedStore
from faults.crowd import Crowd
from faults.inside import starts_no_thread
from faults.rig import Rig, down
from faults.watched_store import WatchedStore

from scope_client import MemoryStore, PromptVersion, ServerError
from scope_client._prompt.ref import PromptRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KNOWN, ALSO_KNOWN = PromptRef("known"), PromptRef("also known")
COLD, ASKED_FOR = PromptRef("cold"), PromptRef("asked for")


class HangingStore(WatchedStore):
    """Its answers to `get_many` wait for `may_answer`."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(MemoryStore(timer=lambda: clock.time))
        self.may_answer = threading.Event()
        self.may_answer.set()

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.calls.append(("asked", keys))
        assert self.may_answer.wait(20)
        return super().get_many(keys)

    @property
    def asked(self) -> int:
        return sum(call[0] == "asked" for call in self.calls)


@pytest.fixture
def store(clock: ManualClock) -> HangingStore:
    return HangingStore(clock)


@pytest.fixture
def rig(clock: ManualClock, store: HangingStore) -> Iterator[Rig]:
    rig = Rig(clock, store, cache_local_ttl=5)
    rig.read(KNOWN)
    rig.read(ALSO_KNOWN)
    clock.passes(6)
    store.may_answer.clear()
    store.calls.clear()
    waiting = Crowd(1, lambda: rig.read(ASKED_FOR, settles=False))
    eventually(lambda: store.asked == 1)
    yield rig
    store.may_answer.set()
    assert waiting.outcomes() == ["first"]


def test_who_has_a_fresh_version_goes_on_with_it(rig: Rig, store: HangingStore, clock: ManualClock) -> None:
    clock.passes(0.06)
    assert rig.read(KNOWN, settles=False) == "first"
    eventually(lambda: store.asked == 2)
    assert rig.read(ALSO_KNOWN, settles=False) == "first"
    assert store.asked == 2  # one look at a time
    store.may_answer.set()
    eventually(lambda: ASKED_FOR.key in rig.cache.entries)
    rig.settle()
    rig.read(ALSO_KNOWN)
    assert store.asked == 3


def test_an_answer_may_take_a_moment(rig: Rig, store: HangingStore, clock: ManualClock) -> None:
    clock.passes(0.04)
    reader = Crowd(1, lambda: rig.read(KNOWN, settles=False))
    eventually(lambda: store.asked == 2)
    store.may_answer.set()
    assert reader.outcomes() == ["first"]


def test_who_has_nothing_waits_for_it(rig: Rig, store: HangingStore, clock: ManualClock) -> None:
    clock.passes(0.06)
    reader = Crowd(1, lambda: rig.read(COLD, settles=False))
    eventually(lambda: store.asked == 2)
    store.may_answer.set()
    assert reader.outcomes() == ["first"]


def test_who_has_nothing_leaves_alone_a_store_that_keeps_another_waiting_for_two_seconds(
    rig: Rig, store: HangingStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.passes(1.9)
    others = [Crowd(1, lambda: rig.read(COLD, settles=False))]
    eventually(lambda: store.asked == 2)
    clock.passes(0.2)
    for name in "abc":
        assert rig.read(PromptRef(name), settles=False) == "first"
    assert store.asked == 2
    assert [record.getMessage() for record in caplog.records if record.name == "scope_client.store"] == [
        "the shared cache fails, each process goes on with its own: an answer takes more than 2 seconds"
    ]
    clock.passes(5)
    assert rig.read(PromptRef("d"), settles=False) == "first"  # the second one, too, takes more than 2 seconds now
    clock.passes(5)
    others.append(Crowd(1, lambda: rig.read(PromptRef("later"), settles=False)))
    eventually(lambda: store.asked == 3)
    store.may_answer.set()
    assert [each.outcomes() for each in others] == [["first"], ["first"]]


def test_the_store_is_asked_again_once_it_has_answered(rig: Rig, store: HangingStore, clock: ManualClock) -> None:
    clock.passes(0.06)
    rig.read(KNOWN, settles=False)
    store.may_answer.set()
    eventually(lambda: ASKED_FOR.key in rig.cache.entries)
    rig.settle()
    store.calls.clear()
    clock.passes(6)
    rig.read(KNOWN)
    assert store.asked == 1


class SlowStore(ClockedStore):
    """Knows which threads it has kept waiting."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.waited: set[int] = set()
        self.is_down = False

    def _call(self, method: str, *arguments: object) -> object:
        self.waited.add(threading.get_ident())
        answer = super()._call(method, *arguments)
        if self.is_down:
            raise OSError("timed out")
        return answer


class TestAStoreThatTakesAThirdOfASecond:
    @pytest.fixture
    def store(self, clock: ManualClock) -> SlowStore:
        store = SlowStore(clock)
        store.takes = 0.3
        return store

    @pytest.fixture
    def rig(self, clock: ManualClock, store: SlowStore) -> Rig:
        rig = Rig(clock, store, cache_local_ttl=5)
        rig.read(KNOWN)
        clock.passes(6)
        store.waited.clear()
        return rig

    def test_is_asked_behind_who_has_a_fresh_version(self, rig: Rig, store: SlowStore) -> None:
        assert rig.read(KNOWN) == "first"
        assert store.waited
        assert threading.get_ident() not in store.waited

    def test_is_not_asked_by_who_comes_at_the_end_while_a_renewal_asks_it(
        self, rig: Rig, store: SlowStore, clock: ManualClock
    ) -> None:
        may_end = threading.Event()
        rig.source.gives(lambda: may_end.wait(10) and "second")
        clock.passes(88)
        rig.read(KNOWN, settles=False)
        eventually(lambda: rig.fetches == 2)
        store.waited.clear()
        clock.passes(4)
        assert rig.read(KNOWN, settles=False) == "first"
        assert store.waited == set()
        may_end.set()
        rig.settle()
        assert rig.read(KNOWN) == "second"

    def test_is_asked_so_once_in_a_while(self, rig: Rig, store: SlowStore) -> None:
        assert store.trips
        for _ in range(3):
            assert rig.read(KNOWN) == "first"
        assert store.trips == ["get_many"]

    def test_is_asked_before_the_platform_by_who_has_none(self, rig: Rig, store: SlowStore) -> None:
        rig.read(COLD)
        assert threading.get_ident() in store.waited

    def test_brings_what_another_process_has_fetched(self, rig: Rig, store: SlowStore, clock: ManualClock) -> None:
        neighbour = Rig(clock, store)
        neighbour.source.gives("newer")
        clock.passes(50)
        assert neighbour.read(KNOWN, max_age=40) == "newer"
        assert rig.read(KNOWN) == "first"
        assert rig.read(KNOWN) == "newer"

    def test_tells_of_a_clear(self, rig: Rig, store: SlowStore, clock: ManualClock) -> None:
        Rig(clock, store).cache.clear()
        assert rig.read(KNOWN) == "first"
        rig.source.gives("second")
        assert rig.read(KNOWN) == "second"

    def test_that_has_become_quick_is_asked_at_once_again(self, rig: Rig, store: SlowStore, clock: ManualClock) -> None:
        store.takes = 0.001
        rig.read(KNOWN)
        clock.passes(6)
        store.waited.clear()
        rig.read(KNOWN)
        assert threading.get_ident() in store.waited


@pytest.mark.parametrize("takes", [0.0, 0.3])
def test_what_a_neighbour_has_renewed_is_found_at_the_end_of_a_life_though_the_platform_is_down(
    takes: float, clock: ManualClock
) -> None:
    """The store has just been asked, before the neighbour came."""
    store = SlowStore(clock)
    rig, neighbour = Rig(clock, store, cache_local_ttl=50), Rig(clock, store)
    rig.read(KNOWN)
    clock.passes(60)
    rig.read(KNOWN)
    clock.passes(35)
    neighbour.read(KNOWN)
    neighbour.source.gives("renewed")
    neighbour.cache.renew(KNOWN)
    neighbour.settle()
    store.takes = takes
    rig.source.gives(down())
    with pytest.raises(ServerError):
        rig.read(COLD)
    clock.passes(8)
    assert rig.read(KNOWN) == "renewed"


def test_a_store_that_hangs_keeps_one_reader_of_a_fresh_version_waiting(clock: ManualClock) -> None:
    """Whoever asks it again after each pause does so behind the readers."""
    store = SlowStore(clock)
    rig = Rig(clock, store, cache_local_ttl=5)
    rig.read(KNOWN)
    clock.passes(6)
    store.takes, store.is_down = 0.5, True
    rig.read(KNOWN)
    assert store.waited == {threading.get_ident()}
    store.waited.clear()
    for _ in range(5):
        clock.passes(6)
        assert rig.read(KNOWN) == "first"
    assert store.waited
    assert threading.get_ident() not in store.waited
    store.takes, store.is_down = 0.0, False
    for _ in range(2):
        clock.passes(6)
        rig.read(KNOWN)
    assert threading.get_ident() in store.waited

    def test_is_told_behind_the_reader_what_fits_its_callers(self, store: SlowStore, clock: ManualClock) -> None:
        rig = Rig(clock, store, when_unfit="last_fitting")
        rig.read(KNOWN)
        starts_no_thread(rig)
        version = PromptVersion.from_api({"id": "v_2", "content": "{{name}}"}, COLD)
        store.waited.clear()
        rig.fitting.remember(COLD, version)
        assert store.waited == set()
        assert not rig.background.is_idle
