"""The SCOPE dict of the settings, read at each access, so that `override_settings` works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from scope_client import Configuration, ConfigurationError
from scope_client.frameworks import SettingProblem, Settings, hides_what_it_was_given, listed

from ._store import DjangoStore

SETTING = "SCOPE"
SPELLED_KEY = SETTING + "['{}']"
DEFAULT_ALIAS = "default"


def given() -> Any:
    """What the settings have; a dict, if they are right."""
    return getattr(settings, SETTING, {})


@hides_what_it_was_given
def read() -> Settings:
    """Raises ConfigurationError if SCOPE is not a dict."""
    found = given()
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"{SETTING} must be a dict such as {{'ORG_ID': ...}}, got {type(found).__name__}")
    return Settings(found, spelled=SPELLED_KEY, also=("CACHE_ALIAS",))


def alias() -> str | None:
    """The cache that prompts are shared through, or None for the memory of the process alone."""
    found = given()
    if found.get("CACHE_STORE") is not None and "CACHE_ALIAS" not in found:
        return None
    return found.get("CACHE_ALIAS", DEFAULT_ALIAS)  # type: ignore[no-any-return]  # checked by alias_problem


def alias_problem() -> SettingProblem | None:
    """Why the alias cannot be used, or None."""
    name = alias()
    key = SPELLED_KEY.format("CACHE_ALIAS")
    if name is None:
        return None
    if given().get("CACHE_STORE") is not None:
        message = f"{key} and {SPELLED_KEY.format('CACHE_STORE')} exclude each other"
    elif not isinstance(name, str) or name not in settings.CACHES:
        message = f"{key} must be one of CACHES ({listed(settings.CACHES)}) or None"
    else:
        return None
    hint = "name a cache of CACHES, or None for a cache of each process alone"
    return SettingProblem("alias", "CACHE_ALIAS", message, hint)


def problems() -> list[SettingProblem]:
    """Everything that is wrong with the keys of SCOPE; raises ConfigurationError if it is not a dict."""
    found = [*read().problems, alias_problem()]
    return [problem for problem in found if problem is not None]


def configuration() -> Configuration:
    """Raises ConfigurationError if anything is wrong with SCOPE: MissingApiKeyError if only credentials are missing."""
    found = read().configuration()
    problem = alias_problem()
    if problem is not None:
        raise ConfigurationError(str(problem))
    name = alias()
    return found if name is None else found.merge(cache_store=DjangoStore(name))
