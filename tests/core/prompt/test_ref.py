"""A PromptRef is a value: what was asked for, under a key that is worked out once."""

from __future__ import annotations

import copy
import enum
import pickle
from typing import Any

import pytest
from django.utils.functional import SimpleLazyObject
from markupsafe import Markup
from werkzeug.local import LocalProxy

from scope_client import ValidationError
from scope_client._prompt.ref import PromptRef

REFS = [
    PromptRef.of("greeting"),
    PromptRef.of("greeting", "latest"),
    PromptRef.of("greeting", version="v_1"),
    PromptRef.of("other"),
]
each_ref = pytest.mark.parametrize("ref", REFS, ids=repr)


@each_ref
def test_the_key_leads_back_to_the_ref(ref: PromptRef) -> None:
    assert PromptRef.of_key(ref.key) == ref
    assert ref.key is ref.key


def test_the_key_of_production_is_the_name() -> None:
    assert PromptRef.of("greeting").key == PromptRef.of("greeting", "production").key == "greeting"


def test_refs_that_differ_have_keys_that_differ() -> None:
    assert len({ref.key for ref in REFS}) == len(set(REFS)) == len(REFS)


@each_ref
@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, lambda ref: pickle.loads(pickle.dumps(ref))])
def test_a_copy_is_equal_and_has_the_same_key(ref: PromptRef, copier: object) -> None:
    copied = copier(ref)
    assert copied == ref
    assert hash(copied) == hash(ref)
    assert copied.key == ref.key


def test_the_repr_shows_what_was_asked_for_and_not_the_key() -> None:
    assert repr(PromptRef.of("a", "latest")) == "PromptRef(name='a', label='latest', version=None)"


def test_a_ref_cannot_be_changed() -> None:
    for name in ("name", "label", "version", "key", "other"):
        with pytest.raises(AttributeError):
            setattr(PromptRef("a"), name, "b")


def test_a_label_and_a_version_together_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="exclude each other"):
        PromptRef.of("a", "latest", "v_1")


@pytest.mark.parametrize("label", ["", "staging", "Production", 5, ("latest",)])
def test_an_unknown_label_is_a_validation_error_that_names_the_known_ones(label: object) -> None:
    with pytest.raises(ValidationError, match="label must be 'production' or 'latest', got"):
        PromptRef.of("a", label)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ref", "path"),
    [
        (PromptRef.of("greeting"), "/prompts/greeting/production"),
        (PromptRef.of("a/b", "latest"), "/prompts/a%2Fb/latest"),
        (PromptRef.of("é", version="1 2"), "/prompts/%C3%A9/versions/1%202"),
    ],
)
def test_the_path_has_the_name_and_the_version_as_one_segment_each(ref: PromptRef, path: str) -> None:
    assert ref.path == path


class Kind(str, enum.Enum):
    GREETING = "greeting"
    LATEST = "latest"


@pytest.mark.parametrize("proxy", [LocalProxy, SimpleLazyObject, lambda call: call()])
class TestProxies:
    """What stands for a text counts as that text, and what stands for None as None."""

    @pytest.mark.parametrize("name", ["greeting", Kind.GREETING, Markup("greeting")])
    def test_a_name_a_label_and_a_version(self, proxy: Any, name: str) -> None:
        assert PromptRef.of(proxy(lambda: name)) == PromptRef("greeting")
        assert PromptRef.of("a", proxy(lambda: Kind.LATEST)) == PromptRef("a", "latest")
        assert PromptRef.of("a", version=proxy(lambda: "v_1")) == PromptRef("a", None, "v_1")
        assert type(PromptRef.of(proxy(lambda: name)).name) is str

    def test_none_is_not_given(self, proxy: Any) -> None:
        assert PromptRef.of("a", proxy(lambda: None), proxy(lambda: None)) == PromptRef("a")
        assert PromptRef.of("a", proxy(lambda: None), "v_1") == PromptRef("a", None, "v_1")
        with pytest.raises(TypeError, match="exclude each other"):
            PromptRef.of("a", proxy(lambda: "latest"), proxy(lambda: "v_1"))

    @pytest.mark.parametrize("value", [5, b"a", "", "..", ["a"], "\ud800"])
    def test_what_cannot_be_asked_for_is_an_error(self, proxy: Any, value: Any) -> None:
        for ask in (
            lambda: PromptRef.of(proxy(lambda: value)),
            lambda: PromptRef.of("a", version=proxy(lambda: value)),
            lambda: PromptRef.of("a", proxy(lambda: value)),
        ):
            with pytest.raises(ValidationError):
                ask()
