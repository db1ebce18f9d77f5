"""A PromptVersion is what the platform sent, read once and shared by all."""

from __future__ import annotations

import copy
import json
import pickle
import tracemalloc

import pytest
from faults.crowd import crowd
from faults.replies import prompt_body

from scope_client import ApiError, PromptVersion
from scope_client._prompt.ref import PromptRef

OLDER = {"id": "v_7", "version_number": 7}
NEWER = {"version_id": "v_7", "version": 7}
COMMON = {
    "prompt_id": "prompt_1",
    "name": "greeting",
    "content": "Hello, {{name}}!",
    "variables": ["name"],
    "status": "published",
    "is_production": True,
    "prompt_type": "text",
    "metadata": {"model": "gpt-4", "stop": ["a"], "deep": {"er": [1]}},
    "tags": ["one", "two"],
    "created_at": "2025-01-01T00:00:00Z",
    "updated_at": "2025-01-02T00:00:00+02:00",
}


@pytest.fixture(params=[OLDER, NEWER], ids=["older", "newer"])
def version(request: pytest.FixtureRequest) -> PromptVersion:
    return PromptVersion.from_api(copy.deepcopy({**COMMON, **request.param, "reviewed_by": {"who": ["Ann"]}}))


def read(**fields: object) -> PromptVersion:
    return PromptVersion.from_api(prompt_body(**fields))


def test_both_generations_of_field_names_are_read(version: PromptVersion) -> None:
    assert (version.id, version.version_number) == ("v_7", 7)
    assert (version.prompt_id, version.name, version.content) == ("prompt_1", "greeting", "Hello, {{name}}!")
    assert (version.variables, version.tags, version.type) == (("name",), ("one", "two"), "text")
    assert (version.status, version.is_production, version.is_fallback) == ("published", True, False)
    assert (version.created_at, version.updated_at) == ("2025-01-01T00:00:00Z", "2025-01-02T00:00:00+02:00")


def test_both_generations_of_one_version_are_equal() -> None:
    one, two = (PromptVersion.from_api({**COMMON, **generation}) for generation in (OLDER, NEWER))
    assert one == two
    assert hash(one) == hash(two)
    assert one.to_dict() == two.to_dict()


def test_a_field_of_the_other_generation_that_is_null_does_not_hide_the_value() -> None:
    found = read(id=None, version_id="v_9", version_number=None, version=9)
    assert (found.id, found.version_number) == ("v_9", 9)


def test_an_unknown_field_is_in_to_dict_and_nowhere_else(version: PromptVersion) -> None:
    assert version.to_dict()["reviewed_by"] == {"who": ["Ann"]}
    assert not hasattr(version, "reviewed_by")


def test_an_unknown_field_cannot_take_the_place_of_a_method() -> None:
    found = read(render="x", to_dict="y", is_fallback=True, template="z", _metadata={"a": 1})
    assert found.render(name="A") == "Hello, A!"
    assert found.is_fallback is False
    assert found.get_metadata("a") is None
    assert found.to_dict()["render"] == "x"


def test_to_dict_is_fit_for_json_and_makes_the_same_version_again(version: PromptVersion) -> None:
    assert PromptVersion.from_api(json.loads(json.dumps(version.to_dict()))) == version


def test_what_was_not_sent_is_none_or_empty() -> None:
    bare = PromptVersion.from_api({"content": ""}, PromptRef("greeting"))
    assert (bare.id, bare.prompt_id, bare.version_number, bare.status, bare.created_at) == (None,) * 5
    assert (bare.name, bare.type, bare.tags, bare.variables, dict(bare.metadata)) == ("greeting", "text", (), (), {})
    assert bare.render() == ""
    assert bare.is_production is False


def test_a_version_shares_the_text_of_its_name_with_what_was_asked_for() -> None:
    ref = PromptRef("greeting")
    found = PromptVersion.from_api({"name": "".join(["greet", "ing"]), "content": ""}, ref)
    assert found.name is ref.name


