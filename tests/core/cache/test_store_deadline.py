"""A store that may hang has a part of a caller's time, and no other store is watched so closely."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from faults.child import in_a_child
from faults.clock import ManualClock, ends_within
from faults.crowd import Crowd
from faults.rig import Rig

from scope_client import Clock, MemoryStore
from scope_client._cache.store_deadline import NoAnswerError, StoreDeadline
from scope_client._http.budget import Budget
from scope_client._prompt.ref import PromptRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LONG = 20.0
QUICK = 5.0


class HangingStore(MemoryStore):
    """Does not answer a look until `may_answer`; knows which threads have asked."""

    def __init__(self, *, may_hang: bool) -> None:
        super().__init__()
        self.may_hang = may_hang
        self.may_answer = threading.Event()
        self.askers: list[int] = []

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.askers.append(threading.get_ident())
        self.may_answer.wait(LONG)
        return super().get_many(keys)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Iterator[HangingStore]:
    store = HangingStore(may_hang=request.param)
    yield store
    store.may_answer.set()


@pytest.fixture
def clock() -> ManualClock:
    clock = ManualClock()
    clock.clock = Clock()
    return clock


@pytest.mark.parametrize("store", [True, False], indirect=True)
def test_a_store_that_hangs_takes_half_of_a_short_time(store: HangingStore, clock: ManualClock) -> None:
    rig = Rig(clock, store)
    with ends_within(QUICK):
        assert rig.read(seconds=1.0, settles=False) == "first"
    assert len(store.askers) == 1


@pytest.mark.parametrize("store", [True, False], indirect=True)
def test_one_read_that_waits_in_vain_takes_no_store_for_a_failing_one_and_one_two_seconds_later_does(
    store: HangingStore, clock: ManualClock
) -> None:
    passed = [0.0]
    clock.clock = Clock(now=lambda: time.perf_counter() + passed[0], sleep=lambda seconds: None)
    rig = Rig(clock, store)
    for name, seconds, failures in [("one", 0.0, 0), ("two", 2.0, 1)]:
        passed[0] += seconds
        assert rig.read(PromptRef(name), seconds=0.2, settles=False) == "first"
        assert rig.shared.failures == failures
    assert len(store.askers) == 1


@pytest.mark.parametrize("store", [True], indirect=True)
def test_a_caller_without_a_limit_waits_for_it_in_its_own_thread(store: HangingStore, clock: ManualClock) -> None:
    rig = Rig(clock, store)
    store.may_answer.set()
    assert rig.read() == "first"
    assert set(store.askers) == {threading.get_ident()}


@pytest.mark.parametrize("store", [True], indirect=True)
def test_one_that_may_hang_takes_half_of_any_callers_time(store: HangingStore, clock: ManualClock) -> None:
    rig = Rig(clock, store)
    with ends_within(QUICK):
        assert rig.read(seconds=2.5, settles=False) == "first"


@pytest.mark.parametrize("store", [False], indirect=True)
def test_a_store_with_a_limit_of_its_own_is_asked_in_the_callers_thread(
    store: HangingStore, clock: ManualClock
) -> None:
    rig = Rig(clock, store)
    store.may_answer.set()
    assert rig.read(seconds=2.0) == "first"
    assert set(store.askers) == {threading.get_ident()}


class Hang:
    """An operation that ends once it `may_end`."""

    def __init__(self) -> None:
        self.may_end = threading.Event()

    def __call__(self) -> str:
        assert self.may_end.wait(LONG)
        return "late"


class Waits:
    """How long somebody has waited, each time in vain; no time passes. The hang ends in the wait of this number."""

    def __init__(self, hang: Hang, ends_in: int | None = None, *, is_heard: bool = True) -> None:
        self.seconds: list[float] = []
        self._hang = hang
        self._ends_in = ends_in
        self._is_heard = is_heard

    def __call__(self, has_ended: threading.Event, seconds: float) -> bool:
        self.seconds.append(seconds)
        if len(self.seconds) != self._ends_in:
            return False
        self._hang.may_end.set()
        assert has_ended.wait(LONG)
        return self._is_heard


def seconds_of(deadline: StoreDeadline, budget: Budget) -> float | None:
    with deadline.within(budget):
        return deadline.seconds()


@pytest.fixture
def hangs() -> Iterator[Hang]:
    hang = Hang()
    yield hang
    hang.may_end.set()


class TestTheTimeThatAStoreHas:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def deadline(self, hangs: Hang) -> StoreDeadline:
        return StoreDeadline(Waits(hangs))

    def test_it_is_half_of_what_the_call_has_left(self, deadline: StoreDeadline, clock: ManualClock) -> None:
        with deadline.within(Budget(clock.clock.now, 4.0)):
            assert deadline.seconds() == 2.0
            clock.passes(3.0)
            assert deadline.seconds() == 0.5
            clock.passes(1.0)
            assert deadline.seconds() == 0.0
            clock.passes(1.0)
            assert deadline.seconds() == 0.0

    def test_it_is_what_it_takes_for_a_call_without_a_limit_and_outside_of_calls(
        self, deadline: StoreDeadline, clock: ManualClock
    ) -> None:
        assert deadline.seconds() is None
        with deadline.within(Budget(clock.clock.now, 4.0)):
            with deadline.within(Budget(clock.clock.now)):
                assert deadline.seconds() is None
            assert deadline.seconds() == 2.0
        assert deadline.seconds() is None

    def test_it_is_none_while_a_call_hangs_that_nobody_waits_for(
        self, deadline: StoreDeadline, clock: ManualClock, hangs: Hang
    ) -> None:
        with pytest.raises(NoAnswerError):
            deadline.done_within(LONG, hangs)
        (thread,) = (each for each in threading.enumerate() if each.name == "scope-store")
        assert thread.daemon
        with deadline.within(Budget(clock.clock.now, 4.0)):
            assert deadline.seconds() == 0.0
            hangs.may_end.set()
            thread.join(LONG)
            assert deadline.seconds() == 2.0

    def test_for_who_has_no_limit_it_is_what_it_takes_then_too(
        self, deadline: StoreDeadline, clock: ManualClock, hangs: Hang
    ) -> None:
        with pytest.raises(NoAnswerError):
            deadline.done_within(LONG, hangs)
        assert deadline.seconds() is None
        with deadline.within(Budget(clock.clock.now)):
            assert deadline.seconds() is None

    def test_it_is_none_after_an_interrupt_of_the_one_who_waited(self, clock: ManualClock, hangs: Hang) -> None:
        def interrupted(has_ended: threading.Event, seconds: float) -> object:
            raise InterruptedError("time is over")

        deadline = StoreDeadline(interrupted)
        with pytest.raises(InterruptedError, match="time is over"):
            deadline.done_within(LONG, hangs)
        with deadline.within(Budget(clock.clock.now, 4.0)):
            assert deadline.seconds() == 0.0

    def test_a_child_has_nothing_that_hangs(self, deadline: StoreDeadline, clock: ManualClock, hangs: Hang) -> None:
        with pytest.raises(NoAnswerError):
            deadline.done_within(LONG, hangs)
        with deadline.within(Budget(clock.clock.now, 4.0)):
            assert in_a_child(deadline.seconds) is None
        assert in_a_child(lambda: seconds_of(deadline, Budget(clock.clock.now, 4.0))) == 2.0

    def test_it_is_that_of_this_threads_call_alone(self, deadline: StoreDeadline, clock: ManualClock) -> None:
        with deadline.within(Budget(clock.clock.now, 4.0)):
            assert Crowd(1, deadline.seconds).outcomes() == [None]

    def test_it_ends_with_a_call_that_fails(self, deadline: StoreDeadline, clock: ManualClock) -> None:
        with pytest.raises(KeyError), deadline.within(Budget(clock.clock.now, 4.0)):
            raise KeyError
        assert deadline.seconds() is None


class TestWhatIsDoneInTime:
    @pytest.fixture
    def deadline(self) -> StoreDeadline:
        return StoreDeadline()

    def test_its_result_is_given(self, deadline: StoreDeadline) -> None:
        assert deadline.done_within(LONG, lambda: "result") == "result"
        assert deadline.done_within(LONG, lambda: None) is None

    @pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt("stop"), SystemExit(3)])
    def test_its_error_is_raised(self, error: BaseException, deadline: StoreDeadline) -> None:
        def fails() -> None:
            raise error

        with pytest.raises(type(error)) as caught:
            deadline.done_within(LONG, fails)
        assert caught.value is error

    def test_who_has_waited_for_long_enough_hears_it(self, deadline: StoreDeadline, hangs: Hang) -> None:
        with ends_within(QUICK), pytest.raises(NoAnswerError, match=r"^there was no answer within 0\.1 seconds"):
            deadline.done_within(0.1, hangs)

    def test_it_is_waited_for_once_more_for_a_moment(self, hangs: Hang) -> None:
        waits = Waits(hangs)
        with pytest.raises(NoAnswerError):
            StoreDeadline(waits).done_within(3.0, hangs)
        assert waits.seconds == [3.0, 0.05]

    @pytest.mark.parametrize("ends_in", [1, 2])
    @pytest.mark.parametrize("is_heard", [True, False])
    def test_what_ends_in_one_of_the_waits_is_given(self, ends_in: int, is_heard: bool, hangs: Hang) -> None:
        """Not heard: it ends in the moment in which the wait is over already, and its thread waits for its turn."""
        waits = Waits(hangs, ends_in, is_heard=is_heard)
        assert StoreDeadline(waits).done_within(3.0, hangs) == "late"
        assert waits.seconds == [3.0, 0.05][: ends_in if is_heard else 2]
