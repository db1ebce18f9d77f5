"""Settings: a framework's upper-case keys, checked all at once, as a Configuration."""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional

from .._config.configuration import Configuration, check_option, option_names
from .._config.credentials import (
    ApiKeyCredentials,
    ClientCredentials,
    Credentials,
    Kind,
    kind_in_environment,
    read_parts,
    setting_keys,
)
from .._config.near_misses import closest
from .._config.options import Options
from .._config.process_wide import process_wide
from .._foreign_text import printable
from .._frames import hides_what_it_was_given
from .._redaction import Redaction
from .._wording import cut
from ..errors import ConfigurationError, MissingApiKeyError

_KEYS_OF_KIND: Mapping[Kind, tuple[str, ...]] = {
    kind: setting_keys(kind)[1:] for kind in (ApiKeyCredentials, ClientCredentials)
}
CREDENTIAL_KEYS = ("ORG_ID", *(key for keys in _KEYS_OF_KIND.values() for key in keys))
_SECRET_KEYS = tuple(keys[-1] for keys in _KEYS_OF_KIND.values())


class SettingProblem(NamedTuple):
    """Something that is wrong with the settings."""

    kind: str
    """"unknown", "value", "missing" (credentials), "credentials" (what is given of them) or "together"."""
    key: Optional[str]
    """The key that is at fault, or None if no single one is."""
    message: str
    """What is wrong, without a secret."""
    hint: str
    """What to do about it, without a secret."""

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})"


class Settings:
    """Every option of a Configuration in upper case, and ORG_ID, API_KEY, API_SECRET, CLIENT_ID, CLIENT_SECRET.

    An option that is absent comes from the environment, and so does a part of the credentials that is absent, None or
    empty. Everything is read at once: a later change of the settings or of the environment has no effect.

    Args:
        given: The values by their keys.
        spelled: How a user writes a key, such as "SCOPE_{}".
        also: Further keys, which the framework's package reads by itself.
        is_from_environment: Whether credentials that are absent come from the environment.
    """

    @hides_what_it_was_given
    def __init__(
        self, given: Mapping[Any, Any], *, spelled: str, also: Iterable[str] = (), is_from_environment: bool = True
    ) -> None:
        self._given = given
        self._is_from_environment = is_from_environment
        self._spelled = spelled
        self._options = {name.upper(): name for name in option_names()}
        self._also = tuple(also)
        self._known = (*self._options, *CREDENTIAL_KEYS, *self._also)
        secrets = (given.get(key) or os.environ.get(f"SCOPE_{key}") for key in _SECRET_KEYS)
        self._redaction = Redaction([str(secret) for secret in secrets if secret])
        self._problems: list[SettingProblem] = []
        self._configuration = self._read()
        self._given = {}  # which may hold what knows the app, and would keep it alive

    @property
    def problems(self) -> tuple[SettingProblem, ...]:
        """Everything that is wrong."""
        return tuple(self._problems)

    def configuration(self) -> Configuration:
        """The settings as a Configuration; while a test has a platform of its own, with the place of that one.

        Raises:
            MissingApiKeyError: Parts of the credentials are missing, and nothing else is wrong.
            ConfigurationError: Something else is wrong; the message has every problem.
        """
        of_test: Options = process_wide.of_test
        is_keyless = all(problem.kind == "missing" for problem in self._problems)
        if self._configuration is None or (self._problems and not of_test):
            kind = MissingApiKeyError if is_keyless else ConfigurationError
            raise kind("; ".join(map(str, self._problems)))
        return self._configuration.merge(**of_test)

    def _read(self) -> Optional[Configuration]:
        values = {}
        for key, value in self._given.items():
            if key not in self._known:
                self._refuse(key)
            elif key in self._options:
                values[self._options[key]] = self._checked(key, value)
        if self._given.get("CREDENTIALS") is None:
            values["credentials"] = self._credentials()
        elif any(self._given.get(key) for key in CREDENTIAL_KEYS):
            self._note(
                "credentials", "CREDENTIALS", "CREDENTIALS and single keys exclude each other", "give one or the other"
            )
        is_usable = all(problem.kind == "missing" for problem in self._problems)
        return self._together(values) if is_usable else None

    def _refuse(self, key: object) -> None:
        known = {name.lower(): name for name in (*self._also, *self._known)}
        near = known.get(str(closest(str(key), known)))
        message = f"{self._spell(key)} is not a setting"
        self._note("unknown", str(key), message, f"the nearest one is {self._spell(near)}")

    def _checked(self, key: str, value: object) -> Any:
        try:
            return check_option(self._options[key], value, self._spell(key))
        except ConfigurationError as error:
            self._note("value", key, error.message, "correct it, or leave it out for the default")
            return None

    def _credentials(self) -> Optional[Credentials]:
        """Of the kind that the settings name, or else of the kind that the environment has."""
        named = [kind for kind, keys in _KEYS_OF_KIND.items() if any(self._given.get(key) for key in keys)]
        if len(named) > 1:
            message = f"{' and '.join(self._listed(keys) for keys in _KEYS_OF_KIND.values())} exclude each other"
            self._note("credentials", None, message, "give the API key or the client, with its secret")
            return None
        environ = os.environ if self._is_from_environment else {}
        kind = named[0] if named else kind_in_environment() if environ else ApiKeyCredentials
        parts = read_parts(kind, self._given, environ)
        missing = [key for key, part in parts.items() if not part]
        if missing:
            hint = "add what is missing"
            if self._is_from_environment:
                hint += f", or set {', '.join(f'SCOPE_{key}' for key in missing)} in the environment"
            self._note("missing", missing[0], f"the credentials lack {self._listed(missing)}", hint)
            return None
        odd = [key for key, part in parts.items() if not isinstance(part, str)]
        for key in odd:
            message = f"{self._spell(key)} must be text, got {type(parts[key]).__name__}"
            self._note("credentials", key, message, "put it in quotes")
        return None if odd else self._made(kind, parts)

    def _made(self, kind: Kind, parts: Mapping[str, str]) -> Optional[Credentials]:
        try:
            return kind(*parts.values())
        except ConfigurationError as error:
            self._note("credentials", None, error.message, "copy it again from the platform")
            return None

    def _together(self, values: Mapping[str, Any]) -> Optional[Configuration]:
        try:
            return Configuration(**values)
        except ConfigurationError as error:
            names = "|".join(option_names())
            message = re.sub(rf"\b({names})\b", lambda found: self._spell(found[0].upper()), error.message)
            self._note("together", None, message, "see the settings, and the SCOPE_* environment variables")
            return None

    def _spell(self, key: object) -> str:
        return self._spelled.format(cut(self._redaction.text(str(key))))

    def _listed(self, keys: Iterable[str]) -> str:
        return ", ".join(self._spell(key) for key in keys)

    def _note(self, kind: str, key: Optional[str], message: str, hint: str) -> None:
        def clean(text: str) -> str:
            return printable(self._redaction.text(text))

        self._problems.append(SettingProblem(kind, key and clean(key), clean(message), clean(hint)))
