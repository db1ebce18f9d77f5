"""`when_unfit="last_fitting"`: a version that needs more than the code gives is held back, and no read fails for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.child import in_a_child
from faults.crowd import crowd
from faults.inside import starts_no_thread
from faults.reading import wait_until_idle
from faults.replies import prompt
from faults.rig import GREETING, Rig
from faults.watched_store import WatchedStore

from scope_client import (
    CacheInfo,
    MemoryStore,
    MissingVariableError,
    PromptVersion,
    RedisStore,
    ScopeClient,
    Telemetry,
    ValidationError,
)
from scope_client._attribute_names import ID_OF_VERSION, PROMPT_NAME, SERVED_VERSION_ID, VARIABLES
from scope_client._cache.fitting import Fitting, lacking
from scope_client._prompt.ref import PromptRef
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.clock import ManualClock
    from faults.redisserver import RedisServer
    from faults.server import FaultServer

OLD, NEW = "Hi {{name}}", "Hi {{name}}, {{tone}}"
GIVEN = {"name": "Ada"}


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": OLD}) as started:
        yield started


@pytest.fixture
def make(platform: LocalPlatform) -> Iterator[Callable[..., ScopeClient]]:
    made = []

    def make(**options: Any) -> ScopeClient:
        made.append(platform.client(**{"max_retries": 0, "when_unfit": "last_fitting", **options}))
        return made[-1]

    yield make
    for client in made:
        client.close()


def promoted(client: ScopeClient, platform: LocalPlatform, content: str = NEW) -> None:
    """The client has read the former version, and will find the new one with its next read."""
    client.get_prompt_version("greeting")
    platform.publish("greeting", content)
    client.clear_cache()


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    of_the_cache = [record for record in caplog.records if record.name == "scope_client.cache"]
    return [record.getMessage() for record in of_the_cache if "does not give" in record.getMessage()]


def test_a_prompt_may_be_promoted_before_the_code_that_fills_it_in(make: Callable, platform: LocalPlatform) -> None:
    client = make()
    promoted(client, platform)
    assert client.render_prompt("greeting", GIVEN) == "Hi Ada"
    assert client.render_prompt("greeting", {**GIVEN, "tone": "warmly"}) == "Hi Ada, warmly"
    assert client.render_prompt("greeting", GIVEN) == "Hi Ada"


def test_without_the_option_it_is_the_error_of_a_missing_variable(make: Callable, platform: LocalPlatform) -> None:
    client = make(when_unfit="error")
    promoted(client, platform)
    with pytest.raises(MissingVariableError, match=r"^prompt 'greeting': no value was given for 'tone'") as caught:
        client.render_prompt("greeting", GIVEN)
    assert caught.value.missing_variables == ("tone",)


@pytest.mark.parametrize("requires", [{"name"}, ["name"], ("name",), frozenset({"name", "x"}), {"name": "Ada"}.keys()])
def test_requires_names_what_the_caller_can_give(make: Callable, platform: LocalPlatform, requires: Any) -> None:
    client = make()
    promoted(client, platform)
    assert client.get_prompt_version("greeting", requires=requires).content == OLD
    assert client.get_prompt_version("greeting", requires={"name", "tone"}).content == NEW
    assert client.get_prompt_version("greeting").content == NEW


def test_what_nothing_fits_is_an_error_that_says_what_the_code_must_give(
    make: Callable, platform: LocalPlatform
) -> None:
    client = make()
    promoted(client, platform)
    for read in (
        lambda: client.get_prompt_version("greeting", requires=set()),
        lambda: client.render_prompt("greeting", {}),
    ):
        with pytest.raises(MissingVariableError, match=r"^prompt 'greeting': the code does not give 'name', 'tone'"):
            read()
    with pytest.raises(MissingVariableError, match="version 2 needs") as caught:
        make(when_unfit="error").get_prompt_version("greeting", requires={"name"})
    assert caught.value.missing_variables == ("tone",)


@pytest.mark.parametrize("requires", ["name", b"name", 5, [1], {None}])
def test_requires_that_is_no_collection_of_names_is_an_error(make: Callable, requires: Any) -> None:
    with pytest.raises(ValidationError, match="requires must"):
        make().get_prompt_version("greeting", requires=requires)


def test_the_newest_of_those_that_fit_is_served(make: Callable, platform: LocalPlatform) -> None:
    client = make()
    for content in ("1 {{name}}", "2 {{name}}", "3 {{name}} {{tone}}", "4 {{name}} {{tone}} {{place}}"):
        promoted(client, platform, content)
    client.get_prompt_version("greeting")
    assert client.render_prompt("greeting", GIVEN) == "2 Ada"
    assert client.render_prompt("greeting", {**GIVEN, "tone": "t"}) == "3 Ada t"


def test_a_version_that_comes_back_is_the_newest_again(make: Callable, platform: LocalPlatform) -> None:
    client = make()
    for content in ("1 {{name}}", "2 {{tone}}", "1 {{name}}", "3 {{place}}"):
        promoted(client, platform, content)
    client.get_prompt_version("greeting")
    assert client.render_prompt("greeting", {"name": "n"}) == "1 n"


def test_the_newest_is_the_one_that_was_promoted_last(make: Callable, platform: LocalPlatform) -> None:
    client = make()
    for content in ("1 {{a}}", "2 {{a}} {{b}}", "3 {{a}}", "4 {{c}}"):
        promoted(client, platform, content)
    assert client.get_prompt_version("greeting", requires={"a", "b"}).content == "3 {{a}}"


def test_a_version_by_its_id_is_not_replaced_by_what_it_was_before(
    make_client: Callable[..., ScopeClient], server: FaultServer, clock: ManualClock
) -> None:
    client = make_client(cache_ttl=100, when_unfit="last_fitting")
    server.answers(prompt(OLD), prompt(NEW))
    assert client.get_prompt_version("greeting", version="v_1", requires={"name"}).content == OLD
    clock.passes(101)
    with pytest.raises(MissingVariableError):
        client.get_prompt_version("greeting", version="v_1", requires={"name"})


def test_one_warning_names_the_prompt_and_what_the_code_must_give(
    make: Callable, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    client = make()
    promoted(client, platform)
    with caplog.at_level(logging.WARNING, "scope_client"):
        for _ in range(5):
            client.render_prompt("greeting", GIVEN)
        (said,) = warnings_in(caplog)
        assert said.startswith("the prompt 'greeting': version 2 (v_")
        assert "needs 'tone', which the code does not give; version 1 (v_" in said
        facts = vars(next(record for record in caplog.records if record.getMessage() == said))
        assert (facts[PROMPT_NAME], facts[VARIABLES]) == ("greeting", ["tone"])
        assert f"version 2 ({facts[ID_OF_VERSION]})" in said
        assert f"version 1 ({facts[SERVED_VERSION_ID]})" in said
        platform.publish("greeting", "{{name}} {{tone}} {{place}}")
        client.clear_cache()
        client.render_prompt("greeting", GIVEN)
    assert len(warnings_in(caplog)) == 2


def nameless(content: str) -> PromptVersion:
    """A version of which the platform has told neither its number nor its ID."""
    return PromptVersion.from_api({"content": content}, GREETING)


def test_what_a_version_does_not_say_is_a_question_mark(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    fitting = Rig(clock, when_unfit="last_fitting").fitting
    fitting.remember(GREETING, nameless(OLD))
    fitting.chosen(GREETING, nameless(NEW), {"name"})
    (said,) = warnings_in(caplog)
    assert "version ? (?) needs 'tone'" in said
    assert "version ? (?) is served" in said


def test_an_error_names_what_is_missing_and_all_that_is_needed() -> None:
    error = lacking(nameless("{{b}} {{a}} {{c}}"), iter(["a"]))
    said = "the code does not give 'b', 'c', which version ? needs; the prompt needs 'b', 'a', 'c'"
    assert str(error) == f"prompt 'greeting': {said}"
    assert error.missing_variables == ("b", "c")


def test_of_what_lies_in_the_store_and_here_the_newest_few_are_kept(clock: ManualClock) -> None:
    store = WatchedStore(MemoryStore())
    for prefix in "vw":
        rig = Rig(clock, store, when_unfit="last_fitting")
        for number in range(5):
            rig.fitting.remember(GREETING, nameless(f"{{{{{prefix}{number}}}}}"))
            clock.passes(1)
        store.broken = {"set", "get_many"}
    store.broken = set()
    clock.passes(10)
    present = nameless("{{x}}")
    assert rig.fitting.chosen(GREETING, present, {"v4", "w0"}).content == "{{w0}}"
    with pytest.raises(MissingVariableError):
        rig.fitting.chosen(GREETING, present, {"v4"})


def test_it_is_told_to_on_cache_and_shown_by_the_status(make: Callable, platform: LocalPlatform) -> None:
    client = make()
    former = client.get_prompt_version("greeting")
    promoted(client, platform)
    newer = client.get_prompt_version("greeting")
    assert client.status().prompts[0].missing_variables == ()
    told: list[CacheInfo] = []
    unregister = Telemetry.on_cache(told.append)
    client.render_prompt("greeting", GIVEN)
    unregister()
    assert told == [CacheInfo("greeting", "unfit", None, former.id, newer.id)]
    status = client.status()
    assert status.prompts[0].missing_variables == ("tone",)
    assert status.to_dict()["prompts"][0]["missing_variables"] == ["tone"]
    assert status.counters["unfit"] == 1
    platform.publish("greeting", "Good {{name}}")
    client.clear_cache()
    client.render_prompt("greeting", GIVEN)
    assert client.status().prompts[0].missing_variables == ()
    platform.publish("greeting", "{{name}}, {{tone}} and {{place}}")
    client.clear_cache()
    client.get_prompt_version("greeting")
    assert client.status().prompts[0].missing_variables == ()  # nobody has asked for it in vain yet


def test_the_status_shows_what_each_prompt_misses(clock: ManualClock) -> None:
    rig = Rig(clock, when_unfit="last_fitting", cache_max_size=2)
    refs = [PromptRef(name) for name in "abc"]

    def held_back(*asked: PromptRef) -> list[tuple[str, ...]]:
        for ref in asked:
            for content in ("{{name}}", "{{name}} {{tone}}"):
                rig.source.gives(content)
                rig.cache.clear()
                rig.read(ref)
            assert rig.fitting.chosen(ref, rig.entry(ref).version, {"name"}).content == "{{name}}"
        version = rig.entry(asked[-1]).version
        return [rig.fitting.held_back(ref.key, version) for ref in refs]

    assert held_back(*refs[:2]) == [("tone",), ("tone",), ()]
    assert held_back(refs[1]) == [("tone",), ("tone",), ()]
    assert held_back(refs[2]) == [(), (), ("tone",)]


def test_what_is_asked_for_by_id_or_past_the_cache_is_never_replaced(make: Callable, platform: LocalPlatform) -> None:
    client = make()
    promoted(client, platform)
    newer = client.get_prompt_version("greeting").id
    for options in ({"version": newer}, {"cache": False}):
        with pytest.raises(MissingVariableError):
            client.render_prompt("greeting", GIVEN, **options)
    assert client.render_prompt("greeting", GIVEN) == "Hi Ada"


def test_the_label_latest_has_its_own_last_version(make: Callable, platform: LocalPlatform) -> None:
    client = make()
    assert client.render_prompt("greeting", GIVEN, label="latest") == "Hi Ada"
    platform.draft("greeting", NEW)
    client.clear_cache()
    assert client.render_prompt("greeting", GIVEN, label="latest") == "Hi Ada"
    assert client.render_prompt("greeting", GIVEN) == "Hi Ada"


def test_a_fallback_is_not_held_back(make: Callable, platform: LocalPlatform) -> None:
    platform.fail(503)
    with pytest.raises(MissingVariableError, match="'tone'"):
        make().render_prompt("greeting", GIVEN, fallback="{{name}} {{tone}}")
    assert make().get_prompt_version("greeting", requires=set(), fallback="{{tone}}").is_fallback


def test_it_survives_a_fork(make: Callable, platform: LocalPlatform) -> None:
    client = make()
    promoted(client, platform)
    client.get_prompt_version("greeting")
    assert in_a_child(lambda: client.render_prompt("greeting", GIVEN)) == "Hi Ada"


def test_with_a_shared_store_it_survives_a_restart(
    make: Callable, platform: LocalPlatform, redis_server: RedisServer
) -> None:
    def store() -> RedisStore:
        return RedisStore(redis_server.url)

    before = make(cache_store=store())
    promoted(before, platform)
    assert before.render_prompt("greeting", GIVEN) == "Hi Ada"
    wait_until_idle(before)
    after = make(cache_store=store())
    assert after.get_prompt_version("greeting").content == NEW
    assert after.render_prompt("greeting", GIVEN) == "Hi Ada"
    assert after.get_prompt_version("greeting", requires={"name"}).content == OLD


def test_after_a_restart_it_is_the_last_of_the_versions_with_the_same_variables(
    make: Callable, platform: LocalPlatform
) -> None:
    store = MemoryStore()
    before = make(cache_store=store)
    for content in ("1 {{name}}", "2 {{name}}", NEW):
        promoted(before, platform, content)
        wait_until_idle(before)
    before.get_prompt_version("greeting")
    wait_until_idle(before)
    assert make(cache_store=store).render_prompt("greeting", GIVEN) == "2 Ada"


def test_a_version_with_the_same_variables_takes_the_place_of_its_forerunner_in_the_store(
    make: Callable, platform: LocalPlatform
) -> None:
    store = MemoryStore()
    before = make(cache_store=store)
    for content in ("1 {{name}}", "2 {{name}}"):
        promoted(before, platform, content)
    before.get_prompt_version("greeting")
    platform.publish("greeting", NEW)
    after = make(cache_store=store)
    after.clear_cache()
    assert after.render_prompt("greeting", GIVEN) == "2 Ada"


def test_what_this_process_has_read_is_newer_than_what_lies_in_the_store(clock: ManualClock) -> None:
    store = MemoryStore()
    one, two = (Rig(clock, store, when_unfit="last_fitting") for _ in range(2))
    for content in ("1 {{a}}", "2 {{a}} {{b}}"):
        one.source.gives(content)
        one.cache.clear()
        one.read()
    two.source.gives("3 {{a}}")
    two.cache.clear()
    two.read()
    three = Rig(clock, store, when_unfit="last_fitting")
    three.source.gives("4 {{c}}")
    three.cache.clear()
    three.read()
    assert three.fitting.chosen(GREETING, three.entry().version, {"a", "b"}).content == "3 {{a}}"


def test_processes_that_know_different_versions_give_each_other_theirs(rig: Any, clock: ManualClock) -> None:
    store = MemoryStore()
    one, two = (Rig(clock, store, when_unfit="last_fitting") for _ in range(2))
    one.source.gives("1 {{a}}")
    one.read()
    two.source.gives("2 {{b}}")
    two.cache.clear()
    two.read()
    third = Rig(clock, store, when_unfit="last_fitting")
    third.source.gives("3 {{c}}")
    third.cache.clear()
    third.read()
    present = third.entry().version
    for given, content in (({"a"}, "1 {{a}}"), ({"b"}, "2 {{b}}"), ({"a", "b"}, "2 {{b}}")):
        assert third.fitting.chosen(GREETING, present, given).content == content


def test_a_vain_look_into_the_store_is_not_made_with_every_read(clock: ManualClock) -> None:
    store = WatchedStore(MemoryStore())
    rig = Rig(clock, store, when_unfit="last_fitting")
    rig.source.gives("{{a}}")
    rig.read()
    present, asked = rig.entry().version, len(store.calls)
    for _ in range(5):
        with pytest.raises(MissingVariableError):
            rig.fitting.chosen(GREETING, present, ())
    assert len(store.calls) == asked + 1
    clock.passes(4)
    with pytest.raises(MissingVariableError):
        rig.fitting.chosen(GREETING, present, ())
    assert len(store.calls) == asked + 1
    clock.passes(1)
    with pytest.raises(MissingVariableError):
        rig.fitting.chosen(GREETING, present, ())
    assert len(store.calls) == asked + 2


def writes(store: WatchedStore) -> int:
    """How often the last versions of a prompt were written."""
    return sum(call[0] == "set" and call[1].endswith(":fitting") for call in store.calls)


def test_what_the_store_has_is_written_again_a_day_later(clock: ManualClock) -> None:
    store = WatchedStore(MemoryStore())
    rig = Rig(clock, store, when_unfit="last_fitting")
    rig.read()
    assert writes(store) == 1
    for seconds, written in ((86_399, 1), (1, 2), (101, 2)):
        clock.passes(seconds)
        rig.fitting.remember(GREETING, rig.entry().version)
        rig.settle()
        assert writes(store) == written


def test_no_read_waits_while_it_is_written_again(clock: ManualClock) -> None:
    store = WatchedStore(MemoryStore())
    rig = Rig(clock, store, when_unfit="last_fitting")
    others = PromptRef("other")
    for ref in (GREETING, others):
        rig.read(ref)
    clock.passes(86_400)
    starts_no_thread(rig)
    for ref in (GREETING, others):
        rig.fitting.remember(ref, rig.entry(ref).version)
    assert writes(store) == 2
    assert len(rig.background.by_key) == 2


def test_the_store_is_not_asked_for_what_a_lock_names(clock: ManualClock) -> None:
    class Locked:
        def has(self, ref: PromptRef) -> bool:
            return ref == GREETING

    rig = Rig(clock, MemoryStore())
    rooms = {"shared": rig.shared, "background": rig.background, "counters": rig.counters, "max_prompts": 10}
    fitting = Fitting(clock.clock, lock=Locked(), **rooms)
    assert not fitting.asks_the_store(GREETING)
    assert fitting.asks_the_store(PromptRef("other"))


def test_what_a_neighbour_has_read_since_is_found_in_the_store(clock: ManualClock) -> None:
    store = MemoryStore()
    one, two = (Rig(clock, store, when_unfit="last_fitting") for _ in range(2))
    two.source.gives("3 {{c}}")
    two.read()
    one.source.gives("2 {{b}}")
    one.cache.clear()
    one.read()
    assert two.fitting.chosen(GREETING, two.entry().version, {"b"}).content == "2 {{b}}"


@pytest.mark.parametrize("text", ["", "x", "[]", '{"schema": 1}', '{"schema": 1, "versions": [1, {}, null]}'])
def test_garbage_in_the_store_is_nothing(clock: ManualClock, text: str) -> None:
    store = WatchedStore(MemoryStore())
    rig = Rig(clock, store, when_unfit="last_fitting")
    rig.read()
    (key,) = [call[1] for call in store.calls if call[0] == "set" and call[1].endswith(":fitting")]
    store.behind.set(key, text, 100)
    other = Rig(clock, store, when_unfit="last_fitting")
    other.source.gives("{{a}}")
    other.cache.clear()
    other.read()
    with pytest.raises(MissingVariableError):
        other.fitting.chosen(GREETING, other.entry().version, ())


def test_a_store_that_fails_costs_no_read(clock: ManualClock) -> None:
    store = WatchedStore(MemoryStore())
    store.broken = {"get_many", "set", "add", "delete"}
    rig = Rig(clock, store, when_unfit="last_fitting")
    rig.source.gives("1 {{a}}", "2 {{b}}")
    rig.read()
    clock.passes(101)
    rig.read()
    assert rig.fitting.chosen(GREETING, rig.entry().version, {"a"}).content == "1 {{a}}"


def test_only_a_few_sets_of_variables_and_prompts_are_kept(clock: ManualClock) -> None:
    rig = Rig(clock, None, when_unfit="last_fitting", cache_max_size=10)
    for number in range(20):
        rig.source.gives(f"{{{{v{number}}}}}")
        rig.read()
        clock.passes(101)
    present = rig.entry().version
    assert rig.fitting.chosen(GREETING, present, {"v15"}).variables == ("v15",)
    with pytest.raises(MissingVariableError):
        rig.fitting.chosen(GREETING, present, {"v14"})
    for number in range(9):
        rig.read(PromptRef(f"other{number}"))
    assert rig.fitting.chosen(GREETING, present, {"v15"}).variables == ("v15",)
    rig.source.gives("{{v15}}")
    clock.passes(101)
    rig.read()  # now it was used last, and another one goes
    rig.read(PromptRef("one more"))
    assert rig.fitting.chosen(GREETING, present, {"v15"}).variables == ("v15",)
    for number in range(10):
        rig.read(PromptRef(f"further{number}"))
    with pytest.raises(MissingVariableError):
        rig.fitting.chosen(GREETING, present, {"v15"})


def test_the_one_that_was_promoted_longest_ago_goes(clock: ManualClock) -> None:
    rig = Rig(clock, None, when_unfit="last_fitting")
    for number in (0, 1, 2, 3, 4, 0, 5):
        rig.source.gives(f"{{{{v{number}}}}}")
        rig.read()
        clock.passes(101)
    present = rig.entry().version
    assert rig.fitting.chosen(GREETING, present, {"v0"}).variables == ("v0",)
    with pytest.raises(MissingVariableError):
        rig.fitting.chosen(GREETING, present, {"v1"})


def test_each_version_that_is_held_back_is_warned_of(
    make: Callable, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    client = make()
    with caplog.at_level(logging.WARNING, "scope_client"):
        for content in (NEW, f"{NEW}!"):
            promoted(client, platform, content)
            assert client.render_prompt("greeting", GIVEN) == "Hi Ada"
    assert [said.split(" ")[4] for said in warnings_in(caplog)] == ["2", "3"]


def test_many_threads_are_served_the_same(make: Callable, platform: LocalPlatform) -> None:
    client = make()
    promoted(client, platform)
    assert set(crowd(16, lambda: client.render_prompt("greeting", GIVEN))) == {"Hi Ada"}


def test_nothing_is_kept_or_written_unless_it_is_asked_for(make: Callable) -> None:
    store = WatchedStore(MemoryStore())
    client = make(when_unfit="error", cache_store=store)
    client.render_prompt("greeting", GIVEN)
    assert not any("fitting" in str(call) for call in store.calls)


def test_two_places_that_give_different_variables_are_warned_of_once_each(
    make: Callable, platform: LocalPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    client = make()
    promoted(client, platform, "{{name}} {{tone}} {{style}}")
    with caplog.at_level(logging.WARNING, "scope_client"):
        for _ in range(5):
            client.get_prompt_version("greeting", requires={"name"})
            client.get_prompt_version("greeting", requires={"name", "tone"})
            client.get_prompt_version("greeting", requires={"name", "style"})
    assert len(warnings_in(caplog)) == 1
    assert client.status().prompts[0].missing_variables == ("tone", "style")


def test_a_process_that_was_idle_does_not_put_its_older_version_over_a_newer_one(clock: ManualClock) -> None:
    store = MemoryStore()
    idle, busy = (Rig(clock, store, when_unfit="last_fitting") for _ in range(2))
    idle.source.gives("1 {{a}}")
    idle.read()
    for content in ("2 {{a}}", "3 {{a}} {{b}}"):
        clock.passes(200)
        busy.source.gives(content)
        busy.read()
    clock.passes(10)
    idle.read()
    assert idle.fitting.chosen(GREETING, idle.entry().version, {"a"}).content == "2 {{a}}"
    later = Rig(clock, store, when_unfit="last_fitting")
    later.read()
    assert later.fitting.chosen(GREETING, later.entry().version, {"a"}).content == "2 {{a}}"


def test_it_is_written_by_the_first_read_itself(clock: ManualClock) -> None:
    store = WatchedStore(MemoryStore())
    rig = Rig(clock, store, when_unfit="last_fitting")
    starts_no_thread(rig)
    rig.read(settles=False)
    assert any(key.endswith(":fitting") for key in store.seen)


def test_it_is_in_the_store_before_the_first_read_returns(make: Callable, redis_server: RedisServer) -> None:
    before = make(cache_store=RedisStore(redis_server.url))
    before.get_prompt_version("greeting")
    other = RedisStore(redis_server.url)
    key = f"{before._rooms.shared._key(PromptRef.of('greeting'))}:fitting"
    assert OLD in other.get_many([key])[key]


def test_what_the_store_could_not_take_is_written_with_a_later_read(clock: ManualClock) -> None:
    store = WatchedStore(MemoryStore())
    store.broken = {"set"}
    rig = Rig(clock, store, when_unfit="last_fitting")
    rig.source.gives("1 {{a}}")
    rig.read()
    store.broken = set()
    clock.passes(101)
    rig.read()
    other = Rig(clock, store, when_unfit="last_fitting")
    other.source.gives("2 {{b}}")
    other.cache.clear()
    other.read()
    assert other.fitting.chosen(GREETING, other.entry().version, {"a"}).content == "1 {{a}}"


def test_what_is_written_stays_below_what_a_store_takes(clock: ManualClock) -> None:
    store = WatchedStore(MemoryStore())
    rig = Rig(clock, store, when_unfit="last_fitting")
    for number in range(4):
        rig.source.gives(f"{number} {{{{v{number}}}}} {'x' * 200_000}")
        rig.read()
        clock.passes(101)
    (text,) = [text for key, text in store.seen.items() if key.endswith(":fitting")]
    assert len(text) < 1_000_000
    assert [f"{{{{v{number}}}}}" in text for number in range(4)] == [False, False, True, True]


@pytest.mark.parametrize("options", [{"cache": False}, {}])
def test_what_is_not_cached_is_asked_for_once(make: Callable, platform: LocalPlatform, options: Any) -> None:
    client = make(cache_enabled=bool(options))
    platform.publish("greeting", NEW)
    before = len(platform.requests)
    with pytest.raises(MissingVariableError):
        client.render_prompt("greeting", GIVEN, **options)
    assert sum("greeting" in request.path for request in platform.requests[before:]) == 1
