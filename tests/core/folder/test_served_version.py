"""What the platform serves comes back the same from a file."""

from __future__ import annotations

import json
import shutil
import tempfile

import pytest
from faults.served import bodies, prompts, texts, written
from hypothesis import given, settings
from hypothesis import strategies as st

from scope_client import PromptVersion
from scope_client._folder.reader import PromptFolder
from scope_client._folder.record import VersionRecord, prompt_id, version_id
from scope_client._folder.served_version import record_of
from scope_client._folder.version_file import version_in
from scope_client._folder.whole_file import WholeFile
from scope_client._folder.written_file import octets_of
from scope_client.errors import ConfigurationError

ULID = "prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A"


def through_a_file(version: PromptVersion, **how: object) -> VersionRecord:
    record = record_of(version, **how)
    return version_in(WholeFile(octets_of(record), 1e9), record.prompt, record.number, "draft")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_version_comes_back_from_a_file_as_it_was_served(data: st.DataObject) -> None:
    name = data.draw(texts.filter(lambda text: text.encode(errors="ignore").decode() == text != ""))
    body = data.draw(bodies(name, data.draw(st.one_of(st.none(), st.just(ULID), texts)), 3))
    version = PromptVersion.from_api(body)
    assert PromptVersion(through_a_file(version).to_body()).to_dict() == version.to_dict()


@settings(max_examples=200, deadline=None)
@given(prompts())
def test_prompts_of_any_names_come_back_from_a_folder_as_they_were_served(
    served: dict[str, list[PromptVersion]],
) -> None:
    root = tempfile.mkdtemp()
    try:
        written(root, served)
        folder = PromptFolder(root)
        assert sorted(folder.names) == sorted(served)
        for name, versions in served.items():
            found = folder.versions(name)
            assert [PromptVersion(each.to_body()).to_dict() for each in found] == [each.to_dict() for each in versions]
            if versions[0].prompt_id is not None:
                assert folder.versions(versions[0].prompt_id) == found
    finally:
        shutil.rmtree(root)


def made(**body: object) -> PromptVersion:
    return PromptVersion.from_api({"name": "a/b", "content": "Hi {{name}}", **body})


FULL = {
    "version_id": "v_01",
    "version": 7,
    "prompt_id": ULID,
    "status": "published",
    "is_production": True,
    "variables": ["tone", "name"],
    "metadata": {"model": "gpt-4", "temperature": 1e-7},
    "tags": ["a"],
    "description": "Says hello",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-02T00:00:00Z",
    "promoted_at": "2026-01-03T00:00:00Z",
    "promoted_by": "ada",
}


def test_an_answer_is_front_matter_that_a_person_can_read() -> None:
    assert octets_of(record_of(made(**FULL, plan="pro"))).decode() == (
        "---\n"
        "status: published\n"
        f"prompt_id: {ULID}\n"
        "version_id: v_01\n"
        "description: Says hello\n"
        "created_at: '2026-01-01T00:00:00Z'\n"
        "updated_at: '2026-01-02T00:00:00Z'\n"
        "promoted_at: '2026-01-03T00:00:00Z'\n"
        "promoted_by: ada\n"
        "metadata: {model: gpt-4, temperature: 1.0e-07}\n"
        "tags: [a]\n"
        "variables: [tone, name]\n"
        "served: {plan: pro}\n"
        "---\n"
        "Hi {{name}}\n"
    )


def test_what_the_platform_did_not_send_is_not_made_up() -> None:
    record = record_of(made())
    assert record.served == dict.fromkeys(
        ("id", "prompt_id", "version_number", "status", "created_at", "updated_at"), None
    )
    assert (record.id, record.prompt_id) == (version_id("a/b", 1), prompt_id("a/b"))


@pytest.mark.parametrize(
    ("body", "how", "status"),
    [
        ({"status": "published"}, {}, "published"),
        ({"status": "draft", "is_production": True}, {}, "published"),
        ({"status": "published", "is_production": False}, {}, "draft"),
        ({"status": "archived"}, {}, "archived"),
        ({"status": "live"}, {}, "draft"),
        ({}, {"status": "published"}, "published"),
        ({"status": "archived"}, {"status": "published"}, "published"),
    ],
)
def test_what_a_version_is_in_a_folder_and_what_its_answer_says_may_differ(
    body: dict[str, object], how: dict[str, str], status: str
) -> None:
    version = made(**body)
    record = through_a_file(version, **how)
    assert record.status == status
    assert PromptVersion(record.to_body()).to_dict() == version.to_dict()


def test_a_version_without_a_number_has_the_file_that_it_is_given() -> None:
    assert (record_of(made()).number, record_of(made(), number=4).number) == (1, 4)
    assert through_a_file(made(), number=4).to_body()["version_number"] is None
    assert through_a_file(made(version=7), number=4).to_body()["version_number"] == 7


@pytest.mark.parametrize("name", ["", ".", "..", ULID])
def test_a_name_that_nobody_can_ask_for_needs_an_id(name: str) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        record_of(made(name=name))
    assert through_a_file(made(name=name, prompt_id=ULID)).to_body()["name"] == name


@pytest.mark.parametrize("depth", [30, 45, 150])
def test_metadata_may_be_as_deep_and_as_long_as_json(depth: int) -> None:
    deep = json.loads("[" * depth + "]" * depth)
    version = made(metadata={"deep": deep, "long": list(range(20_000))}, more={"deep": deep})
    assert PromptVersion(through_a_file(version).to_body()).to_dict() == version.to_dict()
