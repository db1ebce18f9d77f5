"""System checks: what is wrong with the SCOPE settings, before anything asks the platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from scope_client import Configuration, ConfigurationError

from . import _conf as conf

_ID_OF_KIND = {
    "unknown": "E002",
    "value": "E003",
    "missing": "E004",
    "credentials": "E004",
    "alias": "E005",
    "together": "E006",
}
_BACKENDS_OF_ONE_PROCESS = ("locmem.LocMemCache", "dummy.DummyCache")
_TIME_LIMIT_OF_BACKEND = {"RedisCache": "socket_timeout", "PyMemcacheCache": "timeout"}


@register(Tags.compatibility)
def check_settings(**_: Any) -> list[CheckMessage]:
    """An error for everything that is wrong with SCOPE."""
    try:
        problems = conf.problems()
    except ConfigurationError as error:
        return [Error(error.message, hint="Give it the keys that the README lists.", id="scope_django.E001")]
    return [
        Error(f"{problem.message}.", hint=f"{_sentence(problem.hint)}.", id=f"scope_django.{_ID_OF_KIND[problem.kind]}")
        for problem in problems
    ]


@register(Tags.security, deploy=True)
def check_deployment(**_: Any) -> list[CheckMessage]:
    """Warnings for a site that is deployed; none if the settings are wrong, because the other check says so."""
    try:
        config = conf.configuration()
    except ConfigurationError:
        return []
    return [*_cache_warnings(config, conf.alias()), *_url_warnings(config)]


def _cache_warnings(config: Configuration, alias: str | None) -> Iterator[CheckMessage]:
    if alias is None or not config.cache_enabled:
        return
    options = settings.CACHES[alias]
    backend = str(options.get("BACKEND", ""))
    if backend.endswith(_BACKENDS_OF_ONE_PROCESS):
        yield Warning(
            f"The cache {alias!r}, through which prompts are shared, belongs to one process.",
            hint="Each process asks the platform by itself: point SCOPE['CACHE_ALIAS'] at Redis, memcached, "
            "a database or files, or set it to None.",
            id="scope_django.W001",
        )
    limit = _TIME_LIMIT_OF_BACKEND.get(backend.rsplit(".", 1)[-1])
    if limit and limit not in (options.get("OPTIONS") or {}):
        yield Warning(
            f"The cache {alias!r}, through which prompts are shared, waits without limit for a server that hangs.",
            hint=f"Set OPTIONS: {{'{limit}': 0.5}} for it: seconds.",
            id="scope_django.W003",
        )


def _url_warnings(config: Configuration) -> Iterator[CheckMessage]:
    for name in ("base_url", "auth_api_url"):
        if not getattr(config, name).startswith("https://"):
            yield Warning(
                f"{conf.SPELLED_KEY.format(name.upper())} is not https://: secrets cross the network unencrypted.",
                hint="Use the platform's https:// URL on a site that is deployed.",
                id="scope_django.W002",
            )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
