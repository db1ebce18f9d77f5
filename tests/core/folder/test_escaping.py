"""A name of a prompt and the path of its files: each is known from the other, on any disk."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scope_client._folder.entries import is_left_out, number_in
from scope_client._folder.escaping import MAX_PATH_PARTS, name_of, path_of, paths_of
from scope_client.errors import ConfigurationError

odd_pieces = ["%", "+", "%+", "/", "//", ".", "..", "a", "A", "v1", "V2", ".md", ".MD", "con", "NUL", "é", "e\u0301"]
odd_pieces += [
    "%41",
    "25",
    "2F",
    "README",
    "node_modules",
    " ",
    "\\",
    ":",
    "ß",
    "ss",
    "x" * 170,
    "É" * 90,
    "-",
    "git~1",
]
names = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.sampled_from(odd_pieces), max_size=8).map("".join),
)
WINDOWS_REFUSES = set('<>:"\\|?*') | {chr(code) for code in range(32)}


@settings(max_examples=300, deadline=None)
@given(names)
def test_a_path_gives_back_the_name(name: str) -> None:
    assert name_of(path_of(name)) == name


@settings(max_examples=300, deadline=None)
@given(names)
def test_a_path_is_one_that_every_disk_and_every_reader_takes(name: str) -> None:
    parts = path_of(name).split("/")
    for part in parts:
        assert 0 < len(part.encode()) <= 255 - len(".md") - 16
        assert WINDOWS_REFUSES.isdisjoint(part)
        assert not part.endswith((" ", "."))
        assert unicodedata.is_normalized("NFC", part)
        assert not is_left_out(part)
        assert not is_left_out(f"{part}.md")
        assert not part.lower().endswith(".md")
    assert all(number_in(f"{part}.md") is None for part in parts[1:])


@settings(max_examples=300, deadline=None)
@given(st.sets(names, max_size=6))
def test_paths_of_names_live_side_by_side_on_a_disk_that_tells_no_case(given_names: set[str]) -> None:
    paths = paths_of(given_names)
    assert {name_of(path) for path in paths.values()} == given_names
    assert all(name_of(path) == name for name, path in paths.items())
    assert paths == paths_of(sorted(given_names, reverse=True))
    seen: dict[str, str] = {}
    for path in paths.values():
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            place = "/".join(parts[:depth])
            assert seen.setdefault(unicodedata.normalize("NFC", place.casefold()), place) == place


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("greeting", "greeting"),
        ("support/greeting", "support/greeting"),
        ("100%", "100%"),
        ("50% off", "50% off"),
        ("a%41", "a%2541"),
        ("%", "%25"),
        ("", "%"),
        ("/a", "%/a"),
        ("a/", "a/%"),
        ("a//b", "a/%/b"),
        (".", "%2E"),
        ("a/..", "a/%2E%2E"),
        (".git/config", "%2Egit/config"),
        ("what?", "what%3F"),
        ("a:b\\c", "a%3Ab%5Cc"),
        ("a.", "a%2E"),
        ("a ", "a%20"),
        ("a.md", "a%2Emd"),
        ("README", "%52EADME"),
        ("node_modules", "%6Eode_modules"),
        ("Con", "%43on"),
        ("nul.txt", "%6Eul.txt"),
        ("console", "console"),
        ("v1", "v1"),
        ("a/v1", "a/%761"),
        ("a/v2-old", "a/%762-old"),
        ("a/version", "a/version"),
        ("café", "café"),
        ("cafe\u0301", "cafe%CC%81"),
        ("日本/語", "日本/語"),
        ("a\u200db", "a%E2%80%8Db"),
        ("x" * 200, f"{'x' * 180}%+/{'x' * 20}"),
        ("/".join("a" * (MAX_PATH_PARTS + 2)), f"{'a/' * (MAX_PATH_PARTS - 1)}a%2Fa%2Fa"),
    ],
)
def test_a_path_is_the_name_where_that_is_possible(name: str, path: str) -> None:
    assert path_of(name) == path
    assert name_of(path) == name


@pytest.mark.parametrize("path", ["a%zz", "%FF", "100%+", "a%", "%+", "a b", "cafe\u0301", "A:B"])
def test_a_path_that_nobody_escaped_is_the_name(path: str) -> None:
    assert name_of(path) == path
    assert name_of(path_of(path)) == path


def test_upper_case_letters_are_escaped_where_a_disk_would_take_two_names_for_one() -> None:
    assert paths_of(["Greeting", "greeting", "Other"]) == {
        "Greeting": "%47reeting",
        "greeting": "greeting",
        "Other": "Other",
    }
    assert paths_of(["Support/A", "support/b"]) == {"Support/A": "%53upport/A", "support/b": "support/b"}
    assert paths_of(["A", "b/a"]) == {"A": "A", "b/a": "b/a"}


def test_a_name_that_no_utf_8_can_hold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="must be text that UTF-8 can hold"):
        path_of("\ud800")