@pytest.mark.parametrize("field", ["name", "metadata", "tags", "status", "version_number", "created_at", "variables"])
@pytest.mark.parametrize("value", [None, 5.5, {"a": 1}, [["x"]], True])
def test_a_field_that_is_not_of_its_kind_breaks_nothing(field: str, value: object) -> None:
    found = read(**{field: value})
    assert found.render(name="A") == "Hello, A!"
    assert hash(found) == hash(pickle.loads(pickle.dumps(found)))
    json.dumps(found.to_dict())


def test_variables_are_those_of_the_content_whatever_the_platform_lists() -> None:
    assert read(content="{{b}} {{a}} {{b}}", variables=["a", "z"]).variables == ("b", "a")


@pytest.mark.parametrize(
    ("status", "flag"), [("draft", "is_draft"), ("published", "is_published"), ("archived", "is_archived")]
)
def test_the_status_has_its_flag_and_no_other(status: str, flag: str) -> None:
    found = read(status=status)
    assert {name for name in ("is_draft", "is_published", "is_archived") if getattr(found, name)} == {flag}


def test_a_prompt_version_cannot_be_changed(version: PromptVersion) -> None:
    before = version.to_dict()
    for name in (*before, "is_fallback", "template", "anything"):
        with pytest.raises(AttributeError):
            setattr(version, name, "changed")
        with pytest.raises(AttributeError):
            delattr(version, name)
    assert version.to_dict() == before


def test_metadata_is_read_only(version: PromptVersion) -> None:
    with pytest.raises(TypeError):
        version.metadata["model"] = "other"  # type: ignore[index]
    assert not hasattr(version.metadata, "update")


def test_nothing_that_a_version_hands_out_leads_back_into_it(version: PromptVersion) -> None:
    before = version.to_dict()
    version.metadata["stop"].append("b")
    version.metadata["deep"]["er"].append(2)
    version.get_metadata("deep")["er"].clear()
    handed_out = version.to_dict()
    handed_out["metadata"]["deep"].clear()
    handed_out["reviewed_by"]["who"].append("Bob")
    handed_out["tags"].append("three")
    handed_out["variables"].clear()
    version.messages(name="A")[0]["content"] = "changed"
    assert version.to_dict() == before
    assert version.messages(name="A") == [{"role": "user", "content": "Hello, A!"}]


def test_a_version_does_not_follow_later_changes_of_what_it_was_made_from() -> None:
    body = copy.deepcopy({**COMMON, "more": {"a": [1]}})
    version = PromptVersion.from_api(body)
    before = version.to_dict()
    body["metadata"]["model"] = "other"
    body["metadata"]["deep"]["er"].append(2)
    body["more"]["a"].append(2)
    body["tags"].append("three")
    assert version.to_dict() == before


def test_its_template_cannot_be_changed_either(version: PromptVersion) -> None:
    with pytest.raises(AttributeError):
        version.template.variables = ("other",)
    assert version.variables == ("name",)


def test_get_metadata_gives_the_default_only_where_there_is_none() -> None:
    found = read(metadata={"zero": 0, "null": None})
    assert found.get_metadata("zero", 5) == 0
    assert [found.get_metadata(name) for name in found.metadata] == list(found.metadata.values())
    assert found.get_metadata("null", 5) is None
    assert found.get_metadata("absent") is None
    assert found.get_metadata("absent", 5) == 5


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["text", "chat"])
def test_it_pickles(kind: str, protocol: int) -> None:
    content = "Hi {{name}}" if kind == "text" else [{"role": "user", "content": "Hi {{name}}"}]
    version = read(content=content, extra={"a": 1}, metadata={"a": [1]}, status="draft")
    copied = pickle.loads(pickle.dumps(version, protocol))
    assert copied == version
    assert hash(copied) == hash(version)
    assert copied.to_dict() == version.to_dict()
    assert copied.messages(name="A") == version.messages(name="A")


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy])
def test_a_copy_is_equal(version: PromptVersion, copier: object) -> None:
    assert copier(version) == version
    assert {version: "found"}[copier(version)] == "found"


