"""System checks: what is wrong with the SCOPE settings, before anything asks the platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from scope_client import Configuration, ConfigurationError
from scope_client.frameworks import SettingProblem

from . import _conf as conf
from ._cache_server import server_of

_MISSING = "missing"
_ID_OF_KIND = {
    "unknown": "E002",
    "value": "E003",
    _MISSING: "E004",
    "credentials": "E004",
    "alias": "E005",
    "together": "E006",
    "lock": "E007",
}
_BACKENDS_OF_ONE_PROCESS = ("locmem.LocMemCache", "dummy.DummyCache")


@register(Tags.compatibility)
def check_settings(**_: Any) -> list[CheckMessage]:
    """An error for everything that is wrong with SCOPE; a warning for credentials that are missing.

    An error would stop nearly every command of Django, and none but those that read prompts needs credentials.
    """
    try:
        problems = [*conf.problems(), *conf.lock_problems()]
    except ConfigurationError as error:
        return [Error(error.message, hint="The page on settings of the manual lists its keys.", id="scope_django.E001")]
    return [_without_credentials(each) if each.kind == _MISSING else _error(each) for each in problems]


@register(Tags.security, deploy=True)
def check_deployment(**_: Any) -> list[CheckMessage]:
    """What is wrong with a site that is deployed; nothing if SCOPE is wrong, because the other check says so."""
    try:
        missing = [_error(problem) for problem in conf.problems() if problem.kind == _MISSING]
        return [*missing, *(warning for using in conf.organisations() for warning in _warnings(using))]
    except ConfigurationError:
        return []


def _error(problem: SettingProblem) -> CheckMessage:
    hint = f"{_sentence(problem.hint)}."
    return Error(f"{problem.message}.", hint=hint, id=f"scope_django.{_ID_OF_KIND[problem.kind]}")


def _without_credentials(problem: SettingProblem) -> CheckMessage:
    hint = f"{_sentence(problem.hint)}; all but the reading of prompts works without them."
    return Warning(f"{problem.message}.", hint=hint, id="scope_django.W004")


def _warnings(using: str) -> Iterator[CheckMessage]:
    try:
        config = conf.configuration(using)
    except ConfigurationError:
        return
    yield from _cache_warnings(config, conf.alias(using))
    yield from _url_warnings(config, conf.spelled_key(using))


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
    server = server_of(alias)
    patience = None if server is None else server.patience
    if server is not None and patience is not None and patience.hanging.is_long:
        yield Warning(
            f"The cache {alias!r}, through which prompts are shared, holds readers up for {patience.hanging} "
            "if its server hangs.",
            hint=f"Set {server.settings(patience.missing)}.",
            id="scope_django.W003",
        )


def _url_warnings(config: Configuration, spelled: str) -> Iterator[CheckMessage]:
    for name in ("base_url", "auth_api_url"):
        if not getattr(config, name).startswith("https://"):
            yield Warning(
                f"{spelled.format(name.upper())} is not https://: secrets cross the network unencrypted.",
                hint="Use the platform's https:// URL on a site that is deployed.",
                id="scope_django.W002",
            )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
