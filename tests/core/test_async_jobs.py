"""Calls in threads, for which tasks wait: shared by all that want the same, and harmed by none that goes."""

from __future__ import annotations

import _thread
import asyncio
import contextvars
import gc
import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.child import in_a_child
from faults.clock import ManualClock, ends_within, eventually
from faults.crowd import crowd

from scope_client import ConfigurationError, ConnectionError, NotFoundError, ServerError, TimeoutError
from scope_client._async_jobs import SECONDS_BETWEEN_ATTEMPTS, AsyncJobs, Kind, Pace
from scope_client._background import Background
from scope_client._clock import SYSTEM_CLOCK
from scope_client._http.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Coroutine

PATIENCE = 20.0


class Calls:
    """A call that waits at a gate, and then gives the outcomes in turn, the last one for ever."""

    def __init__(self, *outcomes: Any, is_open: bool = True) -> None:
        self._outcomes = list(outcomes) or ["done"]
        self._gate = threading.Event()
        self.budgets: list[Budget] = []
        self.threads: set[threading.Thread] = set()
        if is_open:
            self.open()

    def open(self) -> None:
        self._gate.set()

    def __call__(self, budget: Budget) -> Any:
        self.budgets.append(budget)
        self.threads.add(threading.current_thread())
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        assert self._gate.wait(PATIENCE)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    @property
    def count(self) -> int:
        return len(self.budgets)


def lasting(seconds: float | None = None) -> Budget:
    return Budget(SYSTEM_CLOCK.now, seconds)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def limited() -> Any:
        return await asyncio.wait_for(main(), PATIENCE)

    return asyncio.run(limited())


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():
        await asyncio.sleep(0.002)


async def outcomes(*waiting: Any) -> list[Any]:
    return await asyncio.gather(*waiting, return_exceptions=True)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("scope-async")]


@pytest.fixture(autouse=True)
def threads_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scope_client._background.IDLE_THREAD_SECONDS", 0.2)


@pytest.fixture
def jobs() -> AsyncJobs:
    return AsyncJobs()


def test_tasks_that_want_the_same_share_one_call_and_others_do_not(jobs: AsyncJobs) -> None:
    calls = Calls(is_open=False)

    async def main() -> list[Any]:
        waiting = [asyncio.ensure_future(jobs.share(key, calls, lasting())) for key in "aaabbb"]
        waiting += [asyncio.ensure_future(jobs.share(None, calls, lasting())) for _ in range(2)]
        await until(lambda: calls.count == 4)
        calls.open()
        return await asyncio.gather(*waiting)

    assert run(main) == ["done"] * 8
    assert calls.count == 4


def test_a_call_that_has_ended_is_not_shared_any_more(jobs: AsyncJobs) -> None:
    calls = Calls("first", "second")

    async def main() -> list[Any]:
        return [await jobs.share("a", calls, lasting()), await jobs.share("a", calls, lasting())]

    assert run(main) == ["first", "second"]


def test_each_task_has_an_error_of_its_own_with_the_facts_and_the_cause(jobs: AsyncJobs) -> None:
    error = NotFoundError("gone", http_status=404)
    error.__cause__ = OSError("behind it")
    calls = Calls(error, is_open=False)

    async def main() -> list[Any]:
        waiting = [asyncio.ensure_future(jobs.share("a", calls, lasting())) for _ in range(5)]
        await until(lambda: calls.count)
        calls.open()
        return await outcomes(*waiting)

    found = run(main)
    assert len(set(map(id, found))) == 5
    assert {(type(each), str(each), each.http_status, str(each.__cause__)) for each in found} == {
        (NotFoundError, "gone", 404, "behind it")
    }
    assert calls.count == 1


def test_what_is_no_error_of_ours_reaches_all_as_it_is(jobs: AsyncJobs) -> None:
    class OddError(Exception):
        def __init__(self, one: str, two: str) -> None:
            super().__init__(one)

    error = OddError("a", "b")
    calls = Calls(error, is_open=False)

    async def main() -> list[Any]:
        waiting = [asyncio.ensure_future(jobs.share("a", calls, lasting())) for _ in range(3)]
        await until(lambda: calls.count)
        calls.open()
        return await outcomes(*waiting)

    assert run(main) == [error] * 3
    assert calls.count == 1


