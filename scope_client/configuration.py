"""Configuration: a frozen value; every option is checked when it is made, and the environment is read here."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypedDict

from . import rules
from .credentials import REDACTED, Credentials
from .errors import ConfigurationError

if TYPE_CHECKING:
    import requests
    from typing_extensions import Unpack


class Options(TypedDict, total=False):
    """The keywords of Configuration, ScopeClient and configure()."""

    credentials: Credentials | None
    base_url: str
    auth_api_url: str
    api_version: str
    timeout: float
    open_timeout: float
    cache_enabled: bool
    cache_ttl: float
    cache_max_size: int
    max_retries: int
    retry_base_delay: float
    retry_max_delay: float
    telemetry_enabled: bool
    environment: str
    token_refresh_buffer: float
    allow_insecure: bool
    session: requests.Session | None


class _Option(NamedTuple):
    default: Any
    rule: rules.Rule
    variable: str | None = None


_OPTIONS: Mapping[str, _Option] = {
    "credentials": _Option(None, rules.CREDENTIALS),
    "base_url": _Option("https://api.scope.io", rules.URL, "SCOPE_API_URL"),
    "auth_api_url": _Option("https://auth.scope.io", rules.URL, "SCOPE_AUTH_API_URL"),
    "api_version": _Option("v1", rules.SEGMENT),
    "timeout": _Option(30.0, rules.POSITIVE_SECONDS),
    "open_timeout": _Option(10.0, rules.POSITIVE_SECONDS),
    "cache_enabled": _Option(True, rules.FLAG),
    "cache_ttl": _Option(300.0, rules.SECONDS),
    "cache_max_size": _Option(1000, rules.POSITIVE_COUNT),
    "max_retries": _Option(3, rules.COUNT),
    "retry_base_delay": _Option(0.5, rules.SECONDS),
    "retry_max_delay": _Option(30.0, rules.SECONDS),
    "telemetry_enabled": _Option(True, rules.FLAG),
    "environment": _Option("production", rules.HEADER_TEXT, "SCOPE_ENVIRONMENT"),
    "token_refresh_buffer": _Option(60.0, rules.SECONDS, "SCOPE_TOKEN_REFRESH_BUFFER"),
    "allow_insecure": _Option(False, rules.FLAG),
    "session": _Option(None, rules.SESSION),
}


class Configuration:
    """Every setting of a client, under the names of `Options`.

    An option that is given wins over the environment, and that over the default. Times are in seconds.
    Raises ConfigurationError for a value that is not what the option must be, TypeError for an unknown option.
    """

    __slots__ = tuple(_OPTIONS)
    credentials: Credentials | None
    base_url: str
    auth_api_url: str
    api_version: str
    timeout: float
    open_timeout: float
    cache_enabled: bool
    cache_ttl: float
    cache_max_size: int
    max_retries: int
    retry_base_delay: float
    retry_max_delay: float
    telemetry_enabled: bool
    environment: str
    token_refresh_buffer: float
    allow_insecure: bool
    session: requests.Session | None

    def __init__(self, **given: Unpack[Options]) -> None:
        refuse_unknown(given)
        for name, option in _OPTIONS.items():
            object.__setattr__(self, name, _value(name, option, given))
        self._check_together()

    def merge(self, **changes: Unpack[Options]) -> Configuration:
        """A copy with these options changed; the environment is not read again."""
        refuse_unknown(changes)
        return Configuration(**{**self._values(), **changes})

    def to_dict(self) -> dict[str, Any]:
        """Every option, secrets redacted."""
        shown = self._values()
        if self.credentials is not None:
            to_dict = getattr(self.credentials, "to_dict", None)
            shown["credentials"] = to_dict() if to_dict else REDACTED
        return shown

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"Configuration({shown})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Configuration) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(tuple(self._values().values()))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Configuration is frozen: use merge({name}=...) for a changed copy")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Configuration is frozen: {name} cannot be deleted")

    def __reduce__(self) -> Any:
        return _restored, (self._values(),)

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _OPTIONS}

    def _check_together(self) -> None:
        object.__setattr__(self, "base_url", re.sub(rf"/api/(v\d+|{re.escape(self.api_version)})$", "", self.base_url))
        for name in () if self.allow_insecure else ("base_url", "auth_api_url"):
            if rules.is_insecure(getattr(self, name)):
                raise ConfigurationError(
                    f"{name} must be https://, got http:// to a host that is not this machine: "
                    "secrets would travel in the open (allow_insecure=True permits it)"
                )


def refuse_unknown(given: Iterable[str]) -> None:
    """Raises the TypeError that names the nearest known option."""
    for name in given:
        if name not in _OPTIONS:
            near = difflib.get_close_matches(name, _OPTIONS, n=1, cutoff=0.0)
            raise TypeError(f"unknown option {name!r}; the nearest one is {near[0]!r}")


def _value(name: str, option: _Option, given: Mapping[str, Any]) -> Any:
    if name in given:
        return option.rule.check(name, given[name], ConfigurationError)
    text = os.environ.get(option.variable, "") if option.variable else ""
    if not text:
        return option.default
    return option.rule.read(f"{option.variable} (the option {name})", text, ConfigurationError)


def _restored(values: Options) -> Configuration:
    return Configuration(**values)
