"""Settings: a framework's upper-case keys, checked all at once, as a Configuration."""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional

from .._config.configuration import Configuration, check_setting, option_names, takes_text
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
from .._config.rules import digits
from .._foreign_text import printable
from .._frames import hides_what_it_was_given
from .._lock.lock_file import read_lock
from .._prompt.values import is_none
from .._redaction import Redaction
from .._wording import cut, shown
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
    empty. A number or a flag may be text, as it is in the environment: empty text is an absent one. Everything is read
    at once: a later change of the settings or of the environment has no effect.

    Args:
        given: The values by their keys.
        spelled: How a user writes a key, such as "SCOPE_{}".
        also: Further keys, which the framework's package reads by itself.
        is_from_environment: Whether credentials that are absent come from the environment.
        json_hint: If they may have been read from JSON, how to write text there; "{0}" stands for the key.
    """

    @hides_what_it_was_given
    def __init__(
        self,
        given: Mapping[Any, Any],
        *,
        spelled: str,
        also: Iterable[str] = (),
        is_from_environment: bool = True,
        json_hint: Optional[str] = None,
    ) -> None:
        self._is_from_json = json_hint is not None
        self._hint_for_text = json_hint or "put it in quotes"
        self._given = dict(given)
        if self._is_from_json:
            self._given.update((key, digits(self._given[key])) for key in CREDENTIAL_KEYS if key in given)
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
        """Everything that is wrong; while a test has a platform of its own, credentials need not be there."""
        is_of_test = bool(process_wide.of_test)
        return tuple(problem for problem in self._problems if not (is_of_test and problem.kind == "missing"))

    def lock_problem(self) -> Optional[SettingProblem]:
        """What is wrong with the file of the lock, which a client reads when it is made. The message has no path: it
        may be a secret by mistake."""
        path = None if self._configuration is None else self._configuration.lock
        if path is None or process_wide.of_test:
            return None
        try:
            read_lock(path)
        except ConfigurationError as error:
            message = f"{self._spell('LOCK')}: {error.message.replace(f' {shown(path)}', '')}"
            hint = "name a lock that is there, or leave it out to serve what is in production"
            return self._problem("lock", "LOCK", message, hint)
        return None

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
            elif key in self._options and not self._is_absent(key, value):
                values[self._options[key]] = self._checked(key, value)
        if self._given.get("CREDENTIALS") is None:
            values["credentials"] = self._credentials()
        elif any(self._has(key) for key in CREDENTIAL_KEYS):
            self._note(
                "credentials", "CREDENTIALS", "CREDENTIALS and single keys exclude each other", "give one or the other"
            )
        is_usable = all(problem.kind == "missing" for problem in self._problems)
        return self._together(values) if is_usable else None

    def _is_absent(self, key: str, value: object) -> bool:
        """As `os.environ.get` gives what is not there: empty, or None for an option that is never None."""
        if not is_none(value):
            return _is_empty(value)
        try:
            check_setting(self._options[key], None, key, is_from_json=False)
        except ConfigurationError:
            return True
        return False

    def _refuse(self, key: object) -> None:
        known = {name.lower(): name for name in (*self._also, *self._known)}
        near = known.get(str(closest(str(key), known)))
        message = f"{self._spell(key)} is not a setting"
        self._note("unknown", str(key), message, f"the nearest one is {self._spell(near)}")

    def _checked(self, key: str, value: object) -> Any:
        option = self._options[key]
        try:
            return check_setting(option, value, self._spell(key), is_from_json=self._is_from_json)
        except ConfigurationError as error:
            is_text_meant = takes_text(option) and isinstance(value, (bool, float, list, dict))
            hint = self._hint_for_text.format(key) if is_text_meant else "correct it, or leave it out for the default"
            self._note("value", key, error.message, hint)
            return None

    def _credentials(self) -> Optional[Credentials]:
        """Of the kind that the settings name, or else of the kind that the environment has."""
        named = [kind for kind, keys in _KEYS_OF_KIND.items() if any(map(self._has, keys))]
        if len(named) > 1:
            message = f"{' and '.join(self._listed(keys) for keys in _KEYS_OF_KIND.values())} exclude each other"
            self._note("credentials", None, message, "give the API key or the client, with its secret")
            return None
        environ = os.environ if self._is_from_environment else {}
        kind = named[0] if named else kind_in_environment() if environ else ApiKeyCredentials
        parts = read_parts(kind, self._given, environ)
        odd = [key for key in parts if self._has(key) and not isinstance(self._given[key], str)]
        for key in odd:
            message = f"{self._spell(key)} must be text, got {type(self._given[key]).__name__}"
            self._note("credentials", key, message, self._hint_for_text.format(key))
        missing = [key for key, part in parts.items() if not part and key not in odd]
        if missing:
            keys, variables = self._listed(missing), ", ".join(f"SCOPE_{key}" for key in missing)
            hint = "add what is missing"
            if self._is_from_environment and keys == variables:
                hint += " to the settings or to the environment"
            elif self._is_from_environment:
                hint += f", or set {variables} in the environment"
            self._note("missing", missing[0], f"the credentials lack {keys}", hint)
        return None if odd or missing else self._made(kind, parts)

    def _has(self, key: str) -> bool:
        value = self._given.get(key)
        return not is_none(value) and not _is_empty(value)

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
        self._problems.append(self._problem(kind, key, message, hint))

    def _problem(self, kind: str, key: Optional[str], message: str, hint: str) -> SettingProblem:
        def clean(text: str) -> str:
            return printable(self._redaction.text(text))

        return SettingProblem(kind, key and clean(key), clean(message), clean(hint))


def _is_empty(value: object) -> bool:
    return isinstance(value, str) and not len(value)