def test_a_call_that_raises_stop_iteration_leaves_nobody_waiting(jobs: AsyncJobs) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        run(lambda: jobs.share("a", Calls(StopIteration()), lasting()))


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_reaches_one_task_and_the_others_get_a_call_of_their_own(
    interrupt: type[BaseException], jobs: AsyncJobs
) -> None:
    calls = Calls(interrupt("now"), "second", is_open=False)
    ended: list[Any] = []

    async def read() -> None:
        ended.append(await jobs.share("a", calls, lasting()))

    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(read()) for _ in range(3)]
    try:
        loop.run_until_complete(until(lambda: calls.count))
        calls.open()
        with pytest.raises(interrupt):
            loop.run_until_complete(asyncio.sleep(PATIENCE))
        loop.run_until_complete(asyncio.wait_for(until(lambda: len(ended) == 2), PATIENCE))
    finally:
        loop.close()
    assert [task.exception() for task in tasks if task.exception()]
    assert ended == ["second", "second"]
    assert calls.count == 2


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_task_that_is_cancelled_leaves_the_others_their_outcome(gone: int, jobs: AsyncJobs) -> None:
    calls = Calls(is_open=False)

    async def main() -> list[Any]:
        waiting = [asyncio.ensure_future(jobs.share("a", calls, lasting())) for _ in range(3)]
        await until(lambda: calls.count)
        waiting[gone].cancel()
        await asyncio.sleep(0)
        calls.open()
        return await outcomes(*waiting)

    found = run(main)
    assert isinstance(found.pop(gone), asyncio.CancelledError)
    assert found == ["done"] * 2
    assert calls.count == 1


def test_an_error_reaches_the_others_if_the_first_task_is_cancelled(jobs: AsyncJobs) -> None:
    calls = Calls(ServerError("down", http_status=503), is_open=False)

    async def main() -> list[Any]:
        waiting = [asyncio.ensure_future(jobs.share("a", calls, lasting())) for _ in range(2)]
        await until(lambda: calls.count)
        waiting[0].cancel()
        calls.open()
        return await outcomes(*waiting)

    assert [type(each) for each in run(main)] == [asyncio.CancelledError, ServerError]


def test_a_call_that_nobody_waits_for_any_more_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scope_client._async_jobs.MAX_READ_THREADS", 1)
    jobs, first, second = AsyncJobs(), Calls(is_open=False), Calls()

    async def main() -> list[Any]:
        running = asyncio.ensure_future(jobs.share("first", first, lasting()))
        await until(lambda: first.count)
        given_up = asyncio.ensure_future(jobs.share("second", second, lasting()))
        await asyncio.sleep(0)
        given_up.cancel()
        await outcomes(given_up)
        first.open()
        await running
        return [await jobs.share("third", Calls("third"), lasting()), second.count]

    assert run(main) == ["third", 0]


def test_loops_of_several_threads_share_one_call(jobs: AsyncJobs) -> None:
    calls = Calls(is_open=False)

    def read() -> Any:
        async def main() -> list[Any]:
            waiting = [asyncio.ensure_future(jobs.share("a", calls, lasting())) for _ in range(4)]
            await asyncio.sleep(0)
            with guard:
                boarded.append(None)
            if len(boarded) == 4:
                calls.open()
            return await asyncio.gather(*waiting)

        return run(main)

    guard, boarded = threading.Lock(), []
    assert crowd(4, read) == [["done"] * 4] * 4
    assert calls.count == 1


def test_a_loop_that_was_closed_meanwhile_is_no_error_to_the_others(
    jobs: AsyncJobs, caplog: pytest.LogCaptureFixture
) -> None:
    calls = Calls(is_open=False)
    closed = asyncio.new_event_loop()
    left = closed.create_task(jobs.share("a", calls, lasting()))
    closed.run_until_complete(until(lambda: calls.count))
    left._log_destroy_pending = False  # as it is: its loop goes before it
    closed.close()

    async def main() -> Any:
        waiting = asyncio.ensure_future(jobs.share("a", calls, lasting()))
        await asyncio.sleep(0)
        calls.open()
        return await waiting

    assert run(main) == "done"
    assert calls.count == 1
    assert not caplog.records


def test_a_loop_that_was_closed_before_the_call_began_is_no_obstacle_to_the_others(jobs: AsyncJobs) -> None:
    calls = Calls()
    closed = asyncio.new_event_loop()
    left = closed.create_task(jobs.share("a", calls, lasting()))
    closed.call_soon(closed.stop)
    closed.run_forever()
    assert calls.count == 0
    left._log_destroy_pending = False
    closed.close()
    assert run(lambda: jobs.share("a", calls, lasting())) == "done"
    assert calls.count == 1


def test_the_tasks_that_waited_go_on_one_in_a_turn_of_the_loop(jobs: AsyncJobs) -> None:
    calls, turns = Calls(is_open=False), []

    async def read(key: str) -> None:
        await jobs.share(key, calls, lasting())
        turns.append(turn)

    async def main() -> None:
        nonlocal turn
        reads = [asyncio.ensure_future(read(key)) for key in "aaabbb"]
        await until(lambda: calls.count == 2)
        reads[1].cancel()
        calls.open()
        while len(turns) < 5:
            turn += 1
            await asyncio.sleep(0)
        await outcomes(*reads)

    turn = 0
    run(main)
    assert len(set(turns)) == 5


