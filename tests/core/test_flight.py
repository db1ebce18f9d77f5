"""One call per key at a time: who comes later shares its result, or its error."""

from __future__ import annotations

import itertools
import threading
import traceback

import pytest
from faults.clock import ends_within, eventually
from faults.crowd import Crowd, crowd
from faults.inside import leave_flight

from scope_client import ConfigurationError, ScopeError, TimeoutError, _flight
from scope_client._flight import Flights, State


class Call:
    """A call that ends when it is told to, and knows how often it was made; its last outcome is repeated."""

    def __init__(self, *outcomes: object) -> None:
        self.may_end = threading.Event()
        self._outcomes = itertools.chain(outcomes, itertools.repeat(outcomes[-1]))
        self.made = 0

    def __call__(self) -> object:
        self.made += 1
        outcome = next(self._outcomes)
        assert self.may_end.wait(10)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


@pytest.fixture
def flights() -> Flights:
    return Flights()


def together(flights: Flights, call: Call, size: int = 16) -> list:
    """The outcomes of so many threads, none of which came late."""
    threads = Crowd(size, lambda: flights.run("key", call))
    threads.wait_until_waiting(size)
    call.may_end.set()
    return threads.outcomes()


def test_all_who_wait_share_one_result(flights: Flights) -> None:
    call = Call(object())
    first, *others = together(flights, call)
    assert all(outcome is first for outcome in others)
    assert call.made == 1


@pytest.mark.parametrize("nothing", [None, False, 0, "", ()])
def test_a_result_that_is_nothing_is_one(flights: Flights, nothing: object) -> None:
    call = Call(nothing)
    assert together(flights, call) == [nothing] * 16
    assert call.made == 1


def test_all_who_wait_share_one_error(flights: Flights) -> None:
    call = Call(ScopeError("shared"))
    assert [str(outcome) for outcome in together(flights, call)] == ["shared"] * 16
    assert call.made == 1


def test_an_attempt_that_timed_out_is_shared_like_any_other_error(flights: Flights) -> None:
    call = Call(TimeoutError("late"), "never asked for")
    outcomes = together(flights, call)
    assert [type(outcome) for outcome in outcomes] == [TimeoutError] * 16
    assert call.made == 1


def test_each_who_waits_gets_a_traceback_of_its_own(flights: Flights) -> None:
    for outcome in together(flights, Call(ScopeError("shared"))):
        frames = [frame.name for frame in traceback.extract_tb(outcome.__traceback__)]
        assert frames.count("_run") == 1


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), SystemExit(), ValueError("of the leader's own")])
def test_any_other_failure_ends_the_leader_alone(flights: Flights, failure: BaseException) -> None:
    call = Call(failure, "result")
    outcomes = together(flights, call)
    assert outcomes.count("result") == 15
    assert outcomes.count(failure) == 1
    assert call.made == 2


def test_nothing_is_kept_once_it_is_over(flights: Flights) -> None:
    numbers = itertools.count()
    assert [flights.run("key", lambda: next(numbers)) for _ in range(3)] == [0, 1, 2]


def test_an_error_is_not_kept_either(flights: Flights) -> None:
    call = Call(ScopeError("first"), "second")
    call.may_end.set()
    with pytest.raises(ScopeError, match="first"):
        flights.run("key", call)
    assert flights.run("key", call) == "second"


def test_keys_do_not_wait_for_each_other(flights: Flights) -> None:
    call = Call("slow")
    slow = Crowd(1, lambda: flights.run("slow", call))
    slow.wait_until_waiting(1)
    assert flights.run("quick", lambda: "quick") == "quick"
    call.may_end.set()
    assert slow.outcomes() == ["slow"]


def test_a_call_may_make_another_for_a_different_key(flights: Flights) -> None:
    assert flights.run("outer", lambda: flights.run("inner", lambda: "result")) == "result"


def test_many_threads_on_many_keys_all_land(flights: Flights) -> None:
    def work() -> None:
        for number in range(300):
            assert flights.run(number % 5, lambda number=number: number % 5) == number % 5

    assert crowd(8, work) == [None] * 8


