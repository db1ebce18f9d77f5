"""The view for readiness probes."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Callable

import pytest
from django.test import AsyncClient, Client
from django_app.process import reset_client
from faults.crowd import crowd

from scope_client import ServerError
from scope_client.local import LocalPlatform
from scope_django import get_client


@pytest.fixture(autouse=True)
def site(scope_settings: Callable[..., dict]) -> Callable[..., dict]:
    return scope_settings


@pytest.fixture
def probe() -> Client:
    return Client(raise_request_exception=True)


def test_it_shows_the_status_of_the_client_as_json(probe: Client) -> None:
    get_client().get_prompt_version("greeting")
    answer = probe.get("/health/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    shown = answer.json()
    assert shown["ok"] is True
    assert shown["is_down"] is False
    assert [(prompt["name"], prompt["state"]) for prompt in shown["prompts"]] == [("greeting", "fresh")]
    assert shown["counters"]["fetches"] == 1
    expected = get_client().status().to_dict()
    assert shown.keys() == {"ok", *expected}


def test_it_asks_nobody(probe: Client, platform: LocalPlatform) -> None:
    assert [probe.get("/health/").status_code for _ in range(3)] == [200] * 3
    assert not platform.requests


def test_it_is_ready_before_any_prompt_was_read_and_while_the_platform_is_gone(
    probe: Client, platform: LocalPlatform, site: Any
) -> None:
    site(CACHE_TTL=0, MAX_RETRIES=0)
    get_client().get_prompt_version("greeting")
    platform.stop()
    assert get_client().get_prompt_version("greeting").content
    answer = probe.get("/health/")
    assert answer.status_code == 200
    assert answer.json()["is_down"] is True
    assert answer.json()["last_error"]


@pytest.mark.parametrize("how", ["shown", "failed"])
def test_nothing_secret_is_in_it(how: str, probe: Client, platform: LocalPlatform, site: Any) -> None:
    secret = "very-secret-1234"
    if how == "failed":
        site(API_SECRET=secret, MAX_RETRIES=0, CACHE_ALIAS=None)
        with pytest.raises(Exception, match="credentials"):
            get_client().get_prompt_version("greeting")
    else:
        secret = str.__str__(platform.credentials.api_secret)
        get_client().get_prompt_version("greeting")
    body = probe.get("/health/").content.decode()
    assert secret not in body
    assert platform.credentials.api_key not in body
    assert "Bearer" not in body
    assert "eyJ" not in body
    assert "{{name}}" not in body


@pytest.mark.parametrize(
    "bad",
    [{}, 5, {"ORG_ID": "o", "API_KEY": "k", "API_SECRET": "very-secret-1234", "CACHE_TTLL": 1}],
    ids=["no credentials", "no dict", "a misspelled key"],
)
def test_where_the_settings_give_no_client_it_says_why_with_503(bad: Any, probe: Client, settings: Any) -> None:
    settings.SCOPE = bad
    answer = probe.get("/health/")
    assert answer.status_code == 503
    shown = answer.json()
    assert shown["ok"] is False
    assert "SCOPE" in shown["error"]
    assert "very-secret-1234" not in answer.content.decode()


def test_it_is_ready_again_when_the_settings_are(probe: Client, settings: Any) -> None:
    good, settings.SCOPE = settings.SCOPE, {}
    assert probe.get("/health/").status_code == 503
    settings.SCOPE = good
    assert probe.get("/health/").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_only_to_be_read(method: str, probe: Client) -> None:
    assert getattr(probe, method)("/health/").status_code == 405


def test_head_is_answered_without_a_body(probe: Client) -> None:
    answer = probe.head("/health/")
    assert (answer.status_code, answer.content) == (200, b"")


def test_no_cache_keeps_it(probe: Client) -> None:
    for _ in range(2):
        said = probe.get("/health/")["Cache-Control"]
        assert "no-store" in said
        assert "no-cache" in said


def test_what_a_prompt_is_called_stays_json(probe: Client, platform: LocalPlatform) -> None:
    name = '</script>"ü\n🎈'
    platform.publish(name, "x")
    get_client().get_prompt_version(name)
    answer = probe.get("/health/")
    assert json.loads(answer.content)["prompts"][0]["name"] == name


def test_many_probes_at_once_are_all_answered(platform: LocalPlatform) -> None:
    assert crowd(16, lambda: Client().get("/health/").status_code) == [200] * 16
    assert not platform.requests


def test_it_works_under_asgi() -> None:
    async def probes() -> int:
        return (await AsyncClient().get("/health/")).status_code

    assert asyncio.run(probes()) == 200


def test_it_can_leave_the_texts_of_errors_out(probe: Client, platform: LocalPlatform, site: Any) -> None:
    given = site(MAX_RETRIES=0)
    platform.fail(503)
    with pytest.raises(ServerError):
        get_client().get_prompt_version("greeting")
    shown, quiet = probe.get("/health/").json(), probe.get("/quiet/").json()
    assert "503" in shown.pop("last_error")
    assert shown.keys() == quiet.keys()
    assert quiet["last_error_age"] >= 0
    given["CACHE_TTLL"] = 1
    reset_client()
    answer = probe.get("/quiet/")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "error": "ConfigurationError"})
