"""What becomes of a value for which a prompt has no variable: `extra_values`, and what the platform declares."""

from __future__ import annotations

import json
import logging
import pickle
from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.replies import prompt

from scope_client import ConfigurationError, MemoryStore, MissingVariableError, PromptVersion, ValidationError
from scope_client._prompt import surplus
from scope_client.testing import PromptsClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.server import FaultServer

    from scope_client import ScopeClient

Make = Callable[..., "ScopeClient"]
CHAT = [{"role": "user", "content": "Hi {{name}}"}]


@pytest.fixture(autouse=True)
def nothing_was_warned_of() -> Iterator[None]:
    surplus._warned.clear()
    yield
    surplus._warned.clear()


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "has no variable" in record.getMessage()]


@pytest.mark.parametrize("content", ["Hi {{name}}", CHAT])
def test_a_value_without_a_variable_is_an_error_that_names_the_prompt(content: Any) -> None:
    version = PromptsClient({"p": content}).get_prompt_version("p")
    for way in (version.render, version.messages):
        with pytest.raises(
            ValidationError, match=r"^prompt 'p': the prompt has no variable 'nmae'; its variables are: "
        ):
            way(name="x", nmae="y")
        with pytest.raises(
            MissingVariableError, match=r"^prompt 'p': no value.*'name'; the prompt has no variable 'nmae'"
        ):
            way(nmae="y")


@pytest.mark.parametrize("content", ["Hi {{name}}", CHAT])
@pytest.mark.parametrize("rule", ["warn", "ignore"])
def test_it_may_be_left_out(content: Any, rule: str, caplog: pytest.LogCaptureFixture) -> None:
    client = PromptsClient({"p": content}, extra_values=rule)
    version = client.get_prompt_version("p")
    with caplog.at_level(logging.WARNING, "scope_client"):
        for _ in range(3):
            assert "Hi Ada" in version.render(name="Ada", tone="warm", no=None)
            assert version.messages(name="Ada", tone="warm")[0]["content"] == "Hi Ada"
            assert "Hi Ada" in client.render_prompt("p", {"name": "Ada", "tone": "warm"})
    assert len(warned(caplog)) == (2 if rule == "warn" else 0)
    with pytest.raises(MissingVariableError) as caught:
        version.render(tone="warm")
    assert "tone" not in str(caught.value)


def test_a_warning_comes_once_a_prompt_and_name(caplog: pytest.LogCaptureFixture) -> None:
    client = PromptsClient({"p": "{{a}}", "q": "{{a}}"}, extra_values="warn")
    with caplog.at_level(logging.WARNING, "scope_client"):
        for name, values in (("p", {"a": 1, "b": 2}), ("p", {"a": 1, "b": 3, "c": 4}), ("q", {"a": 1, "b": 2})):
            client.render_prompt(name, values)
            client.get_prompt_version(name).render(**values)
    assert [(each.split("'")[1], each.split("'")[3]) for each in warned(caplog)] == [("p", "b"), ("p", "c"), ("q", "b")]


