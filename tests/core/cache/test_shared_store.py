"""What a fleet shares: the newer stamp, a generation that only grows, and a store that may fail."""

from __future__ import annotations

import json

import pytest
from faults.clock import ManualClock
from faults.clocked_store import ClockedStore
from faults.inside import hold_lock, store_key_of
from faults.rig import CREDENTIALS, GREETING, Rig, down

from scope_client import Clock, Configuration, NotFoundError, PromptVersion
from scope_client._attribute_names import STORE_OPERATION
from scope_client._cache.fleet_locks import Lock
from scope_client._cache.shared_failure import Told
from scope_client._cache.shared_store import SharedStore
from scope_client._prompt.ref import PromptRef


def version(content: str) -> PromptVersion:
    return PromptVersion.from_api({"content": content}, GREETING)


def kept(shared: SharedStore) -> bool:
    return shared.keep(GREETING, version("x"), stamp=1.0, life=1.0, generation=0, ttl=1.0)


TOLD = Told(NotFoundError("gone", http_status=404), Lock("key", "0a1b2c3d"), 1.0, 0, 1.0)


class TestTheStoreIsAsked:
    def test_not_before_the_local_ttl_is_over(self, clock: ManualClock, store: ClockedStore) -> None:
        rig, other = Rig(clock, store, cache_local_ttl=5), Rig(clock, store, cache_local_ttl=5)
        rig.read()
        other.read()
        other.source.gives("newer")
        clock.passes(1)
        other.cache.renew(GREETING)
        other.settle()
        clock.passes(3.9)
        assert rig.read() == "first"
        clock.passes(0.2)
        assert rig.read() == "newer"

    def test_the_fast_path_ends_when_the_store_is_to_be_asked(self, clock: ManualClock, store: ClockedStore) -> None:
        rig = Rig(clock, store, cache_local_ttl=5)
        rig.read()
        rig.read()
        assert rig.entry().due_at == clock.time + 5

    def test_as_soon_as_an_entry_expired_since(self, clock: ManualClock, store: ClockedStore) -> None:
        clock.chance = 0.0
        rig, other = Rig(clock, store, cache_local_ttl=50), Rig(clock, store, cache_local_ttl=50)
        rig.read()
        other.read()
        clock.passes(90)
        other.source.gives("second")
        other.cache.renew(GREETING)
        other.settle()
        rig.source.gives(down())
        rig.read()
        clock.passes(10)
        assert rig.read() == "second"

    def test_and_not_again_for_what_had_expired_by_then(self, clock: ManualClock, store: ClockedStore) -> None:
        rig = Rig(clock, store, cache_local_ttl=50)
        rig.read()
        clock.passes(100)
        rig.source.gives(down())
        rig.read()
        store.calls.clear()
        clock.passes(0.4)
        rig.read()
        assert "get_many" not in [call[0] for call in store.calls]

    def test_peek_leaves_it_to_others(self, clock: ManualClock, store: ClockedStore) -> None:
        rig = Rig(clock, store, cache_local_ttl=5)
        rig.read()
        clock.passes(4.9)
        assert rig.cache.peek(GREETING) is not None
        clock.passes(0.1)
        assert rig.cache.peek(GREETING) is None