def test_a_loop_that_was_closed_before_all_its_tasks_went_on_is_not_kept(jobs: AsyncJobs) -> None:
    calls = Calls()
    closed = asyncio.new_event_loop()
    left = [closed.create_task(jobs.share("a", calls, lasting())) for _ in range(30)]
    closed.run_until_complete(asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED))
    assert not all(task.done() for task in left)
    for task in left:
        task._log_destroy_pending = False
    closed.close()
    gone = weakref.ref(closed)
    del closed, left, task
    assert run(lambda: jobs.share("b", calls, lasting())) == "done"

    def is_gone() -> bool:
        gc.collect()  # each time: a thread may be in the last lines of a job yet
        return gone() is None

    eventually(is_gone)


def test_a_forked_child_has_no_call_of_its_parents_under_way(jobs: AsyncJobs) -> None:
    calls = Calls(is_open=False)

    async def main() -> tuple[Any, Any]:
        waiting = asyncio.ensure_future(jobs.share("a", calls, lasting()))
        await until(lambda: calls.count)
        loop = asyncio.get_running_loop()
        of_child = await loop.run_in_executor(
            None, in_a_child, lambda: run(lambda: jobs.share("a", Calls("child's"), lasting()))
        )
        calls.open()
        return of_child, await waiting

    assert run(main) == ("child's", "done")


class TestADeadline:
    def test_of_a_task_is_kept_though_the_call_of_another_goes_on(self, jobs: AsyncJobs) -> None:
        calls = Calls("long", "late", is_open=False)

        async def main() -> tuple[Any, Any]:
            waiting = asyncio.ensure_future(jobs.share("a", calls, lasting()))
            await until(lambda: calls.count)
            hasty = asyncio.ensure_future(jobs.share("a", calls, lasting(0.05)))
            await until(lambda: calls.count == 2)
            with pytest.raises(TimeoutError):
                calls.budgets[1].left()
            calls.open()
            return await waiting, await hasty

        assert run(main) == ("long", "late")

    def test_of_the_first_task_is_not_that_of_the_next(self, jobs: AsyncJobs) -> None:
        ended = TimeoutError("its time is over", is_deadline=True)
        calls = Calls(ended, "done", is_open=False)

        async def main() -> list[Any]:
            waiting = [asyncio.ensure_future(jobs.share("a", calls, lasting(limit))) for limit in (5, None, 6)]
            await until(lambda: calls.count)
            calls.open()
            return await outcomes(*waiting)

        found = run(main)
        assert found == [ended, "done", "done"]
        assert calls.count in (2, 3)  # the second one may have ended before the last task asks again

    def test_of_the_first_task_ends_no_other_with_a_stand_in(self, jobs: AsyncJobs) -> None:
        calls = Calls("stand-in", "done", is_open=False)

        async def main() -> list[Any]:
            read = partial(jobs.share, "a", calls, gives_up=lambda result: result == "stand-in")
            waiting = [asyncio.ensure_future(read(lasting(limit))) for limit in (5, None, 1)]
            await until(lambda: calls.count)
            calls.open()
            return await asyncio.gather(*waiting)

        assert run(main) == ["stand-in", "done", "stand-in"]

    def test_counts_while_a_call_waits_for_a_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("scope_client._async_jobs.MAX_READ_THREADS", 1)
        jobs, first = AsyncJobs(), Calls(is_open=False)

        async def main() -> Any:
            running = asyncio.ensure_future(jobs.share("first", first, lasting()))
            await until(lambda: first.count)
            with ends_within(PATIENCE / 4):
                found = await jobs.share("second", Calls("late"), lasting(0.05))
            first.open()
            await running
            return found

        assert run(main) == "late"

    def test_by_a_clock_that_stands_still_is_never_over(self, jobs: AsyncJobs, clock: ManualClock) -> None:
        calls = Calls(is_open=False)

        async def main() -> Any:
            waiting = asyncio.ensure_future(jobs.share("a", calls, Budget(clock.clock.now, 0.01)))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            calls.open()
            return await waiting

        assert run(main) == "done"
        assert calls.count == 1


def test_short_calls_do_not_wait_for_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scope_client._async_jobs.MAX_READ_THREADS", 2)
    jobs, calls = AsyncJobs(), Calls(is_open=False)

    async def main() -> Any:
        waiting = [asyncio.ensure_future(jobs.share(key, calls, lasting())) for key in range(4)]
        await until(lambda: calls.count == 2)
        found = await jobs.share("short", Calls("short"), lasting(), kind=Kind.SHORT)
        calls.open()
        await asyncio.gather(*waiting)
        return found

    assert run(main) == "short"


