"""`manage.py scope warm` where nothing stays warm: it says so in plain words, and does not succeed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Callable

import pytest
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import CommandError, call_command
from django_app.caching import BACKENDS
from django_app.process import reset_client

from scope_client import MemoryStore

SHARE = "all processes share"


class Own(LocMemCache):
    """As projects have one, with a method or two more."""


class Swallowing(BaseCache):
    """As a memcached client that swallows its errors, and whose server is down."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def set(self, *given: Any, **options: Any) -> None:
        pass

    def add(self, *given: Any, **options: Any) -> bool:
        return False

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return default

    def delete(self, *given: Any, **options: Any) -> bool:
        return False


def warmed(*words: str) -> tuple[str, str]:
    """What is printed, and how the command failed."""
    out = io.StringIO()
    try:
        call_command("scope", "warm", *words, stdout=out, stderr=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


@pytest.fixture(autouse=True)
def templates(settings: Any, tmp_path: Path, scope_settings: Callable[..., Any]) -> None:
    scope_settings(MAX_RETRIES=0)
    settings.TEMPLATES = []


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        (BACKENDS + "locmem.LocMemCache", "the cache 'default' (LocMemCache) belongs to this process alone"),
        (f"{__name__}.Own", "the cache 'default' (Own) belongs to this process alone"),
        (BACKENDS + "dummy.DummyCache", "the cache 'default' (DummyCache) keeps nothing"),
        (BACKENDS + "db.DatabaseCache", "the cache 'default' (DatabaseCache) is in a database in the memory of"),
    ],
)
def test_a_cache_of_one_process_is_named(backend: str, said: str, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "kept"}}
    out, failure = warmed("greeting")
    assert out == "greeting: version 1\n"
    assert failure.startswith(f"nothing stays warm: {said}")
    assert SHARE in failure
    shown = json.loads(warmed("greeting", "--json")[0])
    assert shown["cache_problem"] == failure
    assert [prompt["is_warm"] for prompt in shown["prompts"]] == [False]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"CACHE_ALIAS": None}, "SCOPE['CACHE_ALIAS'] is None, so each process has prompts of its own"),
        ({"CACHE_ENABLED": False}, "the cache is off"),
        ({"CACHE_TTL": 0}, "CACHE_TTL is 0, so that each read asks again"),
        ({"CACHE_STORE": MemoryStore()}, "a MemoryStore belongs to this process alone"),
    ],
    ids=["no alias", "no cache", "no time", "a store of its own"],
)
def test_settings_that_share_nothing_are_named(
    keys: dict[str, Any], said: str, scope_settings: Callable[..., Any]
) -> None:
    scope_settings(MAX_RETRIES=0, **keys)
    assert warmed("greeting")[1].startswith(f"nothing stays warm: {said}")


def test_files_are_shared_by_the_processes_of_a_machine(settings: Any, tmp_path: Path) -> None:
    settings.CACHES = {"default": {"BACKEND": BACKENDS + "filebased.FileBasedCache", "LOCATION": tmp_path / "kept"}}
    assert warmed("greeting") == ("greeting: version 1\n", "")


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        (BACKENDS + "redis.RedisCache", "the shared cache does not work: ConnectionError"),
        (f"{__name__}.Swallowing", "it takes all and keeps nothing"),
    ],
)
def test_a_server_that_is_down_is_named_also_if_its_client_swallows_that(
    backend: str, said: str, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1"}}
    out, failure = warmed("greeting")
    assert (out, said in failure) == ("greeting: version 1\n", True)
    reset_client()
    checked = io.StringIO()
    with pytest.raises(CommandError, match="1 problem found"):
        call_command("scope", "check", stdout=checked)
    assert said in checked.getvalue()


def test_without_a_prompt_to_warm_there_is_nothing_to_keep() -> None:
    assert warmed() == ("no template names a prompt\n", "")


def test_check_is_content_with_a_cache_of_one_process_or_none(settings: Any) -> None:
    for backend in ("locmem.LocMemCache", "dummy.DummyCache"):
        settings.CACHES = {"default": {"BACKEND": BACKENDS + backend}}
        call_command("scope", "check", stdout=io.StringIO())
