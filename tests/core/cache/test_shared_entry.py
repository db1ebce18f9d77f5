"""What lies in a shared store: the text that is written, and what is made of a text that may be anybody's."""

from __future__ import annotations

import json
import math

import pytest

from scope_client import PromptVersion
from scope_client._cache.shared_entry import (
    MAX_VERSIONS_CHARACTERS,
    entry_text,
    found_in,
    id_in,
    lock_text,
    new_id,
    parsed,
    seconds_in,
    values_of,
    versions_in,
    versions_text,
)
from scope_client._prompt.ref import PromptRef

REF = PromptRef("greeting")
NOW = 1_700_000_000.0
WHOLE = {"schema": 1, "generation": 3, "fetched_at": NOW, "life": 50.0, "version": {"content": "x"}}


def version(content: str) -> PromptVersion:
    return PromptVersion.from_api({"content": content})


def found(**changed: object) -> object:
    return found_in({**WHOLE, **changed}, REF, generation=3, now=NOW, extra_values="error")


class TestWhatIsWritten:
    def test_a_version_with_its_times_and_the_lock_under_which_it_is_replaced(self) -> None:
        text = entry_text(version("x"), stamp=NOW, life=50.0, generation=3)
        entry = json.loads(text)
        assert id_in(entry, "lock") is not None
        assert {**entry, "lock": None} == {**WHOLE, "lock": None, "version": version("x").to_dict()}

    def test_a_lock_with_its_holder_and_when_that_speaks_next(self) -> None:
        assert json.loads(lock_text("0a1b2c3d", 0.25)) == {"schema": 1, "holder": "0a1b2c3d", "silent_for": 0.25}
        assert json.loads(lock_text("0a1b2c3d")) == {"schema": 1, "holder": "0a1b2c3d", "silent_for": None}

    def test_ids_of_eight_hex_digits_which_differ(self) -> None:
        ids = {new_id() for _ in range(100)}
        assert len(ids) == 100
        assert all(len(each) == 8 and set(each) <= set("0123456789abcdef") for each in ids)

    def test_several_versions_the_newest_first(self) -> None:
        text = versions_text([(version("old"), 1.0), (version("new"), 2.0)])
        written = [(each["at"], each["version"]["content"]) for each in json.loads(text)["versions"]]
        assert written == [(2.0, "new"), (1.0, "old")]
        assert [(each.content, at) for each, at in versions_in(parsed(text), REF, "error")] == [
            ("new", 2.0),
            ("old", 1.0),
        ]

    def test_as_many_versions_as_a_store_takes_and_the_newest_in_any_case(self) -> None:
        def contents(*versions: tuple[PromptVersion, float]) -> list[str]:
            return [each.content for each, _ in versions_in(parsed(versions_text(versions)), REF, "error")]

        def length(content: str, at: float) -> int:
            return len(json.dumps({"at": at, "version": version(content).to_dict()}))

        room = MAX_VERSIONS_CHARACTERS - length("", 3.0) - length("", 2.0)
        half, rest = "a" * (room // 2), "b" * (room - room // 2)
        assert length(half, 3.0) + length(rest, 2.0) == MAX_VERSIONS_CHARACTERS
        assert contents((version(rest), 2.0), (version(half), 3.0)) == [half, rest]
        assert contents((version(rest + "b"), 2.0), (version(half), 3.0)) == [half]
        assert contents((version("small"), 1.0), (version(rest + "b"), 2.0), (version(half), 3.0)) == [half]
        huge = "c" * MAX_VERSIONS_CHARACTERS
        assert contents((version(half), 2.0), (version(huge), 3.0)) == [huge]

    def test_a_store_takes_them_all(self) -> None:
        versions = [(version("a" * 200_000), float(at)) for at in range(9)]
        assert len(versions_text(versions)) < 1_000_000  # memcached's megabyte, with a key and flags


class TestWhatIsRead:
    @pytest.mark.parametrize("text", ["", "no JSON", "[1]", '"text"', "1", "null", "NaN", "{", "\ud800"])
    def test_what_is_no_object_is_an_empty_one(self, text: str) -> None:
        assert parsed(text) == {}

    @pytest.mark.parametrize(
        "wrong", ["0a1b2c3", "0a1b2c3d4", "", "0a1b-c3d", "٣٣٣٣٣٣٣٣", 12345678, None, ["0a1b2c3d"], b"0a1b2c3d"]
    )
    def test_an_id_is_one_or_none(self, wrong: object) -> None:
        assert id_in({"holder": "0a1b2c3d"}, "holder") == "0a1b2c3d"
        assert id_in({"holder": wrong}, "holder") is None
        assert id_in({"other": "0a1b2c3d"}, "holder") is None

    @pytest.mark.parametrize(("said", "seconds"), [(0, 0.0), (0.25, 0.25), (999, 999.0), (999.999, 999.999)])
    def test_seconds_are_a_number_below_a_thousand(self, said: object, seconds: float) -> None:
        read = seconds_in({"silent_for": said}, "silent_for")
        assert (type(read), read) == (float, seconds)

    @pytest.mark.parametrize("wrong", [1000, 1000.0, -0.001, -1, True, "1", None, math.nan, math.inf, -math.inf, [1]])
    def test_or_none(self, wrong: object) -> None:
        assert seconds_in({"silent_for": wrong}, "silent_for") is None
        assert seconds_in({}, "silent_for") is None

    @pytest.mark.parametrize(
        "changed",
        [
            *({"schema": 2}, {"schema": None}, {"generation": 2}, {"generation": 4}, {"version": {}}, {"version": "x"}),
            *({"fetched_at": None}, {"fetched_at": "soon"}, {"fetched_at": math.nan}, {"fetched_at": -math.inf}),
            *(
                {"fetched_at": NOW + 1.01},
                {"fetched_at": 10**400},
                {"life": math.inf},
                {"life": math.nan},
                {"life": []},
            ),
            *({"life": -0.001}, {"version": {"content": "x", "type": "chat"}}),
        ],
    )
    def test_a_version_that_cannot_be_used_is_none(self, changed: dict[str, object]) -> None:
        assert found(**changed) is None

    @pytest.mark.parametrize("name", WHOLE)
    def test_nor_can_one_that_lacks_something(self, name: str) -> None:
        assert (
            found_in(
                {key: WHOLE[key] for key in WHOLE if key != name}, REF, generation=3, now=NOW, extra_values="error"
            )
            is None
        )

    def test_one_that_can_has_its_times(self) -> None:
        read = found_in(WHOLE, REF, generation=3, now=NOW + 20, extra_values="error")
        assert read is not None
        assert read.version.content == "x"
        assert read[1:] == (NOW, 20.0, 50.0, 3)

    def test_clocks_may_differ_by_a_second(self) -> None:
        read = found(fetched_at=NOW + 1.0, life=0)
        assert read is not None
        assert (read.stamp, read.age, read.life) == (NOW + 1.0, 0.0, 0.0)

    def test_of_several_versions_those_that_can_be_used(self) -> None:
        good = {"at": 1, "version": {"content": "x"}}
        bad = [
            None,
            1,
            "x",
            [],
            {},
            {"at": 1},
            {"version": {"content": "x"}},
            {**good, "at": "x"},
            {**good, "version": {}},
        ]
        read = versions_in({"schema": 1, "versions": [*bad, good]}, REF, "error")
        assert [(each.content, at) for each, at in read] == [("x", 1.0)]

    def test_each_renders_by_the_rule_of_the_client(self) -> None:
        at_once = found_in(WHOLE, REF, generation=3, now=NOW, extra_values="ignore")
        assert at_once is not None
        ((one_of_several, _),) = versions_in({"schema": 1, "versions": [{**WHOLE, "at": 1}]}, REF, "ignore")
        assert at_once.version.render(unknown="y") == one_of_several.render(unknown="y") == "x"

    @pytest.mark.parametrize(
        "entry", [{}, {"versions": []}, {"schema": 1}, {"schema": 1, "versions": {}}, {"schema": 1, "versions": "x"}]
    )
    def test_or_none_of_them(self, entry: dict[str, object]) -> None:
        assert versions_in(entry, REF, "error") == []

    def test_several_versions_of_another_schema_are_left(self) -> None:
        good = {"at": 1, "version": {"content": "x"}}
        assert len(versions_in({"schema": 1, "versions": [good]}, REF, "error")) == 1
        assert versions_in({"schema": 2, "versions": [good]}, REF, "error") == []


class OfAnybody:
    """A store that answers what it was made with."""

    def __init__(self, answer: object) -> None:
        self.get_many = lambda keys: answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "get_many must return a mapping, got NoneType"),
        ([("key", "text")], "get_many must return a mapping, got list"),
        ({"key": b"text"}, "get_many must return text by key, got bytes"),
        ({"key": "text", "other": None}, "get_many must return text by key, got NoneType"),
    ],
)
def test_a_store_that_breaks_its_promise_is_told_so(answer: object, said: str) -> None:
    with pytest.raises(TypeError, match=f"^{said}$"):
        values_of(OfAnybody(answer), "key", "other")


def test_one_that_keeps_it_is_believed() -> None:
    assert values_of(OfAnybody({"key": "text"}), "key", "other") == {"key": "text"}
