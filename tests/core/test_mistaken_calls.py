"""Calls that are nearly right: the error says what to write instead."""

from __future__ import annotations

import asyncio
from typing import Any, Callable

import pytest

from scope_client import Configuration, ConfigurationError, PromptVersion, ScopeClient, ValidationError
from scope_client.testing import PromptsClient


@pytest.fixture
def client() -> PromptsClient:
    return PromptsClient({"greeting": "Hi {{name}}"})


READS: dict[str, Callable[[ScopeClient, dict[str, Any]], object]] = {
    "get_prompt_version": lambda client, asked: client.get_prompt_version("greeting", **asked),
    "read_prompt": lambda client, asked: client.read_prompt("greeting", **asked),
    "render_prompt": lambda client, asked: client.render_prompt("greeting", {"name": "Ada"}, **asked),
    "get_cached_version": lambda client, asked: client.get_cached_version("greeting", **asked),
    "clear_cache": lambda client, asked: client.clear_cache("greeting", **asked),
    "aget_prompt_version": lambda client, asked: asyncio.run(client.aget_prompt_version("greeting", **asked)),
    "arender_prompt": lambda client, asked: asyncio.run(client.arender_prompt("greeting", {"name": "Ada"}, **asked)),
    "prefetch": lambda client, asked: client.prefetch([("greeting", asked.get("label"), asked.get("version"))]),
}
every_read = pytest.mark.parametrize("read", READS.values(), ids=READS)


@every_read
@pytest.mark.parametrize("number", [1, "1", "12", " 1 ", True])
def test_the_number_of_a_version_is_not_its_id(read: Callable, number: object, client: PromptsClient) -> None:
    with pytest.raises(ValidationError, match=r"such as 'v_01\w*', and not its number, got "):
        read(client, {"version": number})


@every_read
@pytest.mark.parametrize("label", ["v1", "V2", "#3", "1", 1])
def test_a_version_is_not_a_label(read: Callable, label: object, client: PromptsClient) -> None:
    with pytest.raises(
        ValidationError, match=r"got .* asked for by its ID, such as version='v_01\w*', and not by its num"
    ):
        read(client, {"label": label})


@every_read
@pytest.mark.parametrize("label", ["v_01ABC", "version-123", "ver_5"])
def test_the_id_of_a_version_is_sent_to_the_right_keyword(read: Callable, label: str, client: PromptsClient) -> None:
    with pytest.raises(ValidationError, match=r"goes into version="):
        read(client, {"label": label})


@pytest.mark.parametrize(
    ("label", "near"),
    [("prod", "production"), ("Latest", "latest"), ("newest", "latest"), ("PRODUCTION", "production")],
)
def test_a_label_that_is_nearly_right_names_the_right_one(label: str, near: str, client: PromptsClient) -> None:
    with pytest.raises(ValidationError, match=rf"the nearest one is '{near}'"):
        client.get_prompt_version("greeting", label=label)  # type: ignore[call-overload]


@pytest.mark.parametrize("version", ["v_01ABC", "v1", "version-123", "01J9", "1a", "latest"])
def test_whatever_may_be_an_id_is_asked_for(version: str, client: PromptsClient) -> None:
    assert client.get_prompt_version("greeting", version=version).id == version


async def awaited(call: Any) -> str:
    return await call


RENDERS: dict[str, Callable[..., str]] = {
    "render_prompt": lambda client, *given, **named: client.render_prompt(*given, **named),
    "arender_prompt": lambda client, *given, **named: asyncio.run(awaited(client.arender_prompt(*given, **named))),
}
every_render = pytest.mark.parametrize(("method", "render"), RENDERS.items(), ids=RENDERS)


@every_render
@pytest.mark.parametrize("key", ["name", "tone", "user_name"])
def test_values_as_keywords_are_sent_into_a_mapping(
    method: str, render: Callable, key: str, client: PromptsClient
) -> None:
    with pytest.raises(TypeError, match=rf"{method}\('greeting', {{'{key}': \.\.\.}}\)"):
        render(client, "greeting", **{key: "Ada"})


@pytest.mark.parametrize(("key", "near"), [("cache_tll", "cache_ttl"), ("ttl", "cache_ttl"), ("fallbak", "fallback")])
def test_an_option_of_render_prompt_that_is_nearly_right_names_the_right_one(
    key: str, near: str, client: PromptsClient
) -> None:
    with pytest.raises(TypeError, match=rf"no option '{key}'; the nearest one is '{near}'"):
        client.render_prompt("greeting", {"name": "Ada"}, **{key: 5})  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("positional", "named", "twice"),
    [
        (("greeting", {}), {"name": "Ada"}, "name"),
        (("greeting", {}), {"variables": {}}, "variables"),
        (("greeting", {}, "latest"), {"label": "latest"}, "label"),
    ],
)
def test_what_comes_by_position_and_as_a_keyword_is_refused(
    positional: tuple, named: dict, twice: str, client: PromptsClient
) -> None:
    with pytest.raises(TypeError, match=f"{twice} twice"):
        client.render_prompt(*positional, **named)


@pytest.mark.parametrize("named", [{}, {"variables": {}}, {"label": "latest"}])
def test_render_prompt_without_a_name_says_so(named: dict, client: PromptsClient) -> None:
    with pytest.raises(TypeError, match="needs the name of a prompt"):
        client.render_prompt(**named)


@every_render
def test_all_ways_to_write_a_right_call(method: str, render: Callable, client: PromptsClient) -> None:
    values = {"name": "Ada"}
    texts = {
        render(client, "greeting", values),
        render(client, "greeting", values, "latest"),
        render(client, "greeting", values, label="latest"),
        render(client, "greeting", variables=values, label=None),
        render(client, name="greeting", variables=values),
        render(client, variables=values, name="greeting", version="v_1"),
        render(client, "greeting", values, version="v_1", cache=False, cache_ttl=5, deadline=5),
    }
    assert texts == {"Hi Ada"}
    assert PromptsClient({"plain": "Hi"}).render_prompt("plain") == "Hi"


def test_a_label_by_position_is_the_label(make_client: Callable[..., ScopeClient], server: Any) -> None:
    make_client().render_prompt("greeting", {"name": "Ada"}, "latest")
    assert [read.line.split()[1] for read in server.reads] == ["/api/v1/prompts/greeting/latest"]


@pytest.mark.parametrize("method", [PromptVersion.render, PromptVersion.messages])
@pytest.mark.parametrize("given", [({"name": "Ada"},), ("Ada",), ({"name": "Ada"}, "latest")])
def test_a_mapping_for_what_takes_keywords_is_answered_with_both_ways(
    method: Any, given: tuple, client: PromptsClient
) -> None:
    with pytest.raises(TypeError, match=rf"{method.__name__}\(\*\*values\); client\.render_prompt\("):
        method(client.get_prompt_version("greeting"), *given)


@pytest.mark.parametrize("kind", [ScopeClient, Configuration])
def test_a_configuration_in_the_place_of_credentials_is_sent_to_config(kind: type) -> None:
    with pytest.raises(ConfigurationError, match=r"got Configuration: write config=\.\.\."):
        kind(Configuration())
