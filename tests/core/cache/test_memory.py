"""The entries of one process: how old each is, which goes when the memory is full, and what a clear leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope_client import PromptVersion
from scope_client._cache.memory import Entry, Memory, Others

if TYPE_CHECKING:
    from scope_client._prompt.ref import CacheKey

NEVER = float("-inf")
VERSION = PromptVersion.from_api({"content": "x"})


def entry(key: CacheKey, *, fetched_at: float = 10.0, life: float = 100.0, version: PromptVersion = VERSION) -> Entry:
    return Entry(key, version, fetched_at=fetched_at, life=life, stamp=5.0, generation=3)


def full(size: int) -> Memory:
    """So many entries, each read a second after the one before."""
    entries = Memory(size)
    for number in range(size):
        made = entry(f"prompt-{number}", fetched_at=float(number))
        entries.put(made, entries.epoch)
    return entries


def test_a_new_entry_was_read_asked_about_and_is_due_when_it_was_fetched() -> None:
    new = entry("a")
    assert (new.fetched_at, new.read_at, new.asked_at, new.due_at) == (10.0,) * 4
    assert (new.life, new.expires_at, new.stale_at) == (100.0, 110.0, NEVER)
    assert (new.stamp, new.generation, new.is_refused, new.key) == (5.0, 3, False, "a")
    assert new.version is VERSION


@pytest.mark.parametrize(
    ("now", "max_age", "is_fresh"),
    [(109.9, None, True), (110.0, None, False), (14.9, 5.0, True), (15.0, 5.0, False), (150.0, 200.0, True)],
)
def test_it_is_fresh_until_the_end_of_its_life_or_the_age_that_a_caller_takes(now, max_age, is_fresh) -> None:
    assert entry("a").is_fresh(now, max_age) is is_fresh


def test_what_is_put_is_there_for_readers_without_a_lock() -> None:
    entries = Memory(2)
    by_key, new = entries.by_key, entry("a")
    assert entries.put(new, entries.epoch)
    assert by_key["a"] is new


def test_a_full_memory_lets_the_one_go_that_was_unread_for_longest() -> None:
    entries = full(5)
    entries.by_key["prompt-0"].read_at = 100.0
    entries.put(entry("new", fetched_at=200.0), entries.epoch)
    assert set(entries.by_key) == {"prompt-0", "prompt-2", "prompt-3", "prompt-4", "new"}


def test_an_entry_that_takes_the_place_of_its_former_self_lets_none_go() -> None:
    entries = full(3)
    entries.put(entry("prompt-1", fetched_at=50.0), entries.epoch)
    assert set(entries.by_key) == {"prompt-0", "prompt-1", "prompt-2"}
    assert entries.by_key["prompt-1"].fetched_at == 50.0


def test_those_lined_up_to_go_stay_if_they_were_read_meanwhile() -> None:
    entries = full(30)
    entries.put(entry("a", fetched_at=100.0), entries.epoch)  # lines up a tenth of them, prompt-0 to prompt-3
    assert "prompt-0" not in entries.by_key
    entries.by_key["prompt-1"].read_at = 200.0
    entries.put(entry("b", fetched_at=100.0), entries.epoch)
    assert "prompt-1" in entries.by_key
    assert "prompt-2" not in entries.by_key


def test_one_lined_up_that_was_replaced_meanwhile_stays() -> None:
    entries = full(30)
    entries.put(entry("a", fetched_at=100.0), entries.epoch)
    entries.put(entry("prompt-1", fetched_at=1.0), entries.epoch)
    entries.put(entry("b", fetched_at=100.0), entries.epoch)
    assert len(entries.by_key) == 30
    assert "prompt-1" in entries.by_key


def test_it_never_holds_more_than_it_may() -> None:
    entries = full(20)
    for number in range(200):
        entries.put(entry(f"more-{number}", fetched_at=100.0 + number), entries.epoch)
        assert len(entries.by_key) == 20
    assert set(entries.by_key) == {f"more-{number}" for number in range(180, 200)}


def test_of_ten_or_fewer_the_very_oldest_goes_each_time() -> None:
    entries = full(9)
    for number in range(4):
        entries.put(entry(f"new-{number}", fetched_at=50.0 + number), entries.epoch)
        assert f"prompt-{number}" not in entries.by_key
    assert len(entries.by_key) == 9


def test_drop_removes_this_entry_and_not_one_in_its_place() -> None:
    entries = Memory(3)
    old, new = entry("a"), entry("a")
    entries.put(old, entries.epoch)
    entries.put(new, entries.epoch)
    entries.drop(old)
    assert entries.by_key == {"a": new}
    entries.drop(new)
    entries.drop(new)
    assert entries.by_key == {}


def test_what_was_asked_for_before_a_clear_is_not_put_after_it() -> None:
    entries = Memory(3)
    before = entries.epoch
    entries.put(entry("a"), before)
    entries.clear()
    assert entries.by_key == {}
    assert not entries.put(entry("a"), before)
    assert entries.by_key == {}
    assert entries.put(entry("a"), entries.epoch)
    assert entries.epoch == before + 1


def test_a_clear_forgets_who_was_lined_up_to_go() -> None:
    entries = full(30)
    entries.put(entry("a", fetched_at=100.0), entries.epoch)
    entries.clear()
    for number in range(30):
        entries.put(entry(f"prompt-{number}", fetched_at=float(number)), entries.epoch)
    entries.put(entry("b", fetched_at=100.0), entries.epoch)
    assert set(entries.by_key) == {*(f"prompt-{number}" for number in range(1, 30)), "b"}


KEYS: list[CacheKey] = [
    *("a", "b", ("a", "latest", None), ("b", "latest", None)),
    *(("a", None, "v1"), ("b", None, "v1"), ("a", None, "v2"), ("a", None, "latest"), ("latest", None, "a")),
]
STEPS = st.lists(st.tuples(st.sampled_from(["put", "put", "put", "drop", "forget", "clear"]), st.sampled_from(KEYS)))


@given(STEPS, st.integers(1, 6))
def test_what_is_found_by_label_or_version_is_what_is_found_by_key(
    steps: list[tuple[str, CacheKey]], size: int
) -> None:
    memory = Memory(size)
    by_key = memory.by_key
    for step, key in steps:
        if step == "put":
            memory.put(entry(key), memory.epoch)
            assert by_key[key].key == key
        elif step == "drop" and key in by_key:
            memory.drop(by_key[key])
        elif step == "forget":
            memory.forget([key])
        elif step == "clear":
            memory.clear()
        others = {key: kept for key, kept in by_key.items() if isinstance(key, tuple)}
        by_id = memory.others.by_id
        assert memory.others.latest == {name: kept for (name, _, version), kept in others.items() if version is None}
        of_versions = {(name, None, version): kept for version, of in by_id.items() for name, kept in of.items()}
        assert of_versions == {key: kept for key, kept in others.items() if key[2] is not None}
        assert all(by_id.values())


class _Interrupted(Others):
    __slots__ = ()

    def put(self, entry: Entry) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize("key", KEYS[2:])
def test_an_interrupt_leaves_no_old_entry_where_a_reader_would_find_it(key: CacheKey) -> None:
    memory = Memory(5)
    memory.put(entry(key), memory.epoch)
    memory.others.__class__ = _Interrupted
    new = entry(key, fetched_at=20.0)
    with pytest.raises(KeyboardInterrupt):
        memory.put(new, memory.epoch)
    assert memory.by_key[key] is new
    assert memory.others.latest == memory.others.by_id == {}


def versions(*ids: str) -> list[PromptVersion]:
    return [PromptVersion.from_api({"content": "x", "id": each}) for each in ids]


def last_ids(memory: Memory, *kept: tuple[CacheKey, PromptVersion]) -> list[str | None]:
    found = []
    for key, version in kept:
        replaced = memory.put(entry(key, version=version), memory.epoch)
        assert replaced is not None
        found.append(replaced.last_id)
    return found


def test_what_is_put_says_which_entry_and_which_other_version_it_has_replaced() -> None:
    memory, (one, two) = Memory(2), versions("v1", "v2")
    first = entry("a", version=one)
    assert memory.put(first, memory.epoch) == (None, None)
    assert memory.put(entry("a", version=one), memory.epoch) == (first, None)
    assert last_ids(memory, ("a", two), ("b", one), ("a", one)) == ["v1", None, "v2"]
    memory.clear()
    assert memory.put(entry("a", version=two), memory.epoch) == (None, "v1")


def test_the_last_ids_of_more_names_than_it_has_entries_are_forgotten_all_at_once() -> None:
    memory, (one, two) = Memory(2), versions("v1", "v2")
    assert last_ids(memory, ("a", one), ("b", one), ("a", two), ("b", two)) == [None, None, "v1", "v1"]
    assert last_ids(memory, ("c", one), ("a", one), ("c", two)) == [None, None, "v1"]
