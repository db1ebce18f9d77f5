"""The functions that `scope types` writes."""

from __future__ import annotations

from typing import Any

import pytest
from check.marked import found, seen

from scope_client._check.fit import misfits
from scope_client._prompt.prompt_version import PromptVersion
from scope_client._types.signatures import signatures_of
from scope_client._types.source_text import module_text
from scope_client._types.sources import TypedPrompt


def module(name: str = "extra", variables: tuple[str, ...] = ("x",), **more: Any) -> str:
    facts = {"label": "production", "is_chat": False, "declared": (), "placeholders": frozenset(), "description": ""}
    return module_text(signatures_of([TypedPrompt(name=name, variables=variables, **{**facts, **more})], {}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (module(), "extra(x)[text]"),
        (module(variables=()), "extra()[text]"),
        (module("support/mail é"), "support/mail é(x)[text]"),
        (module(variables=("x", "class", "a-b")), "extra(class, a-b, x)[text]"),
        (module(variables=("class",)), "extra(class)[text]"),
        (module(variables=("class",), declared=("a-b",)), "extra(class)[text]"),
        (module(variables=(), declared=("a-b", "y")), "extra()[text]"),
        (module(declared=("y",)), "extra(x)[text]"),
        (module(label="latest"), "extra@latest(x)[text]"),
        (module(is_chat=True), "extra(x)[chat]"),
        (
            module(variables=("x", "past"), is_chat=True, placeholders=frozenset(["past"])),
            "extra(x, past:messages)[chat]",
        ),
        (module(variables=("a-b",), is_chat=True, placeholders=frozenset(["a-b"])), "extra(a-b:messages)[chat]"),
    ],
)
def test_a_function_is_one_use_with_what_it_has_to_be_given(text: str, expected: str) -> None:
    assert found(text) == [expected]


def test_its_place_is_that_of_the_name_and_of_each_variable() -> None:
    text = module()
    (use,) = seen(text).uses
    lines = text.split("\n")
    assert lines[use.place.line - 1][use.place.column - 1 :] == '"extra",'
    assert lines[use.given[0].place.line - 1][use.given[0].place.column - 1 :] == '"x": x,'
    assert use.in_function == "extra"


def test_what_does_not_fit_is_mended_by_making_it_anew() -> None:
    (use,) = seen(module()).uses
    for version in (
        {"type": "text", "content": "{{x}} {{y}}"},
        {"type": "text", "content": "none"},
        {"type": "chat", "content": '[{"role": "user", "content": "{{x}}"}]'},
    ):
        (misfit,) = misfits(use, PromptVersion({"id": "v_1", "name": "extra", "version_number": 1, **version}))
        assert misfit.message("it").endswith("; run `scope types` again")


def test_other_functions_called_text_are_none() -> None:
    assert found("from scope_client import ScopeClient\nui.text('a', {})\nfrom other import text\ntext('a')") == []
    assert found("from app import prompt_functions as f\nf.text('a', {})") == []