def test_the_threads_are_daemons_with_names_few_and_gone_when_there_is_nothing_to_do(jobs: AsyncJobs) -> None:
    calls = Calls(is_open=False)

    async def main() -> None:
        waiting = [asyncio.ensure_future(jobs.share(None, calls, lasting())) for _ in range(100)]
        await until(lambda: calls.count == 48)
        await asyncio.sleep(0.05)
        assert len(threads()) == calls.count == 48
        calls.open()
        await asyncio.gather(*waiting)

    eventually(lambda: not threads())
    run(main)
    assert all(thread.daemon and thread.name == "scope-async-read" for thread in calls.threads)
    eventually(lambda: not threads())


def test_a_call_is_made_in_the_context_of_the_first_task(jobs: AsyncJobs) -> None:
    who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")

    async def read() -> str:
        who.set("Ada")
        return await jobs.share("a", lambda _: who.get(), lasting())

    assert run(read) == "Ada"


@pytest.mark.parametrize(("where", "name"), [(_thread, "start_new_thread"), (threading.Thread, "start")])
def test_where_no_thread_is_to_be_had_that_is_the_error(
    where: object, name: str, jobs: AsyncJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(where, name, refuses)
            with pytest.raises(ConnectionError, match="no thread could be started"):
                await jobs.share("a", Calls(), lasting())
        assert await jobs.share("a", Calls(), lasting()) == "done"

    run(main)


@pytest.mark.parametrize(("where", "name"), [(_thread, "start_new_thread"), (Background, "submit")])
def test_an_interrupt_of_the_start_of_a_call_leaves_nobody_waiting(
    where: object, name: str, jobs: AsyncJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_struck(*_: object) -> None:
        raise OSError("a time limit")

    async def main() -> Any:
        struck: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: struck.append(told["exception"]))
        with monkeypatch.context() as patched:
            patched.setattr(where, name, is_struck)
            with pytest.raises(ConnectionError, match="no thread could be started"):
                await jobs.share("a", Calls(), lasting())
        assert [str(each) for each in struck] == ["a time limit"]
        return await jobs.share("a", Calls(), lasting())

    assert run(main) == "done"


def test_outside_asyncio_the_error_says_what_to_write(jobs: AsyncJobs) -> None:
    with pytest.raises(ConfigurationError, match=r"anyio\.to_thread\.run_sync\(client\.get_prompt_version"):
        jobs.share("a", Calls(), lasting()).send(None)


def test_attempts_begin_one_after_another(clock: ManualClock) -> None:
    pace = Pace(clock.clock)
    for _ in range(3):
        pace(None)
    assert clock.sleeps == pytest.approx([SECONDS_BETWEEN_ATTEMPTS] * 2)
    clock.passes(SECONDS_BETWEEN_ATTEMPTS)
    pace(None)
    assert len(clock.sleeps) == 2
    pace(SECONDS_BETWEEN_ATTEMPTS / 3)
    assert clock.sleeps[2:] == [SECONDS_BETWEEN_ATTEMPTS / 3]


def test_each_attempt_of_a_call_waits_its_turn(jobs: AsyncJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[float | None] = []
    monkeypatch.setattr("scope_client._async_jobs._pace", turns.append)

    def attempts(budget: Budget) -> None:
        for each in (budget, budget.watched(lambda: None), budget.at_most(5)):
            each.for_attempt(1.0)

    run(lambda: jobs.share("a", attempts, lasting()))
    assert turns[:2] == [None, None]
    assert turns[2] == pytest.approx(5, abs=1)


def test_a_budget_that_two_calls_have_knows_that_one_of_them_has_asked(jobs: AsyncJobs, clock: ManualClock) -> None:
    both = Budget(clock.clock.now, 5)

    def asks_too_late(budget: Budget) -> None:
        clock.passes(5.5)
        budget.for_attempt(1.0)

    run(lambda: jobs.share("a", lambda budget: budget.for_attempt(1.0), both))
    with pytest.raises(TimeoutError) as caught:
        run(lambda: jobs.share("b", asks_too_late, both))
    assert (caught.value.is_deadline, caught.value.is_overrun) == (True, False)


def test_a_call_without_an_end_makes_no_other_call_wait_its_turn(
    jobs: AsyncJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[float | None] = []
    monkeypatch.setattr("scope_client._async_jobs._pace", turns.append)
    of_all_calls = lasting()
    run(lambda: jobs.share("a", lambda budget: budget.for_attempt(1.0), of_all_calls))
    of_all_calls.for_attempt(1.0)
    assert turns == [None]
