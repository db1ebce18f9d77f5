"""SCOPE["LOCK"] and SCOPE_LOCK lock the clients of a site; a test with prompts of its own has no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest
from django.core.management import CommandError, call_command
from django.template import engines
from django.test import Client
from faults.greeting import GREETING
from faults.locking import lock_platform

from scope_client import ConfigurationError, ValidationError
from scope_django import get_client
from scope_django._checks import check_settings
from scope_django.test import override_prompts

if TYPE_CHECKING:
    from pathlib import Path

    from scope_client.local import LocalPlatform

Settings = Callable[..., dict[str, Any]]


@pytest.fixture
def lock(tmp_path: Path, platform: LocalPlatform) -> Path:
    path = lock_platform(tmp_path, platform, "greeting")
    platform.publish("greeting", "promoted {{name}}")
    platform.publish("other", "other")
    return path


def rendered(source: str) -> str:
    return str(engines["django"].from_string(source).render({}))


@pytest.mark.parametrize("is_from_environment", [False, True])
def test_a_site_is_locked(
    scope_settings: Settings, lock: Path, monkeypatch: pytest.MonkeyPatch, is_from_environment: bool
) -> None:
    if is_from_environment:
        monkeypatch.setenv("SCOPE_LOCK", str(lock))
        scope_settings()
    else:
        scope_settings(LOCK=lock)
    read = get_client().read_prompt("greeting")
    assert (read.version.content, read.is_locked) == (GREETING, True)
    assert get_client().status().lock == str(lock)
    with pytest.raises(ValidationError, match="has no prompt 'other'"):
        rendered("{% load scope %}{% scope_prompt 'other' %}")


def test_a_shared_cache_of_the_site_serves_what_is_locked(scope_settings: Settings, lock: Path) -> None:
    scope_settings(CACHE_ALIAS="default")
    assert get_client().get_prompt_version("greeting").content == "promoted {{name}}"
    scope_settings(CACHE_ALIAS="default", LOCK=lock)
    assert get_client().get_prompt_version("greeting").content == GREETING
    get_client().clear_cache()


def test_the_folder_answers_where_the_platform_cannot(
    scope_settings: Settings, lock: Path, platform: LocalPlatform
) -> None:
    scope_settings(LOCK=lock)
    platform.stop()
    assert get_client().read_prompt("greeting").source == "folder"
    platform.start()


def test_a_broken_lock_is_told_when_the_client_is_made(scope_settings: Settings, tmp_path: Path) -> None:
    scope_settings(LOCK=tmp_path / "nowhere.lock")
    with pytest.raises(ConfigurationError, match=r"nowhere\.lock' does not exist"):
        get_client()
    scope_settings(LOCK=5)
    with pytest.raises(ConfigurationError, match=r"SCOPE\['LOCK'\] must be the path of a file"):
        get_client()


def test_the_prompts_of_a_test_win(scope_settings: Settings, lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scope_settings(LOCK=lock)
    monkeypatch.setenv("SCOPE_LOCK", str(lock))
    with override_prompts({"new": "of the test"}):
        assert rendered("{% load scope %}{% scope_prompt 'new' %}") == "of the test"
    assert get_client().status().lock == str(lock)


def test_a_lock_that_a_test_does_without_is_no_problem_of_it(
    scope_settings: Settings, tmp_path: Path, scope_platform: LocalPlatform
) -> None:
    scope_settings(LOCK=tmp_path / "nowhere.lock")
    scope_platform.publish("greeting", "of the platform of a test")
    assert get_client().get_prompt_version("greeting").content == "of the platform of a test"
    assert check_settings() == []


def test_the_health_page_says_it(scope_settings: Settings, lock: Path) -> None:
    scope_settings(LOCK=lock)
    get_client().get_prompt_version("greeting")
    shown = Client().get("/health/").json()
    assert (shown["lock"], shown["locked_prompts"], shown["prompts"][0]["is_locked"]) == (str(lock), 1, True)
    assert Client().get("/quiet/").json()["lock"] == "scope.lock"


def test_warm_names_what_the_lock_does_not_have_and_warms_the_rest(
    scope_settings: Settings, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scope_settings(LOCK=lock, CACHE_ALIAS="default")
    with pytest.raises(CommandError):
        call_command("scope", "warm", "other", "greeting")
    said = capsys.readouterr().out
    assert "other: ValidationError: the lock" in said
    assert "greeting: version 1" in said
    get_client().clear_cache()


def test_a_lock_that_cannot_be_read_is_told_once_by_each_check(
    scope_settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scope_settings(LOCK=tmp_path / "nowhere.lock")
    (told,) = check_settings()
    assert (told.id, "SCOPE['LOCK']: the lock does not exist" in told.msg) == ("scope_django.E007", True)
    for against in ([], ["--against", "platform"]):
        with pytest.raises(CommandError, match="1 problem found"):
            call_command("scope", "check", *against)
        out = capsys.readouterr().out
        assert (out.count("nowhere.lock"), "S101" in out) == (1, False)
    with pytest.raises(ConfigurationError, match="does not exist"):
        get_client().get_prompt_version("greeting")
