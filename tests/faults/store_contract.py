"""What a CacheStore promises, asked of any: each kind of store is tested by a subclass that makes one."""

from __future__ import annotations

import copy
import itertools
from typing import Any, Callable

import pytest
from faults.child import in_a_child
from faults.clock import eventually
from faults.crowd import crowd

from scope_client import CacheStore, Configuration

KEY = "scope:1:0123456789abcdef0123:0123456789abcdef0123456789abcdef"
TEXTS = ["", "0", "-1", "null", "True", "Grüße, 世界 🎈", "a\x00b", '{"a": "\\ud800"}', "line\r\nline", " "]
YEAR = 365 * 86_400.0
FAR = [2**31, 1e13, 1e17, 1e300, float("inf")]
Later = Callable[[float], None]


class CacheStoreContract:
    """The promises that hold for one thread."""

    largest = 3_000_000
    """In ASCII characters: a text that it takes."""

    @pytest.fixture
    def store(self) -> CacheStore:
        raise NotImplementedError

    @pytest.fixture
    def later(self) -> Later:
        """Moves the store's own time on by so many seconds. Nothing is done if that is not possible: it is awaited."""
        return lambda seconds: None

    def test_it_is_a_cache_store(self, store: CacheStore) -> None:
        assert isinstance(store, CacheStore)
        assert Configuration(cache_store=store).cache_store is store

    def test_a_copy_of_it_or_of_what_holds_it_is_the_same_store(self, store: CacheStore) -> None:
        assert copy.copy(store) is copy.deepcopy({"cache_store": store})["cache_store"] is store

    def test_of_many_keys_only_those_that_are_there_come_back(self, store: CacheStore) -> None:
        store.set("a", "1", 60)
        store.set("b", "2", None)
        assert dict(store.get_many(["a", "b", "c"])) == {"a": "1", "b": "2"}
        assert dict(store.get_many(["c"])) == {}
        assert dict(store.get_many(("b", "b"))) == {"b": "2"}

    @pytest.mark.parametrize("text", TEXTS, ids=repr)
    @pytest.mark.parametrize("ttl", [60, None])
    def test_a_text_comes_back_as_it_was(self, text: str, ttl: float | None, store: CacheStore) -> None:
        store.set(KEY, text, ttl)
        found = store.get_many([KEY])[KEY]
        assert found == text
        assert type(found) is str

    def test_a_large_text_comes_back_as_it_was(self, store: CacheStore) -> None:
        text = "0123456789" * (self.largest // 10)
        store.set(KEY, text, 60)
        assert store.get_many([KEY]) == {KEY: text}

    @pytest.mark.parametrize("ttl", [0.4, 0.001])
    def test_a_part_of_a_second_is_a_time_and_does_not_delete(
        self, ttl: float, store: CacheStore, later: Later
    ) -> None:
        def keeps(write: Callable[..., Any]) -> bool:
            store.delete(KEY)
            write(KEY, "kept", ttl)
            return bool(store.get_many([KEY]))

        eventually(lambda: keeps(store.set))
        eventually(lambda: keeps(store.add))
        later(2)
        eventually(lambda: not store.get_many([KEY]))

    @pytest.mark.parametrize(
        "ttl",
        [86_400 * 29, 86_400 * 31, YEAR * 9, YEAR * 100, YEAR * 400, 2**31, 1e13, 1e17, 1e300, float("inf")],
        ids=repr,
    )
    def test_any_number_of_seconds_is_a_time(self, ttl: float, store: CacheStore, later: Later) -> None:
        """Configuration takes any finite stale_if_error."""
        store.set(KEY, "kept", ttl)
        assert store.add("other", "kept", ttl)
        later(86_400 * 28)
        assert store.get_many([KEY, "other"]) == {KEY: "kept", "other": "kept"}

    def test_none_is_for_as_long_as_it_can(self, store: CacheStore, later: Later) -> None:
        store.set(KEY, "kept", None)
        later(YEAR)
        assert store.get_many([KEY]) == {KEY: "kept"}

    def test_set_replaces_and_a_later_ttl_counts(self, store: CacheStore, later: Later) -> None:
        store.set("a", "1", 1)
        store.set("a", "2", None)
        store.set("b", "1", None)
        store.set("b", "2", 1)
        later(2)
        eventually(lambda: not store.get_many(["b"]))
        assert store.get_many(["a"]) == {"a": "2"}

    def test_add_keeps_what_is_there_until_it_ends(self, store: CacheStore, later: Later) -> None:
        assert store.add("a", "1", 2) is True
        assert store.add("a", "2", 60) is False
        assert store.get_many(["a"]).get("a", "1") == "1"
        later(3)
        eventually(lambda: store.add("a", "3", 60))
        assert store.get_many(["a"]) == {"a": "3"}

    def test_add_does_not_replace_what_was_set(self, store: CacheStore) -> None:
        store.set("a", "1", None)
        assert store.add("a", "2", 60) is False
        assert store.get_many(["a"]) == {"a": "1"}
        store.delete("a")
        assert store.add("a", "2", 60) is True

    def test_delete_removes_and_does_not_mind_what_is_not_there(self, store: CacheStore) -> None:
        store.set("a", "1", 60)
        store.set("b", "2", 60)
        store.delete("a")
        store.delete("a")
        store.delete("never-there")
        assert store.get_many(["a", "b"]) == {"b": "2"}


class SharedStoreContract(CacheStoreContract):
    """And those that hold for the threads and the children of a process."""

    rounds = 30

    is_shared_with_children = True

    def test_of_16_threads_that_add_at_once_one_wins(self, store: CacheStore) -> None:
        for round_ in range(self.rounds):
            numbers = itertools.count()
            won = crowd(16, lambda: store.add(f"lock-{round_}", str(next(numbers)), 60))  # noqa: B023  # all end here
            assert sorted(won) == [False] * 15 + [True]

    def test_threads_that_do_everything_at_once_get_whole_values(self, store: CacheStore) -> None:
        texts = {str(number): str(number) * 10_000 for number in range(5)}

        def work() -> None:
            for number in range(self.rounds):
                key = str(number % 5)
                store.set(key, texts[key], 60 if number % 2 else None)
                assert all(texts[found] == value for found, value in store.get_many(list(texts)).items())
                if number % 7 == 0:
                    store.delete(key)
                store.add(key, texts[key], 60)

        assert crowd(8, work) == [None] * 8

    def test_a_forked_child_uses_it_and_its_parent_goes_on(self, store: CacheStore) -> None:
        store.set("a", "1", 60)
        self.leave_to_the_parent()

        def works() -> tuple[dict[str, str], bool]:
            found = dict(store.get_many(["a"]))
            store.set("b", "2", 60)
            return found, store.get_many(["b"]) == {"b": "2"}

        seen = {"a": "1"} if self.is_shared_with_children else {}
        assert in_a_child(works) == (seen, True)
        assert in_a_child(lambda: crowd(1, works)) == [(seen, True)]
        assert dict(store.get_many(["a"])) == {"a": "1"}
        assert works() == ({"a": "1"}, True)

    def leave_to_the_parent(self) -> None:
        """Closes what a child may not take along."""


class UnlockedStoreContract(CacheStoreContract):
    """And what holds if `add` looks first and writes then, as files do: two may win."""

    def test_of_16_threads_that_add_at_once_at_least_one_wins(self, store: CacheStore) -> None:
        assert any(crowd(16, lambda: store.add("lock", "1", 60)))
        assert not any(crowd(16, lambda: store.add("lock", "1", 60)))
