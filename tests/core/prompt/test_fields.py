"""A version can be asked for its fields like the mapping that the platform sent, in the words of either generation."""

from __future__ import annotations

import json

import pytest

from scope_client import PromptVersion

OLDER = {"id": "v_7", "version_number": 7, "prompt_type": "text"}
NEWER = {"version_id": "v_7", "version": 7, "prompt_type": "text"}
COMMON = {
    "prompt_id": "prompt_1",
    "name": "greeting",
    "content": "Hello, {{name}}, é!",
    "promoted_at": "2025-01-03T00:00:00Z",
    "promoted_by": "ada@example.com",
    "reviewed_by": ["Ann"],
}


@pytest.fixture(params=[OLDER, NEWER], ids=["older", "newer"])
def version(request: pytest.FixtureRequest) -> PromptVersion:
    return PromptVersion.from_api({**COMMON, **request.param})


def test_a_field_is_found_by_its_name_in_either_generation(version: PromptVersion) -> None:
    assert version["id"] == version["version_id"] == version.get("id") == version.get("version_id") == "v_7"
    assert version["version_number"] == version["version"] == version.version == version.version_number == 7
    assert version["type"] == version["prompt_type"] == "text"
    assert all(field in version for field in ("id", "version_id", "version", "prompt_type", "reviewed_by"))


def test_an_unknown_field_is_found_and_what_was_not_sent_is_not(version: PromptVersion) -> None:
    assert version["reviewed_by"] == version.get("reviewed_by") == ["Ann"]
    assert "color" not in version
    assert (version.get("color"), version.get("color", "red")) == (None, "red")
    with pytest.raises(KeyError, match="color"):
        version["color"]


def test_get_gives_the_default_for_a_field_that_is_none() -> None:
    bare = PromptVersion.from_api({"content": "x"})
    assert bare["id"] is None
    assert bare.get("id", "unknown") == bare.get("version_id", "unknown") == "unknown"


def test_who_promoted_it_and_when(version: PromptVersion) -> None:
    assert (version.promoted_at, version.promoted_by) == ("2025-01-03T00:00:00Z", "ada@example.com")
    assert (version["promoted_at"], version["promoted_by"]) == (version.promoted_at, version.promoted_by)
    bare = PromptVersion.from_api({"content": "x", "promoted_by": {"who": "Ann"}, "promoted_at": None})
    assert (bare.promoted_at, bare.promoted_by) == (None, None)


def test_to_json_is_to_dict_as_text(version: PromptVersion) -> None:
    assert json.loads(version.to_json()) == version.to_dict() == version.raw_data
    assert "é" in version.to_json()
    assert version.to_json(indent=2).startswith('{\n  "id": "v_7",')
    assert PromptVersion.from_api(json.loads(version.to_json())) == version


def test_what_it_hands_out_leads_not_back_into_it(version: PromptVersion) -> None:
    version["reviewed_by"].append("Bob")
    version.raw_data["tags"].append("new")
    assert (version["reviewed_by"], version.tags) == (["Ann"], ())


def test_it_is_no_sequence_and_has_no_length(version: PromptVersion) -> None:
    with pytest.raises(TypeError, match="not iterable"):
        iter(version)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        len(version)  # type: ignore[arg-type]
    assert version
