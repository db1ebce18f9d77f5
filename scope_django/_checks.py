"""System checks: what is wrong with the SCOPE settings, before anything asks the platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from scope_client import ConfigurationError
from scope_client.frameworks import Settings

from . import _conf as conf

_IDS = {"unknown": "E002", "value": "E003", "missing": "E004", "credentials": "E004", "together": "E006"}
_OF_ONE_PROCESS = ("locmem.LocMemCache", "dummy.DummyCache")
_ON_A_SERVER = {"RedisCache": "socket_timeout", "PyMemcacheCache": "timeout"}


@register(Tags.compatibility)
def check_settings(**_: Any) -> list[CheckMessage]:
    try:
        found = conf.read()
    except ConfigurationError as error:
        return [Error(error.message, hint="Give it the keys that the README lists.", id="scope_django.E001")]
    messages: list[CheckMessage] = [
        Error(f"{problem.message}.", hint=f"{_sentence(problem.hint)}.", id=f"scope_django.{_IDS[problem.kind]}")
        for problem in found.problems
    ]
    problem = conf.alias_problem()
    if problem:
        hint = "Name a cache of CACHES, or None for a cache of each process alone."
        messages.append(Error(f"{problem}.", hint=hint, id="scope_django.E005"))
    return messages


@register(Tags.security, deploy=True)
def check_deployment(**_: Any) -> list[CheckMessage]:
    """Silent where the settings cannot be used at all: the other check tells."""
    try:
        found = conf.read()
    except ConfigurationError:
        return []
    if found.problems or conf.alias_problem():
        return []
    return [*_cache_warnings(found, conf.alias()), *_url_warnings(found)]


def _cache_warnings(found: Settings, alias: str | None) -> Iterator[CheckMessage]:
    if alias is None or not found.configuration().cache_enabled:
        return
    options = settings.CACHES[alias]
    backend = str(options.get("BACKEND", ""))
    if backend.endswith(_OF_ONE_PROCESS):
        yield Warning(
            f"The cache {alias!r}, through which prompts are shared, is one of each process alone.",
            hint="Each process then asks the platform by itself: point SCOPE['CACHE_ALIAS'] at Redis, memcached, "
            "a database or files, or set it to None.",
            id="scope_django.W001",
        )
    limit = _ON_A_SERVER.get(backend.rsplit(".", 1)[-1])
    if limit and limit not in (options.get("OPTIONS") or {}):
        yield Warning(
            f"The cache {alias!r}, through which prompts are shared, waits without limit for a server that hangs.",
            hint=f"Set OPTIONS: {{'{limit}': 0.5}} for it: seconds.",
            id="scope_django.W003",
        )


def _url_warnings(found: Settings) -> Iterator[CheckMessage]:
    config = found.configuration()
    for name in ("base_url", "auth_api_url"):
        if not getattr(config, name).startswith("https://"):
            yield Warning(
                f"{conf.SPELLED.format(name.upper())} is not https://: secrets travel in the open.",
                hint="Use the platform's https:// URL where the site is deployed.",
                id="scope_django.W002",
            )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
