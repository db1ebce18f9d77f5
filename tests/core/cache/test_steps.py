"""The cache carries out the steps of the table: who waits and for how long, what is renewed behind, what is kept."""

from __future__ import annotations

import threading

import pytest
from faults.child import in_a_child
from faults.clock import ManualClock, eventually
from faults.crowd import Crowd
from faults.inside import loads, starts_no_thread
from faults.rig import GREETING, Rig, down
from faults.timelimit import TimeLimit

from scope_client import (
    AuthorizationError,
    ConnectionError,
    MemoryStore,
    NotFoundError,
    ServerError,
    TimeoutError,
    TokenRefreshError,
)
from scope_client._http.budget import Budget
from scope_client._prompt.ref import CacheKey, PromptRef


@pytest.fixture
def rig(clock: ManualClock) -> Rig:
    return Rig(clock)


class Patience(Budget):
    """The budget of a call by a clock; `limits` has the seconds for which each of its readers was to wait."""

    limits: list[float]

    def __init__(self, clock: ManualClock, limits: list[float]) -> None:
        super().__init__(clock.clock.now)
        self.limits = limits

    def at_most(self, seconds: float, **options: int) -> Budget:
        self.limits.append(seconds)
        return super().at_most(seconds, **options)


class TestFresh:
    def test_it_is_served_without_a_fetch_until_its_end(self, rig: Rig, clock: ManualClock) -> None:
        clock.chance = 0.0
        assert rig.read() == "first"
        clock.passes(82)
        assert rig.read() == "first"
        assert rig.fetches == 1

    def test_it_is_renewed_behind_a_reader_in_the_last_part_of_its_life(self, rig: Rig, clock: ManualClock) -> None:
        clock.chance = 0.0
        rig.source.gives("first", "second")
        rig.read()
        clock.passes(83.01)
        assert rig.read() == "first"
        assert rig.fetches == 2
        assert rig.read() == "second"

    def test_it_is_as_old_as_the_question_that_brought_it(self, rig: Rig, clock: ManualClock) -> None:
        clock.chance = 0.0
        rig.source.gives("first", "second")
        rig.source.takes = 15.0
        rig.read()
        assert rig.clock.time - rig.entry().fetched_at == 15.0
        clock.passes(68.01)
        assert rig.read() == "first"
        assert rig.fetches == 2

    def test_a_life_is_up_to_three_hundredths_shorter(self, rig: Rig, clock: ManualClock) -> None:
        clock.chance = 1.0
        rig.read()
        assert rig.entry().life == pytest.approx(97.0)
        clock.chance = 0.0
        rig.read(PromptRef("other"))
        assert rig.entry(PromptRef("other")).life == 100.0

    def test_the_fast_path_may_use_it_for_five_seconds_until_it_is_due_and_no_longer(
        self, rig: Rig, clock: ManualClock
    ) -> None:
        clock.chance = 0.0
        rig.read()
        entry = rig.entry()
        assert entry.due_at == clock.time
        rig.read()
        assert entry.due_at == pytest.approx(clock.time + 5)
        clock.passes(80)
        rig.read()
        assert entry.due_at == pytest.approx(clock.time + 3)
        clock.passes(10)
        rig.source.gives(down())
        rig.read()
        assert entry.due_at == pytest.approx(clock.time + 0.25)

    def test_nor_for_longer_than_what_a_fleet_shares_may_go_unasked(self, clock: ManualClock) -> None:
        rig = Rig(clock, MemoryStore(timer=lambda: clock.time), cache_local_ttl=2)
        rig.read()
        clock.passes(0.5)
        rig.read()
        assert rig.entry().due_at == pytest.approx(clock.time + 1.5)

    def test_a_read_notes_when_it_was(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        clock.passes(7)
        rig.read()
        assert rig.entry().read_at == clock.time

    def test_a_callers_own_age_does_not_move_what_the_fast_path_may_do(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        entry = rig.entry()
        due_at = entry.due_at
        clock.passes(1)
        assert rig.read(max_age=50) == "first"
        assert entry.due_at == due_at

    def test_a_callers_own_age_renews_in_its_own_last_part(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", "second")
        rig.read()
        clock.passes(8.31)
        assert rig.read(max_age=10) == "first"
        assert rig.fetches == 2

    def test_a_callers_own_age_bounds_what_is_kept(self, rig: Rig, clock: ManualClock) -> None:
        clock.chance = 0.0
        rig.read(max_age=10)
        assert rig.entry().life == 10
        rig.read(PromptRef("other"), max_age=500)
        assert rig.entry(PromptRef("other")).life == 100


class TestExpired:
    def test_the_first_reader_waits_for_one_attempt_of_a_second(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", "second")
        rig.read()
        clock.passes(100)
        assert rig.read() == "second"
        (_, budget) = rig.source.asked[1]
        assert (budget.seconds, budget.retries) == (1.0, 0)

    def test_a_deadline_shorter_than_that_holds(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", "second")
        rig.read()
        clock.passes(100)
        rig.read(seconds=0.4)
        assert rig.source.asked[1][1].seconds == 0.4

    def test_those_who_find_that_attempt_under_way_wait_a_quarter_of_a_second(
        self, rig: Rig, clock: ManualClock
    ) -> None:
        given: list[float] = []
        may_end = threading.Event()
        rig.read()
        clock.passes(100)
        rig.source.gives(lambda: may_end.wait(10) and "second")
        leader = Crowd(1, lambda: rig.cache.get(GREETING, Patience(clock, given)))
        eventually(lambda: rig.fetches == 2)
        joiner = rig.cache.get(GREETING, Patience(clock, given))
        assert given == [1.0, 0.25]
        assert joiner is not None
        assert joiner.version.content == "first"
        may_end.set()
        assert [found.version.content for found in leader.outcomes()] == ["second"]

    def test_an_outage_gives_the_last_known_good_version(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", down())
        rig.read()
        clock.passes(100)
        assert rig.read() == "first"
        assert rig.entry().stale_at == clock.time
        assert rig.counters.counts["stale"] == 1

    def test_an_interrupt_in_the_attempt_reaches_the_caller(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        clock.passes(100)
        limit = TimeLimit(LookupError("time is over"))

        def is_interrupted() -> str:
            try:
                limit.strikes()
            except LookupError as error:
                raise ConnectionError("no answer") from error
            return ""

        rig.source.gives(is_interrupted)
        with limit, pytest.raises(LookupError, match="time is over"):
            rig.read()

    @pytest.mark.parametrize("store", [None, MemoryStore()], ids=["alone", "in a fleet"])
    def test_the_failure_of_a_read_in_a_signal_handler_reaches_the_caller_and_is_no_outage(
        self, store: MemoryStore | None, clock: ManualClock
    ) -> None:
        rig = Rig(clock, store)
        rig.read()
        clock.passes(100)
        limit = TimeLimit(down())
        rig.source.gives(limit.strikes)
        with limit, pytest.raises(ServerError) as caught:
            rig.read()
        assert caught.value is limit.error
        assert not rig.platform.is_likely

    def test_those_who_wait_do_not_share_what_a_signal_handler_raised(self, rig: Rig) -> None:
        limit = TimeLimit(down())
        waiters: list[Crowd] = []

        def is_interrupted() -> None:
            waiters.append(Crowd(1, lambda: rig.read(settles=False)))
            waiters[0].wait_until_waiting(1)
            limit.strikes()

        rig.source.gives(is_interrupted, "first")
        with limit, pytest.raises(ServerError):
            rig.read()
        assert waiters[0].outcomes() == ["first"]

    def test_one_that_the_platform_asks_to_wait_with_is_served_at_once_until_then(self, clock: ManualClock) -> None:
        """Its other prompts are well, and the failure is longer ago than a TTL."""
        rig = Rig(clock, cache_ttl=2)
        rig.read()
        clock.passes(2)
        rig.source.gives(down(retry_after=20.0), "another")
        assert rig.read() == "first"
        rig.read(PromptRef("another"))
        clock.passes(5)
        fetches = rig.fetches
        assert rig.read() == "first"
        assert rig.fetches == fetches
        clock.passes(16)
        rig.source.gives("second")
        assert rig.read() == "second"

    @pytest.mark.parametrize("error", [NotFoundError("no", http_status=404), AuthorizationError("no", http_status=403)])
    def test_a_refusal_is_raised(self, error: Exception, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", error)
        rig.read()
        clock.passes(100)
        with pytest.raises(type(error)):
            rig.read()
        assert rig.counters.counts["stale"] == 0

    def test_in_a_known_outage_nobody_waits_and_one_asks_behind(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        clock.passes(100)
        rig.source.gives(down())
        rig.read()
        clock.passes(1)
        rig.source.asked.clear()
        assert rig.read(settles=False) == "first"
        rig.settle()
        (ref, budget) = rig.source.asked[0]
        assert ref == GREETING
        assert (budget.seconds, budget.retries) == (None, 0)

    def test_a_version_that_came_meanwhile_is_served_in_place_of_a_stale_one(
        self, rig: Rig, clock: ManualClock
    ) -> None:
        rig.read()
        clock.passes(100)

        def another_reader_brings_it() -> str:
            rig.source.gives("second")
            rig.cache.clear()
            rig.read(settles=False)
            raise down()

        rig.source.gives(another_reader_brings_it)
        found = rig.cache.get(GREETING, Budget(clock.clock.now))
        assert (found.version.content, found.source, found.age) == ("second", "memory", 0)
        assert rig.counters.counts["stale"] == 0

    def test_after_its_time_it_is_gone(self, clock: ManualClock) -> None:
        rig = Rig(clock, stale_if_error=50)
        clock.chance = 0.0
        rig.source.gives("first", down())
        rig.read()
        clock.passes(149.9)
        assert rig.read() == "first"
        clock.passes(0.2)
        with pytest.raises(Exception, match="down"):
            rig.read()

    def test_a_callers_own_age_after_an_outage_brings_what_is_new(self, rig: Rig, clock: ManualClock) -> None:
        rig = Rig(clock, cache_ttl=300)
        rig.read()
        rig.source.gives(down())
        clock.passes(400)
        assert rig.read() == "first"
        rig.source.gives("second")
        clock.passes(100)
        assert rig.read(max_age=5) == "second"


class TestRefusedRenewals:
    def test_the_next_reader_past_its_end_sees_the_error(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", AuthorizationError("no", http_status=403))
        rig.read()
        clock.passes(90)
        assert rig.read() == "first"
        assert rig.entry().is_refused
        clock.passes(10)
        with pytest.raises(AuthorizationError):
            rig.read()

    def test_it_is_not_asked_for_again_at_once(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", AuthorizationError("no", http_status=403))
        rig.read()
        clock.passes(90)
        rig.read()
        assert rig.fetches == 2
        clock.passes(0.3)
        rig.read()
        assert rig.fetches == 2
        clock.passes(0.7)
        rig.read()
        assert rig.fetches == 3

    def test_it_is_no_outage(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", AuthorizationError("no", http_status=403))
        rig.read()
        clock.passes(90)
        rig.read()
        assert not rig.platform.is_known
        assert not rig.platform.is_failing(GREETING.key)

    def test_an_outage_while_renewing_refuses_nothing(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", down())
        rig.read()
        clock.passes(90)
        rig.read()
        assert not rig.entry().is_refused


class TestUnknown:
    def test_it_is_fetched_with_all_that_the_call_may_spend(self, rig: Rig) -> None:
        assert rig.read(seconds=9.0) == "first"
        (_, budget) = rig.source.asked[0]
        assert (budget.seconds, budget.retries, budget.attempt) == (9.0, None, None)

    def test_its_error_is_raised_and_nothing_is_kept(self, rig: Rig) -> None:
        rig.source.gives(down())
        with pytest.raises(Exception, match="down"):
            rig.read()
        assert not rig.cache.entries

    def test_with_a_stand_in_it_is_fetched_all_the_same(self, rig: Rig) -> None:
        assert rig.read(has_stand_in=True) == "first"

    def test_with_a_stand_in_in_a_known_outage_nobody_waits(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives(down())
        with pytest.raises(Exception, match="down"):
            rig.read(PromptRef("another"))
        rig.source.gives("first")
        assert rig.read(has_stand_in=True) is None
        assert rig.fetches == 1
        clock.passes(0.5)
        assert rig.read(has_stand_in=True) is None
        assert rig.fetches == 2
        assert rig.read(has_stand_in=True) == "first"

    def test_with_a_stand_in_for_a_prompt_that_fails_alone_nobody_waits(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives(down())
        with pytest.raises(Exception, match="down"):
            rig.read()
        rig.source.gives("other")
        rig.read(PromptRef("another"))
        assert not rig.platform.is_known
        assert rig.read(has_stand_in=True) is None

    def test_a_renewal_behind_a_stand_in_keeps_what_it_brings(self, rig: Rig, clock: ManualClock) -> None:
        rig.cache.renew(GREETING)
        rig.settle()
        assert rig.entry().version.content == "first"


def holds_all_threads(rig: Rig, may_end: threading.Event) -> None:
    """Renewals of a to d until then; that of e waits for a thread."""
    for name in "abcde":
        rig.read(PromptRef(name))
    rig.clock.passes(94)
    rig.source.gives(lambda: may_end.wait(10) and "late")
    for name in "abcde":
        rig.read(PromptRef(name), settles=False)
    eventually(lambda: rig.fetches == 5 + 4)


class TestRenewals:
    def test_one_is_at_it_however_many_read(self, rig: Rig, clock: ManualClock) -> None:
        may_end = threading.Event()
        rig.read()
        clock.passes(90)
        rig.source.gives(lambda: may_end.wait(10) and "second")
        for _ in range(5):
            assert rig.read(settles=False) == "first"
        may_end.set()
        rig.settle()
        assert rig.fetches == 2

    def test_it_does_not_take_what_it_is_to_replace_for_its_result(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", "second")
        rig.read()
        rig.cache.renew(GREETING)
        rig.settle()
        assert rig.read() == "second"
        assert rig.counters.counts["refreshes"] == 1

    def test_its_attempt_may_take_five_seconds_and_more_with_each_failure(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        clock.passes(100)
        rig.source.gives(down())
        given = []
        for _ in range(4):
            rig.read()
            given.append(rig.source.asked[-1][1].attempt)
            clock.passes(20)
        assert given == [None, 10.0, 20.0, 40.0]
        rig.source.gives("second")
        clock.passes(20)
        rig.read()
        clock.passes(90)
        rig.read()
        assert rig.source.asked[-1][1].attempt == 5.0

    def test_one_that_waited_in_the_queue_while_a_failure_came_in_is_dropped(
        self, rig: Rig, clock: ManualClock
    ) -> None:
        may_end = threading.Event()
        for name in "abcde":
            rig.read(PromptRef(name))
        clock.passes(90)
        rig.source.gives(lambda: may_end.wait(10) and _raise(down()))
        for name in "abcde":
            rig.read(PromptRef(name), settles=False)
        eventually(lambda: rig.fetches == 5 + 4)
        may_end.set()
        rig.settle()
        assert rig.fetches == 5 + 4

    def test_one_that_waits_behind_others_counts_as_under_way_until_it_is_late(
        self, rig: Rig, clock: ManualClock
    ) -> None:
        """All four threads are held up by a platform that hangs."""
        may_end = threading.Event()
        holds_all_threads(rig, may_end)
        clock.passes(4)
        for _ in range(3):
            assert rig.read(PromptRef("e"), settles=False) == "first"
        assert rig.fetches == 5 + 4
        clock.passes(3)
        rig.source.gives("second")
        assert rig.read(PromptRef("e"), settles=False) == "second"
        may_end.set()
        rig.settle()

    def test_who_comes_while_it_is_under_way_takes_no_turn_for_it(self, rig: Rig, clock: ManualClock) -> None:
        may_end = threading.Event()
        for name in "ab":
            rig.read(PromptRef(name))
        clock.passes(100)
        rig.source.gives(down())
        rig.read(PromptRef("a"))
        clock.passes(1)
        rig.source.gives(lambda: may_end.wait(10) and "second")
        rig.read(PromptRef("a"), settles=False)
        eventually(lambda: rig.fetches == 4)
        clock.passes(1)
        rig.read(PromptRef("a"), settles=False)
        rig.read(PromptRef("b"), settles=False)
        eventually(lambda: rig.fetches == 5)
        assert rig.source.asked[-1][0] == PromptRef("b")
        may_end.set()
        rig.settle()

    def test_of_those_that_wait_the_one_whose_version_ends_first_is_the_first(
        self, rig: Rig, clock: ManualClock
    ) -> None:
        one_may_end, may_end = threading.Event(), threading.Event()
        for name in ("a", "b", "c", "d", "sooner"):
            rig.read(PromptRef(name))
        clock.passes(8)
        rig.read(PromptRef("later"))
        clock.passes(86)
        rig.source.gives(lambda: one_may_end.wait(10) and "second", lambda: may_end.wait(10) and "second")
        for name in ("a", "b", "c", "d", "later", "sooner"):
            rig.read(PromptRef(name), settles=False)
        eventually(lambda: rig.fetches == 6 + 4)
        one_may_end.set()
        eventually(lambda: rig.fetches == 6 + 5)
        assert rig.source.asked[-1][0].name == "sooner"
        may_end.set()
        rig.settle()

    def test_the_time_of_one_that_waited_counts_from_its_begin(self, rig: Rig, clock: ManualClock) -> None:
        may_end, may_end_too = threading.Event(), threading.Event()
        holds_all_threads(rig, may_end)
        rig.source.gives(lambda: may_end_too.wait(10) and "second")
        clock.passes(5.5)
        may_end.set()
        eventually(lambda: rig.fetches == 5 + 5)
        clock.passes(5.5)
        joined: list[float] = []
        assert rig.cache.get(PromptRef("e"), Patience(clock, joined)).version.content == "first"
        assert joined == []
        may_end_too.set()
        rig.settle()

    def test_one_that_waits_though_a_thread_is_free_does_not_count(self, rig: Rig, clock: ManualClock) -> None:
        """The process is stopped after each read: the thread gets no time to begin."""
        rig.read()
        starts_no_thread(rig)
        clock.passes(96)
        rig.read(settles=False)
        clock.passes(5)
        rig.source.gives("second")
        assert rig.read(settles=False) == "second"

    def test_that_of_a_parent_is_none_of_its_childs(self, rig: Rig, clock: ManualClock) -> None:
        """A fork leaves it, and its thread, behind."""
        may_end = threading.Event()
        rig.read()
        clock.passes(94)
        rig.source.gives(lambda: may_end.wait(10) and "late")
        rig.read(settles=False)
        eventually(lambda: rig.fetches == 2)
        clock.passes(4)

        def reads_by_itself() -> str | None:
            rig.source.gives("the child's")
            return rig.read(settles=False)

        assert in_a_child(reads_by_itself) == "the child's"
        may_end.set()
        rig.settle()

    def test_its_failure_is_not_that_of_a_reader_who_joined_it(self, rig: Rig) -> None:
        may_end, asked = threading.Event(), []

        def first_fails() -> str:
            asked.append(1)
            may_end.wait(10)
            return _raise(down()) if len(asked) == 1 else "second"

        rig.source.gives(first_fails)
        rig.cache.renew(GREETING)
        eventually(lambda: rig.fetches == 1)
        reader = Crowd(1, lambda: rig.read(settles=False))
        reader.wait_until_waiting(1)
        may_end.set()
        assert reader.outcomes() == ["second"]

    def test_one_that_is_late_is_taken_over_by_one_reader(self, rig: Rig, clock: ManualClock) -> None:
        begun, may_end = threading.Event(), threading.Event()
        rig.read()
        clock.passes(90)
        rig.source.gives(lambda: begun.set() or (may_end.wait(10) and "second"))
        rig.read(settles=False)
        assert begun.wait(10)
        clock.passes(5.75)  # of 5 seconds for the attempt, and one for a busy machine
        rig.entry().expires_at = clock.time
        joined: list[float] = []

        def reads() -> str:
            return rig.cache.get(GREETING, Patience(clock, joined)).version.content

        assert reads() == "first"
        assert joined == []
        clock.passes(0.25)
        assert reads() == "first"
        assert joined == [0.25]
        assert reads() == "first"
        assert joined == [0.25]
        may_end.set()
        rig.settle()
        assert reads() == "second"


class TestARenewalThatABugEnds:
    """One of the user's, in a hook say; or the platform refuses a prompt that nobody knows."""

    BUG = RuntimeError("a bug")

    @pytest.fixture
    def rig(self, clock: ManualClock) -> Rig:
        rig = Rig(clock, stale_while_revalidate=30)
        rig.read()
        clock.passes(95)
        rig.source.gives(self.BUG)
        return rig

    def test_it_is_logged_and_met_once_a_pause(
        self, rig: Rig, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            assert rig.read() == "first"
        assert [record.exc_info[1] for record in caplog.records] == [self.BUG]
        assert rig.fetches == 2
        clock.passes(1)
        assert rig.read() == "first"
        assert rig.fetches == 3

    def test_the_next_reader_past_the_end_meets_it(self, rig: Rig, clock: ManualClock) -> None:
        assert rig.read() == "first"
        clock.passes(10)
        with pytest.raises(RuntimeError, match="a bug"):
            rig.read()

    @pytest.mark.parametrize("error", [BUG, NotFoundError("no", http_status=404), down()])
    def test_that_of_a_prompt_that_nobody_knows_leaves_nothing_else_behind(
        self, error: Exception, rig: Rig, caplog: pytest.LogCaptureFixture
    ) -> None:
        rig.source.gives(error)
        rig.cache.renew(PromptRef("unknown"))
        rig.settle()
        bugs = [record.exc_info[1] for record in caplog.records if record.exc_info]
        assert bugs == ([error] if error is self.BUG else [])


class TestRevalidated:
    """Expired, and within `stale_while_revalidate`."""

    @pytest.fixture
    def rig(self, clock: ManualClock) -> Rig:
        clock.chance = 0.0
        rig = Rig(clock, stale_while_revalidate=30)
        rig.read()
        return rig

    def test_it_is_served_at_once_and_renewed_behind(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("second")
        clock.passes(129)
        assert rig.read() == "first"
        assert rig.source.asked[-1][1].attempt == 5.0
        assert rig.read() == "second"

    def test_a_platform_that_hangs_holds_nobody_up(self, rig: Rig, clock: ManualClock) -> None:
        may_end = threading.Event()
        rig.source.gives(lambda: may_end.wait(10) and "second")
        clock.passes(100)
        assert [rig.read(settles=False) for _ in range(3)] == ["first"] * 3
        may_end.set()
        rig.settle()
        assert rig.fetches == 2

    def test_the_fast_path_is_open_for_a_moment_at_a_time(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives(down())
        clock.passes(100)
        rig.read()
        assert rig.entry().due_at == pytest.approx(clock.time + 0.25)

    def test_after_it_the_first_reader_tries(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("second")
        clock.passes(130)
        assert rig.read() == "second"

    def test_who_may_not_wait_is_given_it_too(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("second")
        clock.passes(129)
        assert rig.cache.peek(GREETING).version.content == "first"
        rig.settle()
        assert rig.cache.peek(GREETING).version.content == "second"
        clock.passes(131)
        assert rig.cache.peek(GREETING) is None

    def test_a_refusal_is_not_hidden_for_longer_than_one_read(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives(AuthorizationError("no", http_status=403))
        clock.passes(100)
        assert rig.read() == "first"
        with pytest.raises(AuthorizationError):
            rig.read()

    def test_it_tells_of_no_stale_read(self, rig: Rig, clock: ManualClock) -> None:
        clock.passes(100)
        rig.read()
        assert rig.counters.counts["stale"] == 0


class TestSleep:
    """Time that the wall clock counts and the monotonic one does not."""

    @pytest.fixture
    def rig(self, clock: ManualClock) -> Rig:
        clock.chance = 0.0
        rig = Rig(clock, stale_if_error=1000)
        rig.read()
        rig.source.gives("second")
        return rig

    def test_an_entry_is_as_old_as_the_sleep_was_long(self, rig: Rig, clock: ManualClock) -> None:
        clock.wall += 4500
        assert rig.read() == "second"

    def test_a_sleep_shorter_than_what_is_left_of_its_life_counts_too(self, rig: Rig, clock: ManualClock) -> None:
        clock.wall += 50
        assert rig.read() == "first"
        clock.passes(49)
        assert rig.read() == "first"
        clock.passes(1)
        assert rig.read() == "second"

    def test_every_entry_grows_older_and_leaves_the_fast_path(self, rig: Rig, clock: ManualClock) -> None:
        other = PromptRef("other")
        rig.read(other)
        rig.read(other)
        fetched_at = rig.entry(other).fetched_at
        clock.wall += 50
        rig.read()
        assert rig.entry(other).fetched_at == fetched_at - 50
        assert rig.entry(other).due_at < clock.time

    def test_the_wall_clock_is_looked_at_every_five_seconds_of_use(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        assert rig.entry().due_at == clock.time + 5

    def test_who_may_not_wait_is_not_given_what_is_too_old(self, rig: Rig, clock: ManualClock) -> None:
        clock.wall += 4500
        assert rig.cache.peek(GREETING) is None

    def test_a_wall_clock_that_is_set_costs_one_renewal(self, rig: Rig, clock: ManualClock) -> None:
        for jump in (4500, -4500, -4500):
            clock.wall += jump
            rig.read()
            clock.passes(1)
        assert rig.fetches == 2

    def test_a_wall_clock_that_was_set_back_is_the_measure_from_then_on(self, rig: Rig, clock: ManualClock) -> None:
        due_at = rig.entry().due_at = clock.time + 3
        clock.wall -= 4500
        rig.read(PromptRef("other"))
        assert rig.entry().due_at == due_at
        clock.wall += 4500
        assert rig.read() == "second"

    def test_two_seconds_are_a_sleep(self, rig: Rig, clock: ManualClock) -> None:
        fetched_at = rig.entry().fetched_at
        clock.wall += 1.99
        rig.read()
        assert rig.entry().fetched_at == fetched_at
        clock.wall += 0.01
        rig.read()
        assert rig.entry().fetched_at == fetched_at - 2.0

    def test_a_wall_clock_that_is_set_loses_no_last_known_good_version(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives(down())
        clock.wall += 1e9
        assert rig.read() == "first"
        clock.passes(999)
        assert rig.read() == "first"

    def test_a_wall_clock_that_creeps_is_let_go(self, rig: Rig, clock: ManualClock) -> None:
        clock.wall += 1.9
        rig.read()
        clock.passes(99)
        assert rig.read() == "first"
        rig.settle()

    def test_a_store_is_asked_again_after_a_sleep(self, clock: ManualClock) -> None:
        store = MemoryStore(timer=lambda: clock.time)
        rig, neighbour = (Rig(clock, store, cache_local_ttl=50) for _ in range(2))
        rig.read()
        neighbour.read()
        clock.passes(1)
        neighbour.source.gives("second")
        neighbour.cache.renew(GREETING)
        neighbour.settle()
        assert rig.read() == "first"
        clock.wall += 50
        assert rig.read() == "second"


class TestClear:
    def test_everything_is_asked_for_again(self, rig: Rig) -> None:
        rig.source.gives("first", "second")
        rig.read()
        rig.cache.clear()
        assert rig.read() == "second"

    def test_a_fetch_under_way_does_not_bring_its_own_back(self, rig: Rig) -> None:
        def cleared_meanwhile() -> str:
            rig.cache.clear()
            return "old"

        rig.source.gives(cleared_meanwhile, "new")
        assert rig.read() == "old"
        assert not rig.cache.entries
        assert rig.read() == "new"

    def test_a_404_that_was_under_way_evicts_nothing_newer(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        clock.passes(100)

        def cleared_and_read_meanwhile() -> str:
            rig.cache.clear()
            rig.source.gives("newer")
            rig.read(settles=False)
            raise NotFoundError("no", http_status=404)

        rig.source.gives(cleared_and_read_meanwhile)
        with pytest.raises(NotFoundError):
            rig.read()
        assert rig.read() == "newer"


class TestEvidence:
    """What an error of a fetch says about the platform."""

    def test_a_call_that_ran_out_of_time_is_doubt_and_no_outage(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives("first", TimeoutError("late", is_deadline=True))
        rig.read()
        clock.passes(100)
        assert rig.read() == "first"
        assert not rig.platform.is_known
        assert rig.platform.is_likely
        clock.passes(5.9)
        assert rig.platform.is_likely
        clock.passes(0.2)
        assert not rig.platform.is_likely

    def test_an_attempt_that_ran_out_of_its_time_is_an_outage(self, rig: Rig) -> None:
        rig.source.gives(TimeoutError("late"))
        with pytest.raises(TimeoutError):
            rig.read()
        assert rig.platform.is_known

    @pytest.mark.parametrize(("seconds", "is_doubt"), [(0.24, False), (0.25, True)])
    def test_a_call_in_great_haste_proves_nothing(self, seconds: float, is_doubt: bool, rig: Rig) -> None:
        rig.source.gives(TimeoutError("late", is_deadline=True))
        with pytest.raises(TimeoutError):
            rig.read(seconds=seconds)
        assert rig.platform.is_likely is is_doubt

    def test_an_answer_ends_the_doubt(self, rig: Rig) -> None:
        rig.platform.doubt()
        assert rig.read() == "first"
        assert not rig.platform.is_likely

    def test_a_time_out_of_an_attempt_within_such_a_call_proves_nothing_more(self, rig: Rig) -> None:
        error = TimeoutError("late", is_deadline=True)
        error.__cause__ = TimeoutError("an attempt was late")
        rig.source.gives(error)
        with pytest.raises(TimeoutError):
            rig.read(seconds=1.0)
        assert not rig.platform.is_known

    def test_an_attempt_that_got_no_time_to_run_proves_nothing(self, rig: Rig, clock: ManualClock) -> None:
        overrun = TokenRefreshError("no token")
        overrun.__cause__ = TimeoutError("late", is_overrun=True)
        for error in (overrun, overrun.__cause__, TimeoutError("late", is_deadline=True, is_overrun=True)):
            rig.source.gives("first", error)
            rig.cache.clear()
            rig.read()
            clock.passes(90)
            rig.read()
            clock.passes(10)
            assert rig.read() == "first"
            assert not rig.platform.is_likely
            rig.source.gives("second")
            assert rig.read() == "second"

    def test_a_call_that_ran_out_of_time_between_failures_is_an_outage(self, rig: Rig) -> None:
        error = TimeoutError("late", is_deadline=True)
        error.__cause__ = down()
        rig.source.gives(error)
        with pytest.raises(TimeoutError):
            rig.read(seconds=1.0)
        assert rig.platform.is_known

    def test_a_call_that_ran_out_of_time_after_a_404_evicts(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        clock.passes(100)
        error = TimeoutError("late", is_deadline=True)
        error.__cause__ = NotFoundError("no", http_status=404)
        rig.source.gives(error)
        rig.read()
        assert not rig.platform.is_known
        assert not rig.cache.entries

    def test_an_answer_ends_the_outage_and_the_doubt(self, rig: Rig, clock: ManualClock) -> None:
        rig.source.gives(down())
        with pytest.raises(Exception, match="down"):
            rig.read()
        rig.platform.doubt()
        rig.source.gives("first")
        rig.read()
        assert not rig.platform.is_known
        assert not rig.platform.is_likely


class TestPeek:
    def test_it_answers_from_memory_and_renews_ahead(self, rig: Rig, clock: ManualClock) -> None:
        assert rig.cache.peek(GREETING) is None
        rig.read()
        assert rig.cache.peek(GREETING).version.content == "first"
        assert rig.fetches == 1
        clock.passes(90)
        assert rig.cache.peek(GREETING).version.content == "first"
        rig.settle()
        assert rig.fetches == 2

    def test_what_expired_is_not_for_it(self, rig: Rig, clock: ManualClock) -> None:
        clock.chance = 0.0
        rig.read()
        clock.passes(99.9)
        rig.source.gives(down())
        assert rig.cache.peek(GREETING) is not None
        clock.passes(0.1)
        assert rig.cache.peek(GREETING) is None

    def test_it_says_how_old_the_version_is_and_whether_it_is_stale(self, clock: ManualClock) -> None:
        clock.chance = 0.0
        rig = Rig(clock, stale_while_revalidate=50)
        rig.read()
        rig.source.gives(down())
        for seconds, source, age in ((90, "memory", 90), (20, "stale", 110)):
            clock.passes(seconds)
            found = rig.cache.peek(GREETING)
            rig.settle()
            assert (found.source, found.age) == (source, pytest.approx(age))


class TestAFlight:
    def test_takes_what_another_one_has_brought_since_it_was_asked_for(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        clock.passes(7)
        found = loads(rig, GREETING)
        assert (found.version.content, found.source, found.age) == ("first", "memory", 7)
        assert rig.fetches == 1


class TestKeepWarm:
    @pytest.mark.parametrize(("seconds", "fetches"), [(71.5, 1), (72, 2)])
    def test_what_is_to_be_renewed_is_fetched_behind(self, clock: ManualClock, seconds: float, fetches: int) -> None:
        clock.chance = 0.0
        rig = Rig(clock, MemoryStore(), cache_ttl=80)
        rig.read()
        clock.passes(seconds)
        rig.cache.keep_warm(GREETING)
        rig.settle()
        assert rig.fetches == fetches

    def test_what_is_not_there_is_fetched(self, rig: Rig) -> None:
        rig.cache.keep_warm(GREETING)
        rig.settle()
        assert rig.fetches == 1


class TestAReaderOnItsWay:
    def test_fetches_what_has_gone_since_it_was_found_too_old(
        self, rig: Rig, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rig.read()
        clock.passes(101)
        rig.source.gives("second")
        outlook = rig.platform.outlook

        def outlook_and_clear(key: CacheKey) -> object:
            rig.cache.clear()
            return outlook(key)

        monkeypatch.setattr(rig.platform, "outlook", outlook_and_clear)
        assert rig.read() == "second"


class TestFork:
    def test_every_entry_is_due_again_and_jittered_anew(self, rig: Rig, clock: ManualClock) -> None:
        clock.chance = 0.0
        rig.read()
        rig.read()
        entry = rig.entry()
        clock.chance = 1.0
        rig.cache.after_fork()
        assert entry.due_at == entry.fetched_at
        assert entry.expires_at == pytest.approx(entry.fetched_at + 97)

    def test_a_life_does_not_shrink_from_fork_to_fork(self, rig: Rig, clock: ManualClock) -> None:
        rig.read()
        ends = rig.entry().expires_at
        for _ in range(5):
            rig.cache.after_fork()
        assert rig.entry().expires_at >= ends - 3


def _raise(error: Exception) -> str:
    raise error
