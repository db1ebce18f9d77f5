"""What the platform answers: labels, versions, names as they are written, both generations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable

import pytest

import scope_client
from scope_client import ApiKeyCredentials, Configuration, ConfigurationError, ScopeClient
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.conftest import Caller


def test_production_is_the_published_version_and_latest_the_newest(platform: LocalPlatform, call: Caller) -> None:
    platform.draft("greeting", "Hey, {{name}}!")
    assert call.content("greeting") == "Hello, {{name}}!"
    assert call.content("greeting", "latest") == "Hey, {{name}}!"


def test_a_version_is_found_by_its_id(platform: LocalPlatform, call: Caller) -> None:
    version = platform.draft("greeting", "Hey")
    assert call.content("greeting", f"versions/{version.id}") == "Hey"


def test_a_newer_server_names_the_version_version_id_and_version(platform: LocalPlatform, call: Caller) -> None:
    new = platform.publish("greeting", "{{b}} {{a}} {{b}} {{ c }}", metadata={"model": {"x": [1]}}, tags=["t"])
    assert call.read("greeting").json() == {
        "version_id": new.id,
        "version": 2,
        "prompt_id": new.prompt_id,
        "name": "greeting",
        "content": "{{b}} {{a}} {{b}} {{ c }}",
        "variables": ["b", "a"],
        "status": "published",
        "is_production": True,
        "prompt_type": "text",
        "metadata": {"model": {"x": [1]}},
        "tags": ["t"],
        "created_at": new.created_at,
        "updated_at": new.updated_at,
        "promoted_at": new.updated_at,
        "promoted_by": "local",
    }


def test_an_older_server_names_it_id_and_version_number_and_its_errors_are_flat(
    call_to: Callable[[LocalPlatform], Caller],
) -> None:
    with LocalPlatform({"greeting": "Hi"}, generation="older") as platform:
        call = call_to(platform)
        version = call.read("greeting").json()
        error = call.read("nobody").json()
    assert {"id", "version_number"} <= set(version)
    assert not {"version_id", "version"} & set(version)
    assert error == {"code": "prompt_not_found", "message": "Prompt 'nobody' was not found"}


def test_a_draft_was_promoted_by_nobody(platform: LocalPlatform, call: Caller) -> None:
    platform.draft("greeting", "Hey")
    body = call.read("greeting", "latest").json()
    assert (body["status"], body["is_production"]) == ("draft", False)
    assert (body["promoted_at"], body["promoted_by"]) == (None, None)


def test_a_chat_prompt_is_the_json_text_of_its_messages(platform: LocalPlatform, call: Caller) -> None:
    messages = [{"role": "system", "content": "Be {{café}}"}, {"role": "user", "content": "{{a}}\n{{café}}"}]
    platform.publish("chat", messages)
    body = call.read("chat").json()
    assert body["prompt_type"] == "chat"
    assert json.loads(body["content"]) == messages
    assert body["variables"] == ["café", "a"]


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "/",
        "//",
        "a//b/",
        "..a",
        "a%2Fb",
        "%",
        "100 %",
        "a?b=c",
        "a#b",
        "a+b",
        " ",
        "日本語",
        "é\u0301",
        "\n",
        "\x00",
    ],
)
def test_a_name_is_one_segment_whatever_is_in_it(name: str, platform: LocalPlatform, call: Caller) -> None:
    platform.publish(name, f"content of {name!r}")
    assert call.content(name) == f"content of {name!r}"
    assert call.read(name).json()["name"] == name


def test_a_prompt_is_found_by_its_id_in_either_case(platform: LocalPlatform, call: Caller) -> None:
    identity = platform.publish("a/b", "Hi").prompt_id
    assert call.content(identity) == "Hi"
    assert call.content(f"prompt_{identity[7:].lower()}", "latest") == "Hi"


def test_a_name_that_only_begins_like_an_id_is_a_name(platform: LocalPlatform, call: Caller) -> None:
    platform.publish("prompt_foo", "Hi")
    assert call.content("prompt_foo") == "Hi"


@pytest.mark.parametrize(
    ("name", "which", "code"),
    [
        ("nobody", "production", "prompt_not_found"),
        ("nobody", "latest", "prompt_not_found"),
        ("nobody", "versions/v_1", "prompt_not_found"),
        ("prompt_01HXYZ8K3N5Q7R9T1V3W5Y7Z9A", "production", "prompt_not_found"),
        ("GREETING", "production", "prompt_not_found"),
        ("greeting", "versions/v_1", "version_not_found"),
        ("greeting", "staging", "not_found"),
        ("greeting", "production/", "not_found"),
    ],
)
def test_a_404_says_what_is_missing(name: str, which: str, code: str, call: Caller) -> None:
    answer = call.read(name, which)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


def test_a_prompt_without_a_published_version_is_a_404_of_its_own(platform: LocalPlatform, call: Caller) -> None:
    platform.archive("greeting")
    assert call.code("greeting") == "no_production_version"
    assert call.read("greeting", "latest").json()["status"] == "archived"


@pytest.mark.parametrize("path", ["/", "/api/v1/prompts//latest", "/v1", "/static/x"])
def test_a_path_that_is_not_the_api_s_is_a_404_in_json(path: str, call: Caller) -> None:
    answer = call.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_path_that_is_not_utf_8_is_a_400(call: Caller) -> None:
    answer = call.get("/api/v1/prompts/%FF/latest")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_path")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_a_wrong_method_is_a_405_in_json(method: str, platform: LocalPlatform, call: Caller) -> None:
    answer = call.session.request(method, f"{platform.url}/api/v1/prompts/greeting/latest", timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_any_version_of_the_api_is_served(call: Caller) -> None:
    assert call.get("/api/v7/prompts/greeting/latest").status_code == 200


def test_a_request_id_comes_back_and_is_made_where_there_is_none(platform: LocalPlatform, call: Caller) -> None:
    assert call.get("/api/v1/prompts/greeting/latest", **{"X-Request-ID": "mine"}).headers["X-Request-ID"] == "mine"
    made = [call.read("greeting").headers["X-Request-ID"], call.buy().headers["X-Request-ID"]]
    assert all(len(one) == 36 for one in made)
    assert made[0] != made[1]
    assert call.get("/nowhere", **{"X-Request-ID": "mine"}).headers["X-Request-ID"] == "mine"


def test_a_client_of_the_platform_reads_its_prompts(platform: LocalPlatform) -> None:
    platform.publish("a/b", "Hi, {{name}}", metadata={"model": "gpt-4"})
    with platform.client(cache_ttl=5) as client:
        version = client.get_prompt_version("a/b")
        assert version.render(name="Ada") == "Hi, Ada"
        assert (version.version_number, version.get_metadata("model")) == (1, "gpt-4")
        assert client.config.cache_ttl == 5


def test_a_program_is_pointed_at_the_platform_by_its_environment(
    platform: LocalPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in platform.environ.items():
        monkeypatch.setenv(variable, value)
    with ScopeClient(credentials=ApiKeyCredentials.from_env()) as client:
        assert client.render_prompt("greeting", {"name": "Ada"}) == "Hello, Ada!"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"prompts": ["greeting"]}, "prompts must be a mapping of names to contents, or a folder, got list"),
        ({"prompts": {"": "Hi"}}, "a prompt's name must be text other than"),
        ({"prompts": {"greeting": 7}}, "content must be text, or a list"),
        ({"prompts": {"greeting": [{"role": "user"}]}}, "expected message 1 of a chat prompt as"),
        ({"generation": "newest"}, "generation must be one of newer, older"),
        ({"latency": -1}, "latency must be a number of seconds, 0 or more"),
        ({"token_ttl": 0}, "token_ttl must be a whole number from 1"),
        ({"port": 65536}, "port must be 0 for any free one, or up to 65535"),
        ({"port": "80"}, "port must be a whole number"),
    ],
)
def test_an_argument_that_cannot_be_is_named(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        LocalPlatform(**arguments)


def test_a_folder_that_is_not_right_stops_the_platform_from_being_made(tmp_path: Path) -> None:
    (tmp_path / "g.md").write_text("---\nstatsu: draft\n---\n")
    with pytest.raises(ConfigurationError, match=r"g\.md: unknown front matter key"):
        LocalPlatform(tmp_path)


def test_a_client_of_the_platform_takes_nothing_of_what_the_process_configured(platform: LocalPlatform) -> None:
    scope_client.configure(cache_ttl=7)
    try:
        assert platform.client().config.cache_ttl == Configuration().cache_ttl
    finally:
        scope_client.reset_configuration()