@pytest.mark.parametrize(
    ("outcome", "made"), [("result", 1), (ScopeError("shared"), 1), (TimeoutError("mine", is_deadline=True), 4)]
)
def test_waiters_learn_of_an_end_that_an_interrupt_kept_from_them(
    outcome: object, made: int, flights: Flights, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, tells = Call(outcome), threading.Event.set
    threads = Crowd(4, lambda: flights.run("key", call))
    threads.wait_until_waiting(4)
    monkeypatch.setattr(threading.Event, "set", lambda event: tells(event) if event is call.may_end else None)
    call.may_end.set()
    outcomes = threads.outcomes()
    assert [str(each) for each in outcomes] == [str(outcome)] * 4
    assert call.made == made


def looks_up_every(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_flight, "LOOK_UP_SECONDS", seconds)


@pytest.mark.parametrize("left", [None, 10.0])
def test_a_waiter_waits_for_as_long_as_the_leader_takes(
    left: float | None, flights: Flights, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_up_every(0.01, monkeypatch)
    call, looks = Call("result"), []

    def left_of() -> float | None:
        looks.append(left)
        return left

    leader = Crowd(1, lambda: flights.run("key", call))
    leader.wait_until_waiting(1)
    waiter = Crowd(1, lambda: flights.run("key", call, left_of))
    eventually(lambda: len(looks) > 5)
    call.may_end.set()
    assert [*leader.outcomes(), *waiter.outcomes()] == ["result"] * 2
    assert call.made == 1


def test_a_waiter_hears_of_the_end_at_once(flights: Flights, monkeypatch: pytest.MonkeyPatch) -> None:
    looks_up_every(30.0, monkeypatch)
    with ends_within(10):
        assert together(flights, Call("result"), 2) == ["result"] * 2


def test_a_flight_whose_leader_never_began_is_given_up_at_the_first_look(
    flights: Flights, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_up_every(0.01, monkeypatch)
    leave_flight(flights, "key", State.BOARDING)
    assert flights.run("key", lambda: "mine", lambda: 10.0) == "mine"


def test_but_not_by_who_has_less_time_than_that(flights: Flights) -> None:
    leave_flight(flights, "key", State.BOARDING)
    with pytest.raises(TimeoutError):
        flights.run("key", lambda: "mine", lambda: 0.01)


def test_a_leader_who_was_given_up_leaves_the_flight_that_took_its_place(flights: Flights) -> None:
    def call() -> str:
        leave_flight(flights, "key", State.ABANDONED)  # by one who waited, and now leads
        leave_flight(flights, "key", State.LED)
        return "mine"

    assert flights.run("key", call) == "mine"
    assert "key" in flights.by_key


@pytest.mark.parametrize("end", [State.LANDED, State.FAILED, State.ABANDONED])
def test_nobody_boards_a_flight_that_an_interrupt_has_left_behind(end: State, flights: Flights) -> None:
    leave_flight(flights, "key", end)
    assert flights.run("key", lambda: "new", lambda: 0.0) == "new"
    assert "key" not in flights.by_key


def test_a_call_that_asks_for_itself_is_told_so(flights: Flights) -> None:
    with pytest.raises(ConfigurationError, match="the very prompt that is being fetched"):
        flights.run("key", lambda: flights.run("key", lambda: "never"))
    assert flights.run("key", lambda: "later") == "later"


def test_an_error_that_is_not_shared_ends_its_leader_alone(flights: Flights) -> None:
    call = Call(ScopeError("tried less hard"), "result")
    leader = Crowd(1, lambda: flights.run("key", call, shares_error=False))
    leader.wait_until_waiting(1)
    waiter = Crowd(1, lambda: flights.run("key", call))
    waiter.wait_until_waiting(1)
    call.may_end.set()
    assert [str(outcome) for outcome in leader.outcomes()] == ["tried less hard"]
    assert waiter.outcomes() == ["result"]


def test_a_waiter_whose_time_is_over_gets_a_time_out_and_the_leader_goes_on(flights: Flights) -> None:
    call = Call("result")
    leader = Crowd(1, lambda: flights.run("key", call))
    leader.wait_until_waiting(1)
    with ends_within(0.8), pytest.raises(TimeoutError) as caught:  # before it looks up
        flights.run("key", call, lambda: 0.05)
    assert caught.value.is_deadline
    call.may_end.set()
    assert leader.outcomes() == ["result"]
    assert call.made == 1


def test_a_waiter_whose_budget_raises_gets_that(flights: Flights) -> None:
    call = Call("result")
    leader = Crowd(1, lambda: flights.run("key", call))
    leader.wait_until_waiting(1)

    def over() -> float:
        raise TimeoutError("the budget is spent", is_deadline=True)

    with pytest.raises(TimeoutError, match="the budget is spent"):
        flights.run("key", call, over)
    call.may_end.set()
    leader.outcomes()


def test_what_its_budget_says_when_the_time_is_over_comes_before_what_a_flight_would_say(flights: Flights) -> None:
    def overdrawn() -> float:
        raise TimeoutError("the two seconds of the call")

    leave_flight(flights, "key", State.LED)
    looks: list[object] = [lambda: 0.0, overdrawn]
    with pytest.raises(TimeoutError, match="the two seconds of the call"):
        flights.run("key", Call("unused"), lambda: looks.pop(0)())
    with pytest.raises(TimeoutError, match="another thread's call for the same prompt did not end in time") as caught:
        flights.run("key", Call("unused"), lambda: 0.0)
    assert caught.value.is_deadline


def test_it_knows_what_is_under_way(flights: Flights) -> None:
    call = Call("result")
    leader = Crowd(1, lambda: flights.run("key", call))
    leader.wait_until_waiting(1)
    assert "key" in flights.by_key
    assert "other" not in flights.by_key
    call.may_end.set()
    leader.outcomes()
    assert "key" not in flights.by_key


def test_an_error_keeps_its_cause_for_each_who_waits(flights: Flights) -> None:
    error = ScopeError("shared")
    error.__cause__ = OSError("the reason")
    assert {str(outcome.__cause__) for outcome in together(flights, Call(error))} == {"the reason"}