@pytest.mark.parametrize("rule", ["error", "warn"])
@pytest.mark.parametrize("content", ["Hi {{name}}", json.dumps(CHAT)])
def test_a_declared_variable_is_taken_without_a_word(
    rule: str, content: str, make_client: Make, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    kind = "chat" if content.startswith("[") else "text"
    server.answers(prompt(content, prompt_type=kind, variables=["name", "tone", 5, None]))
    version = make_client(extra_values=rule).get_prompt_version("greeting")
    with caplog.at_level(logging.WARNING, "scope_client"):
        assert "Hi Ada" in version.render(name="Ada", tone="warm")
        assert version.messages(name="Ada", tone=None)[0]["content"] == "Hi Ada"
    assert warned(caplog) == []
    assert version.variables == ("name",)
    with pytest.raises(MissingVariableError):
        version.render(tone="warm")


def test_what_is_declared_survives_to_dict_a_pickle_and_a_store(make_client: Make, server: FaultServer) -> None:
    store = MemoryStore()
    server.answers(prompt("{{name}}", variables=["tone", "name"]))
    version = make_client(cache_store=store).get_prompt_version("greeting")
    stored = make_client(cache_store=store).get_prompt_version("greeting")
    assert version.to_dict()["variables"] == ["name", "tone"]
    for each in (stored, PromptVersion.from_api(version.to_dict()), pickle.loads(pickle.dumps(version))):
        assert each.render(name="Ada", tone="warm") == "Ada"
        assert each == version
    assert len(server.reads) == 1


def test_the_rule_is_kept_in_a_pickle_and_in_a_store(make_client: Make, server: FaultServer) -> None:
    store = MemoryStore()
    server.answers(prompt("{{name}}"))
    version = make_client(cache_store=store, extra_values="ignore").get_prompt_version("greeting")
    assert pickle.loads(pickle.dumps(version)).render(name="Ada", tone="warm") == "Ada"
    stored = make_client(cache_store=store, extra_values="ignore").get_prompt_version("greeting")
    assert stored.render(name="Ada", tone="warm") == "Ada"
    strict = make_client(cache_store=store).get_prompt_version("greeting")
    with pytest.raises(ValidationError):
        strict.render(name="Ada", tone="warm")
    assert len(server.reads) == 1


@pytest.mark.parametrize("content", ["Hi {{ name }}", "Hi {{name }}", "Hi {{\tname}}"])
def test_a_variable_that_is_written_with_spaces_is_pointed_at(content: str) -> None:
    version = PromptVersion.from_api({"name": "p", "content": content})
    with pytest.raises(
        ValidationError, match=r"no variable 'name' \(it has \{\{ name \}\} with spaces: write \{\{name\}\} there"
    ):
        version.render(name="Ada")
    with pytest.raises(ValidationError) as caught:
        version.render(other="Ada")
    assert "spaces" not in str(caught.value)


@pytest.mark.parametrize("value", ["Error", "", None, 5, True, ["error"]])
def test_an_option_of_another_value_is_an_error_that_lists_the_good_ones(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="extra_values must be 'error', 'warn' or 'ignore'"):
        PromptsClient({}, extra_values=value)
    with pytest.raises(ConfigurationError, match="when_unfit must be 'error' or 'last_fitting'"):
        PromptsClient({}, when_unfit=value)


def test_only_so_many_warnings_are_remembered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(surplus, "MAX_WARNED_VALUES", 3)
    version = PromptsClient({"p": ""}, extra_values="warn").get_prompt_version("p")
    with caplog.at_level(logging.WARNING, "scope_client"):
        version.render(**{f"v{number}": 1 for number in range(10)})
        version.render(**{f"v{number}": 1 for number in range(10)})
    assert len(warned(caplog)) == len(surplus._warned) == 3


def test_no_spaces_are_spoken_of_if_the_content_has_none_around_the_name() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x.test/{{name}}.png"}}
    version = PromptVersion.from_api({"name": "p", "content": [{"role": "user", "content": [image]}]})
    with pytest.raises(ValidationError) as caught:
        version.messages(name="Ada")
    assert "spaces" not in str(caught.value)


def test_a_value_that_would_be_filled_in_nowhere_is_an_error_though_it_is_declared() -> None:
    spaced = PromptVersion.from_api({"name": "p", "content": "Hi {{ name }}", "variables": ["name"]})
    with pytest.raises(ValidationError, match="with spaces"):
        spaced.render(name="Ada")
    image = {"type": "image_url", "image_url": {"url": "https://x.test/{{name}}.png"}}
    content = [{"role": "user", "content": [image]}]
    unfilled = PromptVersion.from_api({"name": "p", "content": content, "variables": ["name", "tone"]})
    with pytest.raises(ValidationError, match="in a part that is not text"):
        unfilled.messages(name="Ada")
    assert unfilled.messages(tone="warm")[0]["content"] == [image]
