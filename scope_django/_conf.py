"""The SCOPE dict of the settings, read at each access, so that `override_settings` works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from scope_client import Configuration, ConfigurationError
from scope_client.frameworks import SettingProblem, Settings, hides_what_it_was_given, listed, shown

from ._store import DjangoStore

SETTING = "SCOPE"
SPELLED_KEY = SETTING + "['{}']"
DEFAULT = "default"
DEFAULT_ALIAS = "default"


def has_several() -> bool:
    """Whether SCOPE has a dict for each of several organisations, as CACHES and DATABASES have one for each alias."""
    found = getattr(settings, SETTING, {})
    if not isinstance(found, Mapping) or not found:
        return False
    return DEFAULT in found or all(isinstance(value, Mapping) for value in found.values())


def organisations() -> list[str]:
    """The names for `using`; raises ConfigurationError if SCOPE is not a dict, or has several and no default."""
    if not has_several():
        return [DEFAULT]
    names = list(getattr(settings, SETTING))
    if DEFAULT not in names:
        raise ConfigurationError(f"{SETTING} has {listed(names)} and must have 'default' too, as DATABASES has")
    return names


def given(using: str = DEFAULT) -> Mapping[Any, Any]:
    """What the settings have for an organisation; raises ConfigurationError if there is none, or no dict."""
    found = getattr(settings, SETTING, {})
    name = SETTING
    if has_several() or using != DEFAULT:
        known = organisations()
        if using not in known:
            raise ConfigurationError(f"{SETTING} has no organisation {shown(using)}; it has {listed(known)}")
        found, name = found[using], SPELLED_KEY.format(using)
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"{name} must be a dict such as {{'ORG_ID': ...}}, got {type(found).__name__}")
    return found


def spelled_key(using: str = DEFAULT) -> str:
    """How a user writes a key, as a format."""
    return f"{SPELLED_KEY.format(using)}['{{}}']" if has_several() else SPELLED_KEY


@hides_what_it_was_given
def read(using: str = DEFAULT) -> Settings:
    """The settings of an organisation. The environment has the credentials of the default one alone."""
    keys, spelled = given(using), spelled_key(using)
    return Settings(keys, spelled=spelled, also=("CACHE_ALIAS",), is_from_environment=using == DEFAULT)


def alias(using: str = DEFAULT) -> str | None:
    """The cache that prompts are shared through, or None for the memory of the process alone."""
    found = given(using)
    if found.get("CACHE_STORE") is not None and "CACHE_ALIAS" not in found:
        return None
    return found.get("CACHE_ALIAS", DEFAULT_ALIAS)  # type: ignore[no-any-return]  # checked by alias_problem


def alias_problem(using: str = DEFAULT) -> SettingProblem | None:
    """Why the alias cannot be used, or None."""
    name = alias(using)
    spelled = spelled_key(using)
    key = spelled.format("CACHE_ALIAS")
    if name is None:
        return None
    if given(using).get("CACHE_STORE") is not None:
        message = f"{key} and {spelled.format('CACHE_STORE')} exclude each other"
    elif not isinstance(name, str) or name not in settings.CACHES:
        message = f"{key} must be one of CACHES ({listed(settings.CACHES)}) or None"
    else:
        return None
    hint = "name a cache of CACHES, or None for a cache of each process alone"
    return SettingProblem("alias", "CACHE_ALIAS", message, hint)


def problems() -> list[SettingProblem]:
    """Everything that is wrong with the keys of SCOPE; raises ConfigurationError if it is not a dict."""
    found = [each for using in organisations() for each in (*read(using).problems, alias_problem(using))]
    return [problem for problem in found if problem is not None]


def lock_problems() -> list[SettingProblem]:
    """What is wrong with the files of the locks, which no command but those that read prompts needs."""
    found = [read(using).lock_problem() for using in organisations()]
    return [problem for problem in found if problem is not None]


def configuration(using: str = DEFAULT) -> Configuration:
    """Raises ConfigurationError if anything is wrong with SCOPE: MissingApiKeyError if only credentials are missing."""
    found = read(using).configuration()
    problem = alias_problem(using)
    if problem is not None:
        raise ConfigurationError(str(problem))
    name = alias(using)
    return found if name is None else found.merge(cache_store=DjangoStore(name))
