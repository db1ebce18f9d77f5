"""Configuration: a frozen value; every option is checked when it is made, and the environment is read here."""

import functools
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Optional

from .._frames import hides_what_it_was_given
from .._frozen import Frozen
from .._redaction import REDACTED
from .._stores.cache_store import CacheStore
from .._wording import shown
from ..errors import ConfigurationError, MissingApiKeyError
from . import rules
from .credentials import ApiKeyCredentials, ClientCredentials, Credentials
from .near_misses import advice
from .options import NOT_GIVEN, ExtraValues, Options, Session, Unpack, WhenUnfit

DEFAULT_BASE_URL = "https://api.scope.io"
DEFAULT_AUTH_API_URL = "https://auth.scope.io"
# The default, what a value must be, and the environment variable.
_OPTIONS: Mapping[str, tuple[Any, rules.Rule, Optional[str]]] = {
    "credentials": (None, rules.CREDENTIALS, None),
    "base_url": (DEFAULT_BASE_URL, rules.URL, "SCOPE_API_URL"),
    "auth_api_url": (DEFAULT_AUTH_API_URL, rules.URL, "SCOPE_AUTH_API_URL"),
    "api_version": ("v1", rules.SEGMENT, None),
    "timeout": (30.0, rules.POSITIVE_SECONDS, "SCOPE_TIMEOUT"),
    "open_timeout": (10.0, rules.POSITIVE_SECONDS, None),
    "cache_enabled": (True, rules.FLAG, None),
    "cache_ttl": (300.0, rules.SECONDS, "SCOPE_CACHE_TTL"),
    "cache_max_size": (1000, rules.POSITIVE_COUNT, None),
    "max_retries": (3, rules.COUNT, None),
    "retry_base_delay": (0.5, rules.SECONDS, None),
    "retry_max_delay": (30.0, rules.SECONDS, None),
    "telemetry_enabled": (True, rules.FLAG, None),
    "environment": ("production", rules.HEADER_TEXT, "SCOPE_ENVIRONMENT"),
    "token_refresh_buffer": (60.0, rules.SECONDS, "SCOPE_TOKEN_REFRESH_BUFFER"),
    "stale_if_error": (86_400.0, rules.SECONDS, None),
    "stale_while_revalidate": (0.0, rules.SECONDS, None),
    "deadline": (None, rules.DEADLINE, None),
    "cache_store": (None, rules.STORE, None),
    "cache_local_ttl": (5.0, rules.SECONDS, None),
    "prompt_dir": (None, rules.FOLDER, "SCOPE_PROMPT_DIR"),
    "lock": (None, rules.FILE, "SCOPE_LOCK"),
    "allow_insecure": (False, rules.FLAG, "SCOPE_ALLOW_INSECURE"),
    "session": (None, rules.SESSION, None),
    "extra_values": ("error", rules.EXTRA_VALUES, "SCOPE_EXTRA_VALUES"),
    "when_unfit": ("error", rules.WHEN_UNFIT, "SCOPE_WHEN_UNFIT"),
}