def test_metadata_as_deep_as_the_limit_breaks_nothing() -> None:
    metadata: dict = {}
    for _ in range(195):
        metadata = {"deeper": metadata}
    version = read(metadata=metadata, more=metadata)
    assert version.metadata == version.get_metadata("missing", metadata)
    assert json.loads(json.dumps(version.to_dict()))["more"] == metadata
    assert version == copy.deepcopy(version) == pickle.loads(pickle.dumps(version))


def test_versions_differ_where_anything_that_was_sent_differs(version: PromptVersion) -> None:
    assert version != PromptVersion.from_api({**version.to_dict(), "metadata": {}})
    assert version != "Hello, {{name}}!"


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"content": None}, {"content": 5}, {"content": {"a": 1}}, {"content": True}, {"prompt_id": "p"}),
        *({"content": "x", "prompt_type": "image"}, {"content": "x", "prompt_type": ["text"]}),
        {"content": [], "prompt_type": "text"},
    ],
)
def test_a_body_that_is_no_prompt_version_is_an_api_error_that_says_what_was_expected(body: dict) -> None:
    with pytest.raises(ApiError, match="expected"):
        PromptVersion.from_api(body)


def test_a_null_type_is_a_text() -> None:
    assert read(prompt_type=None).type == "text"


@pytest.mark.parametrize("name", ["self", "name", "variables", "cls"])
def test_any_name_is_a_variable_of_render_and_messages(name: str) -> None:
    version = read(content=f"<{{{{{name}}}}}>")
    assert version.render(**{name: "x"}) == "<x>"
    assert version.messages(**{name: "x"}) == [{"role": "user", "content": "<x>"}]


def test_repr_tells_which_version_it_is_without_its_content(version: PromptVersion) -> None:
    assert "'greeting'" in repr(version)
    assert "'v_7'" in repr(version)
    assert "Hello" not in repr(version)


@pytest.mark.parametrize(
    "body",
    [{"content": "Hello, {{name}}! {{ no }}"}, {"content": '[{"role":"user","content":"{{name}}"}]', "type": "chat"}],
)
def test_the_content_is_as_it_came_before_and_after_it_is_rendered(body: dict) -> None:
    version = PromptVersion.from_api(body)
    before = (version.content, hash(version), version.to_dict())
    version.render(name="Ada")
    assert (version.content, hash(version), version.to_dict()) == before
    assert version == PromptVersion.from_api(body)


def test_of_many_threads_that_are_the_first_to_look_each_sees_the_whole() -> None:
    for number in range(50):
        content = f"{number} {{{{name}}}} {'x' * 5000}"
        version = PromptVersion.from_api({"content": content})

        def look(version: PromptVersion = version) -> tuple[str, str, tuple[str, ...]]:
            return version.content, version.render(name="A"), version.variables

        assert set(crowd(8, look)) == {(content, content.replace("{{name}}", "A"), ("name",))}


def test_a_text_is_kept_once_as_it_came_or_in_pieces() -> None:
    size, count = 100_000, 50
    bodies = [json.dumps({"content": f"{number}{'x' * size}{{{{name}}}}"}) for number in range(count)]
    tracemalloc.start()
    try:
        versions = [PromptVersion.from_api(json.loads(body)) for body in bodies]
        unread = tracemalloc.get_traced_memory()[0]
        rendered = [version.render(name="A")[-1] for version in versions]
        assert rendered == ["A"] * count
        assert size * count < unread < 1.1 * size * count
        assert size * count < tracemalloc.get_traced_memory()[0] < 1.1 * size * count
    finally:
        tracemalloc.stop()
