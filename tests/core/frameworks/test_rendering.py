"""The template function `scope_prompt`, and what every template tag does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest

from scope_client import (
    ConfigurationError,
    MissingVariableError,
    NotFoundError,
    ScopeClient,
    ServerError,
    ValidationError,
)
from scope_client.frameworks import TemplateFunction, render_in_template
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator


class Undefined:
    def __init__(self, words: str) -> None:
        self._undefined_message = words


class Silent(Undefined):
    def __init__(self) -> None:
        pass


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Good {{time_of_day}}, {{name}}!", "hi": "Hi {{name}}"}) as started:
        yield started


@pytest.fixture
def client(platform: LocalPlatform) -> Iterator[ScopeClient]:
    with platform.client(max_retries=0) as made:
        yield made


@pytest.fixture
def scope_prompt(client: ScopeClient) -> TemplateFunction:
    return TemplateFunction(lambda: client, Undefined)


def test_it_gives_the_prompt_filled_in_as_plain_text(scope_prompt: Callable) -> None:
    assert scope_prompt("greeting", time_of_day="<noon>", variables={"name": "Ada"}) == "Good <noon>, Ada!"


def test_it_asks_for_the_client_at_each_call() -> None:
    asked: list[int] = []

    def no_client() -> ScopeClient:
        asked.append(1)
        raise ConfigurationError("none")

    function = TemplateFunction(no_client, Undefined)
    assert asked == []
    for times in (1, 2):
        with pytest.raises(ConfigurationError, match="none"):
            function("hi", name="x")
        assert len(asked) == times


def test_it_takes_a_label_a_version_and_a_fallback(scope_prompt: Callable, platform: LocalPlatform) -> None:
    draft = platform.draft("hi", "Draft {{name}}")
    assert scope_prompt("hi", label="latest", name="x") == scope_prompt("hi", version=draft.id, name="x") == "Draft x"
    platform.fail(503)
    assert scope_prompt("other", fallback="Hey {{name}}", name="x") == "Hey x"
    assert scope_prompt("other", fallback=lambda: "Hey") == "Hey"
    with pytest.raises(ServerError):
        scope_prompt("other")


@pytest.mark.parametrize("name", ["label", "version", "fallback", "variables", "name", "self", "client", "values"])
def test_any_name_is_a_variable(name: str, scope_prompt: Callable, platform: LocalPlatform) -> None:
    platform.publish("any", f"{{{{{name}}}}}")
    assert scope_prompt("any", variables={name: "x"}) == "x"
    if name not in ("label", "version", "fallback", "variables"):
        assert scope_prompt("any", **{name: "x"}) == "x"


def test_what_is_undefined_is_missing_and_said_in_the_engines_words(scope_prompt: Callable) -> None:
    for given in (
        {"name": Undefined("'user' is undefined")},
        {"variables": {"name": Undefined("'user' is undefined")}},
    ):
        with pytest.raises(MissingVariableError, match=r"'greeting'.*'user' is undefined") as caught:
            scope_prompt("greeting", **given)
        assert caught.value.missing_variables == ("time_of_day", "name")
    with pytest.raises(MissingVariableError, match=r"'hi'.*something undefined"):
        scope_prompt("hi", name=Silent())


@pytest.mark.parametrize("option", ["name", "label", "version", "fallback"])
def test_an_option_that_is_undefined_is_an_error(option: str, scope_prompt: Callable, platform: LocalPlatform) -> None:
    undefined = Undefined("'page' is undefined")
    with pytest.raises(ValidationError, match=f"{option} of a prompt is not defined: 'page' is undefined"):
        scope_prompt(undefined) if option == "name" else scope_prompt("hi", **{option: undefined})
    assert platform.requests == ()


def test_a_value_that_is_given_twice_is_an_error_that_names_it(scope_prompt: Callable) -> None:
    with pytest.raises(ValidationError, match="twice for name"):
        scope_prompt("hi", name="a", variables={"name": "a"})


@pytest.mark.parametrize("variables", [5, "name", [("name", "x")], Undefined("gone")])
def test_variables_that_are_no_mapping_are_an_error(variables: Any, scope_prompt: Callable) -> None:
    with pytest.raises(ValidationError, match="variables"):
        scope_prompt("hi", variables=variables)


def test_what_was_given_is_not_changed(scope_prompt: Callable) -> None:
    variables = {"name": "Ada"}
    scope_prompt("greeting", variables=variables, time_of_day="noon")
    assert variables == {"name": "Ada"}


@pytest.mark.parametrize("values", [{}, {"name": None}, {"name": "x", "more": "y"}])
def test_an_error_of_the_values_names_the_prompt_once_and_each_time(values: dict, client: ScopeClient) -> None:
    for _ in range(2):
        with pytest.raises((MissingVariableError, ValidationError)) as caught:
            render_in_template(client, "hi", dict(values))
        assert str(caught.value).count("prompt 'hi': ") == 1
        assert caught.value.message == caught.value.args[0]


def test_an_unknown_prompt_is_told_before_what_is_missing(client: ScopeClient) -> None:
    with pytest.raises(NotFoundError):
        render_in_template(client, "nowhere", {}, {"name": "user.name"})


def test_what_a_template_could_not_resolve_is_named(client: ScopeClient) -> None:
    with pytest.raises(MissingVariableError, match=r"'name': user\.name") as caught:
        render_in_template(client, "greeting", {"time_of_day": "noon"}, {"name": "user.name"})
    assert caught.value.missing_variables == ("name",)


@pytest.mark.parametrize("given", [({"name": "Ada"},), ("Ada",), ({"name": "Ada"}, "latest")])
def test_values_by_position_are_sent_to_variables(given: tuple, scope_prompt: TemplateFunction) -> None:
    with pytest.raises(TypeError, match=r"scope_prompt\(name, variables=values\)"):
        scope_prompt("hi", *given)
