"""IDs look like the platform's, and a version that cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope_client._folder.record import VersionRecord, is_prompt_id, new_version, prompt_id, version_id
from scope_client.errors import ConfigurationError

ULID = "01HXYZ8K3N5Q7R9T1V3W5Y7Z9A"


def made(prompt: str = "greeting", **parts: Any) -> VersionRecord:
    given = {"content": "Hi", "status": "draft", "at": "2024-01-31T00:00:00Z", **parts}
    return new_version(prompt, 1, **given)


@pytest.mark.parametrize("ulid", [ULID, ULID.lower(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "0" * 26])
def test_the_prefix_and_a_ulid_are_an_id(ulid: str) -> None:
    assert is_prompt_id(f"prompt_{ulid}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "prompt_",
        "prompt_foo",
        ULID,
        f"Prompt_{ULID}",
        f"prompt-{ULID}",
        f"prompt_{ULID[1:]}",
        f"prompt_{ULID}0",
        f"prompt_{ULID}\n",
        f" prompt_{ULID}",
        f"prompt_8{ULID[1:]}",
        *(f"prompt_{ULID[:-1]}{letter}" for letter in "ILOUilou-_ \u212a\u017f\u0660"),
    ],
)
def test_anything_else_is_a_name(text: str) -> None:
    assert not is_prompt_id(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(1, 1000))
def test_a_name_always_has_the_same_valid_id(name: str, number: int) -> None:
    assert prompt_id(name) == prompt_id(name)
    assert is_prompt_id(prompt_id(name))
    assert is_prompt_id(version_id(name, number).replace("v_", "prompt_"))


def test_names_and_numbers_do_not_share_an_id() -> None:
    pairs = [("a", 1), ("a", 11), ("a1", 1), ("1:a", 1), ("b", 1)]
    assert len({version_id(*pair) for pair in pairs}) == len(pairs)
    assert made().id == version_id("greeting", 1)
    assert made().prompt_id == prompt_id("greeting")


@pytest.mark.parametrize("name", ["", ".", "..", None, 7, "\ud800", f"prompt_{ULID}"])
def test_a_name_that_could_never_be_asked_for_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        made(name)


@pytest.mark.parametrize("name", ["...", " ", "a/b", "%2F", "prompt_foo", "日本", "?#", "\0"])
def test_any_other_name_will_do(name: str) -> None:
    assert made(name).prompt == name


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"content": b"Hi"}, "content of a text prompt must be text, got bytes"),
        ({"content": None, "type": "chat"}, "content of a chat prompt must be text, got NoneType"),
        ({"metadata": [1]}, "metadata must be a mapping"),
        ({"metadata": {"a": {1, 2}}}, r"metadata\.a must be a value that JSON can hold"),
        ({"tags": "ab"}, "tags must be a list of text"),
        ({"type": "TEXT"}, "type must be one of text, chat"),
    ],
)
def test_a_part_that_cannot_be_is_named(parts: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        made(**parts)


def test_a_version_does_not_share_its_metadata_with_the_caller() -> None:
    given: dict[str, Any] = {"models": ["a"]}
    version = made(metadata=given)
    given["models"].append("b")
    assert version.metadata == {"models": ("a",)}
