"""The SCOPE dict of the settings, read at each access, so that `override_settings` works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from scope_client import Configuration, ConfigurationError
from scope_client.frameworks import Settings

from ._store import DjangoStore

SETTING = "SCOPE"
SPELLED = SETTING + "['{}']"
DEFAULT_ALIAS = "default"


def given() -> Any:
    """What the settings have; a dict, where they are right."""
    return getattr(settings, SETTING, {})


def read() -> Settings:
    """Raises ConfigurationError where SCOPE is no dict."""
    found = given()
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"{SETTING} must be a dict such as {{'ORG_ID': ...}}, got {type(found).__name__}")
    return Settings(found, spelled=SPELLED, also=("CACHE_ALIAS",))


def alias() -> str | None:
    """The cache that prompts are shared through; None for no other than the memory of the process."""
    found = given()
    if found.get("CACHE_STORE") is not None and "CACHE_ALIAS" not in found:
        return None
    return found.get("CACHE_ALIAS", DEFAULT_ALIAS)  # type: ignore[no-any-return]  # checked where it is used


def alias_problem() -> str | None:
    """Why the alias cannot be used."""
    name = alias()
    if name is None:
        return None
    if given().get("CACHE_STORE") is not None:
        return f"{SPELLED.format('CACHE_ALIAS')} and {SPELLED.format('CACHE_STORE')} exclude each other"
    if not isinstance(name, str) or name not in settings.CACHES:
        known = ", ".join(map(repr, settings.CACHES))
        return f"{SPELLED.format('CACHE_ALIAS')} must be one of CACHES ({known}) or None"
    return None


def configuration() -> Configuration:
    """Raises ConfigurationError for whatever is wrong with SCOPE; MissingApiKeyError where credentials lack."""
    found = read().configuration()
    problem = alias_problem()
    if problem:
        raise ConfigurationError(problem)
    name = alias()
    return found if name is None else found.merge(cache_store=DjangoStore(name))