class TestWhatIsAdopted:
    def test_it_is_as_old_as_it_is_for_the_fleet(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        rig.read()
        clock.passes(60)
        neighbour.read()
        entry = neighbour.entry()
        assert entry.fetched_at == clock.time - 60
        assert entry.expires_at == rig.entry().expires_at
        assert entry.asked_at == clock.time
        assert entry.stamp == rig.entry().stamp

    def test_a_process_with_a_shorter_ttl_keeps_to_it(self, rig: Rig, clock: ManualClock, store: ClockedStore) -> None:
        rig.read()
        other = Rig(clock, store, cache_ttl=10)
        clock.passes(9)
        other.source.gives(down())
        assert other.read() == "first"
        assert other.entry().life == 10

    def test_an_older_stamp_does_not_replace_a_newer_one(
        self, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        rig.read()
        key = store_key_of(rig.shared, GREETING)
        old = store.get_many([key])[key]
        clock.passes(1)
        rig.source.gives("second")
        rig.cache.renew(GREETING)
        rig.settle()
        store.set(key, old, None)
        assert rig.read() == "second"

    def test_last_known_good_versions_serve_a_process_that_starts_in_an_outage(
        self, rig: Rig, neighbour: Rig, clock: ManualClock
    ) -> None:
        rig.read()
        clock.passes(5000)
        neighbour.source.gives(down())
        assert neighbour.read() == "first"

    def test_it_is_kept_for_its_life_and_the_time_for_stale_versions(
        self, rig: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        clock.chance = 0.0
        rig.read()
        (ttl,) = [call[3] for call in store.calls if call[0] == "set"]
        assert ttl == 100 + 86_400

    def test_it_is_kept_for_a_second_at_the_least(self, clock: ManualClock, store: ClockedStore) -> None:
        rig = Rig(clock, store, cache_ttl=0, stale_if_error=0)
        rig.read()
        assert [call[3] for call in store.calls if call[0] == "set"] == [1.0]

    def test_a_404_forgets_it_for_all(self, rig: Rig, store: ClockedStore, clock: ManualClock) -> None:
        rig.read()
        clock.passes(100)
        rig.source.gives(NotFoundError("no", http_status=404))
        with pytest.raises(NotFoundError):
            rig.read()
        assert rig.shared.find(GREETING).found is None
        clock.passes(1)
        assert not store.holds(store_key_of(rig.shared, GREETING))
        assert rig.counters.counts["evictions"] == 1


class TestFork:
    def test_the_end_of_a_life_is_the_fleets_and_stays(self, rig: Rig, clock: ManualClock) -> None:
        clock.chance = 0.0
        rig.read()
        ends = rig.entry().expires_at
        clock.chance = 1.0
        rig.cache.after_fork()
        assert rig.entry().expires_at == ends
        assert rig.entry().due_at == rig.entry().fetched_at


class TestGenerations:
    def test_a_clear_reaches_every_process(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        rig.read()
        neighbour.read()
        clock.passes(10)
        rig.cache.clear()
        rig.source.gives("new")
        neighbour.source.gives("new")
        assert neighbour.read() == "new"
        assert rig.read() == "new"
        assert rig.fetches + neighbour.fetches == 2

    def test_two_clears_at_the_same_time_are_two(self, rig: Rig) -> None:
        rig.cache.clear()
        first = rig.shared.generation
        rig.cache.clear()
        assert rig.shared.generation == first + 1

    def test_it_is_at_least_the_milliseconds_of_the_wall_clock(self, rig: Rig, clock: ManualClock) -> None:
        clock.wall = 1_234_567.8914
        rig.cache.clear()
        assert rig.shared.generation == 1_234_567_891

    def test_a_clear_by_a_clock_that_is_behind_still_counts(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        clock.passes(1000)
        rig.cache.clear()
        seen = rig.shared.generation
        neighbour.shared.find(GREETING)
        clock.wall -= 900
        neighbour.cache.clear()
        assert neighbour.shared.generation == seen + 1

    def test_a_clear_learns_first_what_the_fleet_knows(self, rig: Rig, neighbour: Rig, clock: ManualClock) -> None:
        clock.wall += 1000
        rig.cache.clear()
        seen = rig.shared.generation
        clock.wall -= 1000
        neighbour.cache.clear()
        assert neighbour.shared.generation == seen + 1

    def test_a_store_that_was_emptied_is_told(self, rig: Rig, neighbour: Rig, store: ClockedStore) -> None:
        rig.cache.clear()
        store.empty()
        rig.shared.find(GREETING)
        neighbour.shared.find(GREETING)
        assert neighbour.shared.generation == rig.shared.generation > 0

    def test_who_learns_of_one_has_nothing_to_tell(self, rig: Rig, neighbour: Rig, store: ClockedStore) -> None:
        rig.cache.clear()
        assert store.trips == ["get_many", "set"]
        neighbour.shared.find(GREETING)
        assert neighbour.shared.generation == rig.shared.generation
        neighbour.shared.find(GREETING)
        assert store.trips == ["get_many"] * 2

    @pytest.mark.parametrize(("ahead", "is_believed"), [(3_599, True), (3_600, True), (3_601, False)])
    def test_one_that_is_over_an_hour_ahead_is_nobodys(
        self, ahead: int, is_believed: bool, rig: Rig, neighbour: Rig, store: ClockedStore, clock: ManualClock
    ) -> None:
        rig.cache.clear()
        ((_, key, own, _),) = [call for call in store.calls if call[0] == "set"]
        later = int(clock.wall + ahead) * 1000
        store.set(key, str(later), None)
        neighbour.shared.find(GREETING)
        assert neighbour.shared.generation == (later if is_believed else 0)
        assert int(own) == rig.shared.generation < later

    @pytest.mark.parametrize(
        "text", ["", "soon", "-1", "1.5", "1e3", "٣", " 3", "9" * 19, "9" * 20, pytest.param("9" * 5000, id="long")]
    )
    def test_what_is_not_a_number_is_none(self, text: str, rig: Rig, neighbour: Rig, store: ClockedStore) -> None:
        rig.cache.clear()
        ((_, key, *_),) = [call for call in store.calls if call[0] == "set"]
        store.set(key, text, None)
        neighbour.shared.find(GREETING)
        assert (neighbour.shared.generation, neighbour.shared.failures) == (0, 0)

    def test_what_was_asked_for_after_the_clear_outlives_the_news_of_it(
        self, rig: Rig, neighbour: Rig, clock: ManualClock, store: ClockedStore
    ) -> None:
        store.broken.add("get_many")  # so that the neighbour has not heard of the clear when it asks
        neighbour.shared.find(GREETING)
        store.broken.clear()
        rig.cache.clear()
        clock.passes(1.5)
        neighbour.source.gives("after")
        assert neighbour.read() == "after"
        assert neighbour.entry().generation < rig.shared.generation
        clock.passes(5)
        assert neighbour.read() == "after"
        assert neighbour.shared.generation == rig.shared.generation
        assert neighbour.fetches == 1

    @pytest.mark.parametrize(
        ("after_the_clear", "is_later"), [(0.0, False), (1.0, False), (1.002, True), (60.0, True), (60.1, False)]
    )
    def test_whether_a_fetch_was_later_than_a_clear_allows_for_clocks_a_second_apart(
        self, after_the_clear: float, is_later: bool, rig: Rig, clock: ManualClock
    ) -> None:
        clock.wall = 1_000_000.0
        rig.cache.clear()
        clock.wall += 60.0
        assert rig.shared.is_later(1_000_000.0 + after_the_clear) is is_later


class TestGarbage:
    def entry(self, **changed: object) -> str:
        whole = {"schema": 1, "generation": 0, "fetched_at": 1_700_000_000.0, "life": 50.0, "version": {"content": "x"}}
        return json.dumps({**whole, **changed})

    @pytest.mark.parametrize(
        ("changed", "is_read"),
        [
            ({}, True),
            ({"life": 0}, True),
            ({"life": -0.001}, False),
            ({"fetched_at": 1_700_000_000.9}, True),
            ({"fetched_at": 1_700_000_001.1}, False),
            ({"schema": 2}, False),
            ({"generation": 1}, False),
            ({"version": {}}, False),
        ],
    )
    def test_what_cannot_be_used_is_a_miss(self, changed: dict, is_read: bool, rig: Rig, store: ClockedStore) -> None:
        store.set(store_key_of(rig.shared, GREETING), self.entry(**changed), None)
        found = rig.shared.find(GREETING).found
        assert (found is not None) is is_read
        if found is not None:
            assert found.version.content == "x"
            assert found.age >= 0

    def test_a_version_from_the_near_future_has_no_age_below_zero(self, rig: Rig, store: ClockedStore) -> None:
        store.set(store_key_of(rig.shared, GREETING), self.entry(fetched_at=1_700_000_000.9), None)
        assert rig.shared.find(GREETING).found.age == 0.0


class TestAStoreThatFails:
    def test_it_is_a_miss_and_left_alone_for_five_seconds(
        self, rig: Rig, store: ClockedStore, clock: ManualClock
    ) -> None:
        store.broken.add("get_many")
        assert rig.read() == "first"
        store.calls.clear()
        clock.passes(4.9)
        rig.read(PromptRef("other"))
        assert store.calls == []
        store.broken.clear()
        clock.passes(0.2)
        rig.read(PromptRef("third"))
        assert store.calls != []

    @pytest.mark.parametrize(
        ("method", "operation", "ask"),
        [
            ("get_many", "find", lambda shared: shared.find(GREETING)),
            ("get_many", "find", lambda shared: shared.find_fitting(GREETING)),
            ("get_many", "find", lambda shared: shared.clear()),
            ("set", "set", lambda shared: shared.clear()),
            ("set", "set", lambda shared: shared.clear_prompt("greeting", [])),
            ("set", "set", lambda shared: shared.keep_fitting(GREETING, [(version("x"), 1.0)])),
            ("set", "set", lambda shared: kept(shared)),
            ("set", "set", lambda shared: shared.tell(GREETING, TOLD, is_evicted=True)),
            ("get_many", "set", lambda shared: shared.tell(GREETING, TOLD, is_evicted=False)),
            ("delete", "delete", lambda shared: shared.forget(GREETING)),
            ("get_many", "delete", lambda shared: shared.unlock(TOLD.lock)),
        ],
    )
    def test_the_log_names_what_failed_and_nothing_is_raised(
        self, method: str, operation: str, ask: object, rig: Rig, store: ClockedStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.broken.add(method)
        ask(rig.shared)
        assert [vars(record)[STORE_OPERATION] for record in caplog.records] == [operation]
        assert rig.shared.failures == 1

    def test_it_says_whether_a_version_was_kept(self, rig: Rig, store: ClockedStore) -> None:
        assert kept(rig.shared) is True
        store.broken.add("set")
        assert kept(rig.shared) is False

    def test_it_is_asked_again_every_five_seconds_however_long_it_fails(
        self, rig: Rig, store: ClockedStore, clock: ManualClock
    ) -> None:
        store.broken.add("get_many")
        rig.shared.find(GREETING)
        for failures in (2, 3, 4):
            clock.passes(4.9)
            rig.shared.find(GREETING)
            assert rig.shared.failures == failures - 1
            clock.passes(0.1)
            rig.shared.find(GREETING)
            assert rig.shared.failures == failures

    def test_one_operation_that_works_says_nothing_about_another(
        self, rig: Rig, store: ClockedStore, caplog: pytest.LogCaptureFixture, clock: ManualClock
    ) -> None:
        caplog.set_level("INFO", "scope_client.store")
        store.broken.add("set")
        for name in "abcd":
            rig.read(PromptRef(name))
            clock.passes(5)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        store.broken.clear()
        for name in "efgh":
            rig.read(PromptRef(name))
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    def test_an_interrupt_while_a_failure_is_written_down_does_not_leave_it_alone_for_good(
        self, store: ClockedStore, clock: ManualClock
    ) -> None:
        class Interrupted(Exception):
            """What a task queue's time limit raises."""

        interrupts = iter([Interrupted()])

        def interrupts_once() -> float:
            for interrupt in interrupts:
                raise interrupt
            return 1.0

        hasty = ManualClock()
        hasty.clock = Clock(now=lambda: clock.time, wall=lambda: clock.wall, chance=interrupts_once)
        rig = Rig(hasty, store)
        store.broken.add("get_many")
        with pytest.raises(Interrupted):
            rig.shared.find(GREETING)
        store.broken.clear()
        for _ in range(3):
            rig.shared.find(GREETING)
        store.calls.clear()
        for _ in range(5):
            rig.shared.find(GREETING)
        assert len(store.calls) == 5

    def test_that_it_works_again_is_said_once(
        self, rig: Rig, store: ClockedStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "scope_client.store")
        store.broken.add("get_many")
        rig.shared.find(GREETING)
        store.broken.clear()
        clock.passes(5)
        for _ in range(3):
            rig.shared.find(GREETING)
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    @pytest.mark.parametrize(("takes", "is_left_alone"), [([0.6], False), ([0.6, 0.6], True), ([0.6, 0.1, 0.6], False)])
    def test_two_slow_answers_in_a_row_are_a_failure_and_one_is_not(
        self, takes: list[float], is_left_alone: bool, rig: Rig, store: ClockedStore
    ) -> None:
        for seconds in takes:
            store.takes = seconds
            rig.shared.find(GREETING)
        assert (rig.shared.failures > 0) is is_left_alone

    @pytest.mark.parametrize(("seconds", "is_left_alone"), [(2.0, False), (2.1, True)])
    def test_one_answer_of_over_two_seconds_is_a_failure(
        self, seconds: float, is_left_alone: bool, rig: Rig, store: ClockedStore
    ) -> None:
        store.takes = seconds
        rig.shared.find(GREETING)
        assert (rig.shared.failures > 0) is is_left_alone

    @pytest.mark.parametrize("has_one", [False, True])
    def test_one_that_refuses_to_add_what_it_has_not_is_a_failure(
        self, has_one: bool, rig: Rig, store: ClockedStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Down, full or read-only, behind a client that swallows errors."""
        if has_one:
            rig.read()
        store.refuses_locks = True
        began = clock.time
        for number in range(4):
            assert rig.read(max_age=0) == "first"
            assert rig.read(PromptRef(f"another-{number}")) == "first"
        assert clock.time - began < 0.2
        assert len(caplog.records) == 1
        assert "refuses to add a key that is not there" in caplog.text
        clock.passes(6)
        began = clock.time
        rig.read(PromptRef("later"))
        assert clock.time == began
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        store.refuses_locks = False
        clock.passes(6)
        with caplog.at_level("INFO", "scope_client.store"):
            rig.read(PromptRef("much-later"))
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    def test_one_that_refuses_once_in_a_while_is_none(
        self, rig: Rig, store: ClockedStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A database that is busy, say."""
        for number in range(10):
            store.refuses_locks = True
            clock.on_sleep = lambda seconds: setattr(store, "refuses_locks", False)
            rig.read(PromptRef(f"prompt-{number}"))
            clock.passes(1)
        assert caplog.text == ""
        assert rig.shared.failures == 0

    def test_what_lies_there_and_cannot_be_seen_is_waited_for_a_quarter_of_a_second(
        self, rig: Rig, store: ClockedStore, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        key, get_many = store_key_of(rig.shared, GREETING), store.get_many
        store.behind.set(key, "what a client cannot decode", None)
        store.get_many = lambda keys: {} if store.seen.get(key) is None else get_many(keys)
        store.seen.clear()
        store.add = lambda *arguments: store.behind.add(*arguments)
        began = clock.time
        assert rig.read() == "first"
        assert 0.2 < clock.time - began < 0.4
        assert json.loads(store.seen[key])["version"]["content"] == "first"
        assert caplog.text == ""

    def test_a_lock_that_never_ends_counts_as_a_failure_after_fifteen_seconds(
        self, rig: Rig, clock: ManualClock
    ) -> None:
        assert not self.is_granted(rig, hold_for=1000)
        clock.passes(14.9)
        assert not self.is_granted(rig)
        clock.passes(0.1)
        assert self.is_granted(rig)
        assert rig.shared.failures == 1

    def test_a_lock_that_another_process_gave_back_begins_that_anew(self, rig: Rig, clock: ManualClock) -> None:
        self.is_granted(rig, hold_for=1000)
        clock.passes(10)
        rig.shared.relieve(GREETING)
        self.is_granted(rig)
        clock.passes(10)
        assert not self.is_granted(rig)

    def test_a_lock_that_was_had_begins_that_anew(self, rig: Rig, clock: ManualClock) -> None:
        self.is_granted(rig, hold_for=9)
        clock.passes(10)
        assert self.is_granted(rig)
        rig.shared.forget(GREETING)
        self.is_granted(rig, hold_for=1000)
        clock.passes(10)
        assert not self.is_granted(rig)

    def is_granted(self, rig: Rig, *, hold_for: float = 0.0) -> bool:
        if hold_for:
            hold_lock(rig.shared, GREETING, hold_for)
        look = rig.shared.find(GREETING)
        return rig.shared.take(rig.shared.lock_for(GREETING, look), GREETING, look) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"base_url": "https://other.example"},
        {"api_version": "v2"},
        {"environment": "staging"},
        {"credentials": type(CREDENTIALS)("another", "key", "secret")},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_two_tenants_or_environments_on_one_server_never_meet(
    changed: dict, clock: ManualClock, store: ClockedStore
) -> None:
    ours, theirs = ({"credentials": CREDENTIALS, **more} for more in ({}, changed))
    keys = {store_key_of(SharedStore(store, Configuration(**each), clock.clock), GREETING) for each in (ours, theirs)}
    assert len(keys) == 2
    one, other = (SharedStore(store, Configuration(**each), clock.clock) for each in (ours, theirs))
    one.clear_prompt("greeting", [])
    assert [shared.find(GREETING).cleared_at > 0 for shared in (one, other)] == [True, False]


def test_any_text_has_a_key(rig: Rig) -> None:
    assert rig.shared.find(PromptRef("\udc80")) is not None
    assert rig.shared.failures == 0


def test_refs_that_look_alike_have_keys_of_their_own(rig: Rig) -> None:
    refs = [
        PromptRef("a"),
        PromptRef("a", "latest"),
        PromptRef("a", None, "latest"),
        PromptRef("a", None, "production"),
        PromptRef("a1:b", None, "c"),
        PromptRef("a", None, "1:b1:c"),
        PromptRef("a-:b", None, "c"),
        PromptRef("a", None, "b-:c"),
    ]
    assert len({store_key_of(rig.shared, ref) for ref in refs}) == len(refs)
