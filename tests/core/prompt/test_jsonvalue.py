"""What is read from JSON text is what JSON has: as a copy of it would be."""

from __future__ import annotations

import json

import pytest

from scope_client._prompt.jsonvalue import as_json, parse

HALF, WHOLE = "\ud83d", "\U0001f600"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"\\ud83d"', "\ufffd"),
        ('"\\uD83D"', "\ufffd"),
        ('"\\ud83d\\ude00"', WHOLE),
        (f'"{HALF}"', "\ufffd"),
        (f'"{WHOLE}"', WHOLE),
        ('"C:\\\\u"', "C:\\u"),
        (b'"\xed\xa0\xbd"', "\ufffd"),
        (f'"{WHOLE}"'.encode(), WHOLE),
        (f'"{WHOLE}"'.encode("utf-16"), WHOLE),
        ('{"\\ud83d": ["\\uDE00", 1]}', {"\ufffd": ["\ufffd", 1]}),
        (b'\xef\xbb\xbf"a"', "a"),
    ],
    ids=ascii,
)
def test_halves_of_surrogate_pairs_are_replaced_however_they_are_written(text: str | bytes, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    "value", [HALF, [HALF, WHOLE], {HALF: {"a": HALF}}, {"a": [None, True, 1.5, "\\ud"]}], ids=ascii
)
@pytest.mark.parametrize("is_ascii", [True, False])
def test_a_value_that_is_read_is_a_copy_that_is_made(value: object, is_ascii: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=is_ascii)) == as_json(value)


@pytest.mark.parametrize("text", ["", "[", b"", b"\xff", "\ufeff1", '"\\ud83"'], ids=ascii)
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)
