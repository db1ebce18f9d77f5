"""Configuration: a frozen value; every option is checked when it is made, and the environment is read here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._fork import held_back
from .._frozen import Frozen
from .._redaction import REDACTED
from ..errors import ConfigurationError
from . import rules
from .cache_store import CacheStore
from .credentials import ApiKeyCredentials, ClientCredentials, Credentials

if TYPE_CHECKING:
    import requests
    from typing_extensions import Unpack

    from .options import Options


# The default, what a value must be, and the environment variable.
_OPTIONS: Mapping[str, tuple[Any, rules.Rule, str | None]] = {
    "credentials": (None, rules.CREDENTIALS, None),
    "base_url": ("https://api.scope.io", rules.URL, "SCOPE_API_URL"),
    "auth_api_url": ("https://auth.scope.io", rules.URL, "SCOPE_AUTH_API_URL"),
    "api_version": ("v1", rules.SEGMENT, None),
    "timeout": (30.0, rules.POSITIVE_SECONDS, None),
    "open_timeout": (10.0, rules.POSITIVE_SECONDS, None),
    "cache_enabled": (True, rules.FLAG, None),
    "cache_ttl": (300.0, rules.SECONDS, None),
    "cache_max_size": (1000, rules.POSITIVE_COUNT, None),
    "max_retries": (3, rules.COUNT, None),
    "retry_base_delay": (0.5, rules.SECONDS, None),
    "retry_max_delay": (30.0, rules.SECONDS, None),
    "telemetry_enabled": (True, rules.FLAG, None),
    "environment": ("production", rules.HEADER_TEXT, "SCOPE_ENVIRONMENT"),
    "token_refresh_buffer": (60.0, rules.SECONDS, "SCOPE_TOKEN_REFRESH_BUFFER"),
    "stale_if_error": (86_400.0, rules.SECONDS, None),
    "deadline": (None, rules.DEADLINE, None),
    "cache_store": (None, rules.STORE, None),
    "cache_local_ttl": (5.0, rules.SECONDS, None),
    "prompt_dir": (None, rules.FOLDER, "SCOPE_PROMPT_DIR"),
    "allow_insecure": (False, rules.FLAG, None),
    "session": (None, rules.SESSION, None),
}


class Configuration(Frozen):
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
    stale_if_error: float
    deadline: float | None
    cache_store: CacheStore | None
    cache_local_ttl: float
    prompt_dir: str | None
    allow_insecure: bool
    session: requests.Session | None

    def __init__(self, **given: Unpack[Options]) -> None:
        refuse_unknown(given)
        self._freeze(**{name: _value(name, given) for name in _OPTIONS})
        self._check_together()

    def merge(self, **changes: Unpack[Options]) -> Configuration:
        """A copy with these options changed; the environment is not read again."""
        refuse_unknown(changes)
        options = self._options()
        options.update(changes)
        return Configuration(**options)

    def to_dict(self) -> dict[str, Any]:
        """Every option, secrets redacted."""
        shown = dict(self._options())
        if self.credentials is not None:
            shown["credentials"] = _shown(self.credentials)
        if self.cache_store is not None:  # somebody's, which may show the password of a server
            shown["cache_store"] = f"<{type(self.cache_store).__name__}>"
        return shown

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"Configuration({shown})"

    def __reduce__(self) -> Any:
        return _restored, (self._options(),)

    def _options(self) -> Options:
        return {name: getattr(self, name) for name in _OPTIONS}  # type: ignore[return-value]  # every one, in order

    def _check_together(self) -> None:
        self._freeze(base_url=re.sub(rf"(/api/{re.escape(self.api_version)})+$", "", self.base_url))
        if re.search(r"/api/v\d+$", self.base_url):
            raise ConfigurationError(
                f"base_url must end in no other API version than api_version, {self.api_version!r}"
            )
        for name in () if self.allow_insecure else ("base_url", "auth_api_url"):
            url = getattr(self, name)
            if url.startswith("http://") and not rules.is_loopback(url):
                raise ConfigurationError(
                    f"{name} must be https://, got http:// to a host that is not this machine: "
                    "secrets would travel in the open (allow_insecure=True permits it)"
                )


def refuse_unknown(given: Iterable[str]) -> None:
    """Raises the TypeError that names the nearest known option."""
    for name in given:
        if name not in _OPTIONS:
            with held_back():
                import difflib

            near = difflib.get_close_matches(name, _OPTIONS, n=1, cutoff=0.0)
            raise TypeError(f"unknown option {name!r}; the nearest one is {near[0]!r}")


def option_names() -> tuple[str, ...]:
    return tuple(_OPTIONS)


def check_option(name: str, value: object, shown_as: str) -> Any:
    """The value as a Configuration keeps it; ConfigurationError under the name that its user knows.

    The message does not show a text, which may be a secret under the wrong name.
    """
    return _OPTIONS[name][1].check(shown_as, value, ConfigurationError, shows_text=False)


def _value(name: str, given: Mapping[str, Any]) -> Any:
    default, rule, variable = _OPTIONS[name]
    if name in given:
        return rule.check(name, given[name], ConfigurationError)
    text = os.environ.get(variable, "") if variable else ""
    return rule.read(f"{variable} (the option {name})", text, ConfigurationError) if text else default


def _shown(credentials: Credentials) -> Any:
    """Only our own kinds are trusted to redact their secret."""
    return credentials.to_dict() if isinstance(credentials, (ApiKeyCredentials, ClientCredentials)) else REDACTED


def _restored(values: Options) -> Configuration:
    return Configuration(**values)
