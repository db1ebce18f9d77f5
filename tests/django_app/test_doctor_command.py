"""`manage.py scope doctor` looks at the set-up of the site: its settings, its platform, and the cache it shares."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Callable

import pytest
from django.core.management import CommandError, call_command
from faults.locking import lock_platform

if TYPE_CHECKING:
    from pathlib import Path

    from scope_client.local import LocalPlatform

Settings = Callable[..., dict[str, Any]]


def diagnosis(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("scope", "doctor", *arguments, "--json", stdout=out)
    return {check["name"]: check for check in json.loads(out.getvalue())["checks"]}


def test_a_site_that_works(scope_settings: Settings) -> None:
    scope_settings(TIMEOUT=7, CACHE_ALIAS="default")
    found = diagnosis("greeting")
    assert {check["outcome"] for check in found.values()} <= {"ok", "skipped", "warning"}
    assert found["option timeout"]["detail"] == "7.0 (settings)"
    assert found["option cache_ttl"]["detail"] == "300.0 (default)"
    assert "secret ***" in found["credentials"]["detail"]
    assert found["prompt greeting"]["detail"] == "version 1, text"
    assert (found["store"]["outcome"], "set, get and delete" in found["store"]["detail"]) == ("ok", True)


def test_a_value_of_the_environment_is_told_as_such(scope_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPE_TIMEOUT", "9")
    scope_settings()
    assert diagnosis()["option timeout"]["detail"] == "9.0 (SCOPE_TIMEOUT)"


def test_a_site_whose_settings_are_wrong(scope_settings: Settings) -> None:
    scope_settings(CACHE_TLL=5, TIMEOUT="soon")
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 checks have failed: options, options"):
        call_command("scope", "doctor", stdout=out)
    assert "SCOPE['CACHE_TLL'] is not a setting" in out.getvalue()
    assert "-> the nearest one is SCOPE['CACHE_TTL']" in out.getvalue()


def test_a_platform_that_is_gone(scope_settings: Settings, platform: LocalPlatform) -> None:
    platform.stop()
    with pytest.raises(CommandError, match=r"1 check has failed: tcp 127\.0\.0\.1"):
        call_command("scope", "doctor", stdout=io.StringIO())
    platform.start()


def test_the_lock_of_the_site_or_another_one(scope_settings: Settings, platform: LocalPlatform, tmp_path: Path) -> None:
    lock = lock_platform(tmp_path, platform, "greeting")
    scope_settings(LOCK=lock)
    assert diagnosis()["lock"]["outcome"] == "ok"
    scope_settings()
    assert diagnosis("--lock", str(lock))["option lock"]["detail"] == f"{lock} (argument)"


def test_a_cache_that_keeps_nothing(scope_settings: Settings, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    scope_settings(CACHE_ALIAS="default")
    with pytest.raises(CommandError, match="store"):
        call_command("scope", "doctor", stdout=io.StringIO())
