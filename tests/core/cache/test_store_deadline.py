"""A store that may hang has a part of a caller's time, and no other store is watched so closely."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from faults.child import in_a_child
from faults.clock import ManualClock, ends_within
from faults.crowd import Crowd
from faults.rig import Rig
from faults.timelimit import TimeLimit

from scope_client import Clock, MemoryStore
from scope_client._cache.store_deadline import NoAnswerError, StoreDeadline
from scope_client._http.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

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
    assert rig.shared.failures == 1


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


class TestTheTimeThatAStoreHas:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def deadline(self) -> StoreDeadline:
        return StoreDeadline()

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

    @pytest.fixture
    def hangs(self) -> Iterator[Callable[[], str]]:
        may_end = threading.Event()

        def operation() -> str:
            assert may_end.wait(LONG)
            return "late"

        operation.ends = may_end.set  # type: ignore[attr-defined]
        yield operation
        may_end.set()

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

    def test_who_has_waited_for_long_enough_hears_it(self, deadline: StoreDeadline, hangs: Callable[[], str]) -> None:
        with ends_within(QUICK), pytest.raises(NoAnswerError, match=r"^there was no answer within 0\.1 seconds"):
            deadline.done_within(0.1, hangs)

    def test_of_those_that_are_not_waited_for_there_is_one(
        self, deadline: StoreDeadline, hangs: Callable[[], str]
    ) -> None:
        done: list[str] = []
        with pytest.raises(NoAnswerError):
            deadline.done_within(0.01, hangs)
        with pytest.raises(NoAnswerError, match=r"^an earlier call still hangs$"):
            deadline.done_within(LONG, lambda: done.append("done"))
        assert done == []
        (thread,) = (each for each in threading.enumerate() if each.name == "scope-store")
        assert thread.daemon
        hangs.ends()  # type: ignore[attr-defined]
        thread.join(LONG)
        assert deadline.done_within(LONG, lambda: "result") == "result"

    def test_so_it_is_after_an_interrupt_of_the_one_who_waits(
        self, deadline: StoreDeadline, hangs: Callable[[], str]
    ) -> None:
        with TimeLimit(InterruptedError("time is over"), 0.05), pytest.raises(InterruptedError, match="time is over"):
            deadline.done_within(LONG, hangs)
        with pytest.raises(NoAnswerError, match=r"^an earlier call still hangs$"):
            deadline.done_within(LONG, lambda: "result")

    def test_a_child_has_none(self, deadline: StoreDeadline, hangs: Callable[[], str]) -> None:
        with pytest.raises(NoAnswerError):
            deadline.done_within(0.01, hangs)
        assert in_a_child(lambda: deadline.done_within(LONG, lambda: "result")) == "result"