class Configuration(Frozen):
    """Every option of a client, checked. `Options` has the defaults and the environment variables.

    An option that is given wins over the environment, and the environment wins over the default.

    Args:
        keys: The credentials, which alone may be given by position too.
        given: The options, as keywords.

    Raises:
        ConfigurationError: An option has a value that it must not have.
        TypeError: There is no such option.
    """

    __slots__ = tuple(_OPTIONS)
    credentials: Optional[Credentials]
    """Who asks."""
    base_url: str
    """Where the prompts are, without the part /api/{api_version}."""
    auth_api_url: str
    """Where tokens are bought."""
    api_version: str
    """The version of the API, which is a part of each path."""
    timeout: float
    """Seconds for one attempt, from the connect to the last byte of the answer."""
    open_timeout: float
    """Seconds for the connect of one attempt."""
    cache_enabled: bool
    """Whether versions are kept in memory."""
    cache_ttl: float
    """Seconds for which a version is fresh."""
    cache_max_size: int
    """How many versions are kept in memory."""
    max_retries: int
    """How many attempts may follow the first one."""
    retry_base_delay: float
    """Seconds that the pause before the first retry may last."""
    retry_max_delay: float
    """Seconds that any pause may last."""
    telemetry_enabled: bool
    """Whether the callbacks of `Telemetry` hear of this client."""
    environment: str
    """The platform's environment, named in each request."""
    token_refresh_buffer: float
    """Seconds before the end of a token at which the next one is bought."""
    stale_if_error: float
    """Seconds for which an expired version is kept as the last known good."""
    stale_while_revalidate: float
    """Seconds after its end in which an expired version is served at once and renewed behind."""
    deadline: Optional[float]
    """Seconds for a whole call, or None for no limit."""
    cache_store: Optional[CacheStore]
    """The cache that several processes share, or None."""
    cache_local_ttl: float
    """Seconds for which memory answers before `cache_store` is asked again."""
    prompt_dir: Optional[str]
    """The folder of prompts that stand in while the platform cannot answer, or None."""
    lock: Optional[str]
    """The file that says which version each production read is answered with, or None; a client reads it once."""
    allow_insecure: bool
    """Whether a URL may be http:// to another machine."""
    session: Optional[Session]
    """The requests.Session to send with, or None for one of the client's own."""
    extra_values: ExtraValues
    """What becomes of a value for which a prompt has no variable."""
    when_unfit: WhenUnfit
    """What happens if a version needs a variable that the call does not give."""

    @hides_what_it_was_given
    def __init__(self, keys: Optional[Credentials] = NOT_GIVEN, /, **given: Unpack[Options]) -> None:
        given = with_credentials(keys, given)
        refuse_unknown(given)
        self._freeze(**{name: _value(name, given) for name in _OPTIONS})
        self._check_together()

    @hides_what_it_was_given
    def merge(self, **changes: Unpack[Options]) -> "Configuration":
        """A copy with these options changed; the environment is not read again.

        Args:
            changes: The options to change, as keywords.

        Returns:
            Another Configuration; this one stays as it is.

        Raises:
            ConfigurationError: An option has a value that it must not have.
            TypeError: There is no such option.
        """
        refuse_unknown(changes)
        options = self._options()
        options.update(changes)
        return Configuration(**options)

    @property
    def api_url(self) -> str:
        """What the path of each read begins with: `base_url`, /api/ and the version of the API."""
        return f"{self.base_url}/api/{self.api_version}"

    def validate(self) -> None:
        """Raises MissingApiKeyError without credentials; all else was checked when the Configuration was made."""
        if self.credentials is None:
            raise MissingApiKeyError("the configuration has no credentials: give it credentials=...")

    def to_dict(self) -> dict[str, Any]:
        """Every option, secrets redacted."""
        shown = dict(self._options())
        if self.credentials is not None:
            shown["credentials"] = _shown(self.credentials)
        if self.cache_store is not None:  # whose repr may show the password of a server
            shown["cache_store"] = f"<{type(self.cache_store).__name__}>"
        return shown

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"Configuration({shown})"

    def __reduce__(self) -> Any:
        return functools.partial(Configuration, **self._options()), ()

    def _options(self) -> Options:
        return {name: getattr(self, name) for name in _OPTIONS}  # type: ignore[return-value]  # every one, in order

    def _check_together(self) -> None:
        path, end = f"/api/{self.api_version}", len(self.base_url)
        while self.base_url.endswith(path, 0, end):
            end -= len(path)
        self._freeze(base_url=self.base_url[:end])
        if re.search(r"/api/v\d+$", self.base_url):
            raise ConfigurationError(
                f"base_url must not end in another API version than api_version, which is {self.api_version!r}"
            )
        for name in () if self.allow_insecure else ("base_url", "auth_api_url"):
            url = getattr(self, name)
            if url.startswith("http://") and not rules.is_loopback(url):
                raise ConfigurationError(
                    f"{name} must be https://, got http:// to a host that is not this machine: "
                    "secrets would cross the network unencrypted (allow_insecure=True permits it)"
                )


def with_credentials(by_position: Optional[Credentials], options: Options) -> Options:
    """The options, with the credentials that were given by position; raises TypeError if they have some already."""
    if by_position is NOT_GIVEN:
        return options
    if isinstance(by_position, Configuration):
        raise ConfigurationError("credentials must be given by position, got Configuration: write config=... for that")
    if "credentials" in options:
        raise TypeError("credentials were given twice: by position and as a keyword")
    return {**options, "credentials": by_position}


def refuse_unknown(given: Iterable[str]) -> None:
    """Raises the TypeError that names the nearest known option."""
    for name in given:
        if name not in _OPTIONS:
            raise TypeError(f"unknown option {shown(name)}; {advice(name, _OPTIONS)}")


def option_names() -> tuple[str, ...]:
    """The options, in the order of the documentation."""
    return tuple(_OPTIONS)


def variables() -> dict[str, str]:
    """The environment variables of the options that have one, by option."""
    return {name: variable for name, (_, _, variable) in _OPTIONS.items() if variable}


def defaults() -> dict[str, Any]:
    """The default of each option."""
    return {name: default for name, (default, _, _) in _OPTIONS.items()}


def from_environment(name: str) -> tuple[Any, Optional[str]]:
    """What an option is if nobody gives it, and the variable that says so; None for the default.

    Raises ConfigurationError for a variable whose value cannot be.
    """
    variable = _OPTIONS[name][2]
    return _value(name, {}), variable if variable and os.environ.get(variable) else None


def check_setting(name: str, value: object, shown_as: str, *, is_from_json: bool) -> Any:
    """The value as a Configuration keeps it.

    Args:
        name: The option.
        value: What a user gave for it, in settings: a number or a flag may be text, as in the environment.
        shown_as: What the user calls the option.
        is_from_json: Whether it may be what JSON makes of such a text.

    Returns:
        The value, in the type that the option has.

    Raises:
        ConfigurationError: The value is not what it must be. The message shows no text that may be a secret under the
            wrong name: none of an option that takes text, and no long one.
    """
    return _OPTIONS[name][1].check_setting(shown_as, value, ConfigurationError, is_from_json=is_from_json)


def takes_text(name: str) -> bool:
    """Whether the value of the option may be text."""
    return _OPTIONS[name][1].takes_text


def _value(name: str, given: Mapping[str, Any]) -> Any:
    default, rule, variable = _OPTIONS[name]
    if name in given:
        return rule.check(name, given[name], ConfigurationError)
    text = os.environ.get(variable, "") if variable else ""
    return rule.read(f"{variable} (the option {name})", text, ConfigurationError) if text else default


def _shown(credentials: Credentials) -> Any:
    """Only our own kinds are trusted to redact their secret."""
    return credentials.to_dict() if isinstance(credentials, (ApiKeyCredentials, ClientCredentials)) else REDACTED
