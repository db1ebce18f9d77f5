"""What is not printable is escaped, and what is long is cut; everything else stays as it is."""

from __future__ import annotations

import json

import pytest

from scope_client._foreign_text import in_json, printable, printable_lines


@pytest.mark.parametrize("text", ["", "plain", "ü 名 🎈", "x" * 1000])
def test_what_is_fit_stays_as_it_is(text: str) -> None:
    assert printable(text) == printable_lines(text) == in_json(text) == text


def test_what_is_not_is_escaped_and_what_is_long_is_cut() -> None:
    assert printable("a\nb\x1b\x9b\u202e\ud800") == "a\\nb\\x1b\\x9b\\u202e\\ud800"
    assert printable("x" * 1001) == "x" * 997 + "..."
    assert printable("\n" * 10, 10) == "\\n\\n\\n\\..."
    assert printable_lines("a\nb\t\rc") == "a\nb\t\\rc"
    assert json.loads(in_json('"\x7f\U000e0001\u202e"')) == "\x7f\U000e0001\u202e"
