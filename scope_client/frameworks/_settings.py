"""Settings: a framework's upper-case keys, checked all at once, as a Configuration."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._config.configuration import Configuration, check_option, option_names
from .._config.credentials import ApiKeyCredentials, ClientCredentials, Credentials
from .._redaction import Redaction
from ..errors import ConfigurationError, MissingApiKeyError

_API_KEYS = ("API_KEY", "API_SECRET")
_CLIENT_KEYS = ("CLIENT_ID", "CLIENT_SECRET")
_PARTS = ("ORG_ID", *_API_KEYS, *_CLIENT_KEYS)
_SECRETS = ("API_SECRET", "CLIENT_SECRET")
_VARIABLES = {"API_URL": "BASE_URL", "SCOPE_API_URL": "BASE_URL", "URL": "BASE_URL"}  # as the environment has it


class SettingProblem(NamedTuple):
    """`kind` is "unknown", "value", "missing" (credentials), "credentials" (what is given of them) or "together".

    `key` is None where no single one is at fault.
    """

    kind: str
    key: str | None
    message: str
    hint: str


class Settings:
    """Every option of a Configuration in upper case, and ORG_ID, API_KEY, API_SECRET, CLIENT_ID, CLIENT_SECRET.

    What is absent comes from the environment; a part of the credentials that is None or empty is absent. `spelled`
    is how a user writes a key, such as "SCOPE_{}"; `also` are keys that the adapter reads by itself.
    """

    def __init__(self, given: Mapping[Any, Any], *, spelled: str, also: Iterable[str] = ()) -> None:
        self._given = given
        self._spelled = spelled
        self._options = {name.upper(): name for name in option_names()}
        self._known = (*self._options, *_PARTS, *also)
        secrets = [str(given.get(key) or os.environ.get(f"SCOPE_{key}") or "") for key in _SECRETS]
        self._redaction = Redaction([secret for secret in secrets if secret])
        self._problems: list[SettingProblem] = []
        self._configuration = self._read()
        self._given = {}  # which may hold what knows the app, and would keep it alive

    @property
    def problems(self) -> tuple[SettingProblem, ...]:
        """All that is wrong; no secret is in it."""
        return tuple(self._problems)

    def configuration(self) -> Configuration:
        """Raises ConfigurationError with every problem, MissingApiKeyError where only the credentials lack."""
        if self._configuration is None:
            is_keyless = all(problem.kind == "missing" for problem in self._problems)
            kind = MissingApiKeyError if is_keyless else ConfigurationError
            raise kind("; ".join(f"{problem.message} ({problem.hint})" for problem in self._problems))
        return self._configuration

    def _read(self) -> Configuration | None:
        values = {}
        for key, value in self._given.items():
            if key not in self._known:
                self._refuse(key)
            elif key in self._options:
                values[self._options[key]] = self._checked(key, value)
        if self._given.get("CREDENTIALS") is None:
            values["credentials"] = self._credentials()
        elif any(self._part(key) for key in _PARTS):
            self._note(
                "credentials", "CREDENTIALS", "CREDENTIALS and single keys exclude each other", "give one or the other"
            )
        return None if self._problems else self._together(values)

    def _refuse(self, key: object) -> None:
        named = str(key).upper()
        near = _VARIABLES.get(named) or difflib.get_close_matches(named, self._known, n=1, cutoff=0.0)[0]
        self._note("unknown", str(key), f"{self._spell(key)} is no setting", f"the nearest one is {self._spell(near)}")

    def _checked(self, key: str, value: object) -> Any:
        try:
            return check_option(self._options[key], value, self._spell(key))
        except ConfigurationError as error:
            self._note("value", key, error.message, "correct it, or leave it out for the default")
            return None

    def _credentials(self) -> Credentials | None:
        """Of the one kind or the other: as the settings say, or else the environment."""
        has_keys, has_client = (any(self._part(key) for key in keys) for keys in (_API_KEYS, _CLIENT_KEYS))
        if has_keys and has_client:
            message = f"{self._listed(_API_KEYS)} and {self._listed(_CLIENT_KEYS)} exclude each other"
            self._note("credentials", None, message, "give the API key or the client, with its secret")
            return None
        if not (has_keys or has_client):
            has_client = bool(os.environ.get("SCOPE_CLIENT_ID")) and not os.environ.get("SCOPE_API_KEY")
        keys = ("ORG_ID", *(_CLIENT_KEYS if has_client else _API_KEYS))
        parts = [self._part(key) or os.environ.get(f"SCOPE_{key}") for key in keys]
        missing = [key for key, part in zip(keys, parts) if not part]
        if missing:
            variables = ", ".join(f"SCOPE_{key}" for key in missing)
            self._note(
                "missing",
                missing[0],
                f"the credentials lack {self._listed(missing)}",
                f"set what is missing there, or {variables} in the environment",
            )
            return None
        odd = [(key, part) for key, part in zip(keys, parts) if not isinstance(part, str)]
        for key, part in odd:
            message = f"{self._spell(key)} must be text, got {type(part).__name__}"
            self._note("credentials", key, message, "put it in quotes")
        if odd:
            return None
        kind: Any = ClientCredentials if has_client else ApiKeyCredentials
        try:
            return kind(*parts)  # type: ignore[no-any-return]  # one of the two
        except ConfigurationError as error:
            self._note("credentials", None, error.message, "copy it again from the platform")
            return None

    def _together(self, values: Mapping[str, Any]) -> Configuration | None:
        try:
            return Configuration(**values)
        except ConfigurationError as error:
            names = "|".join(option_names())
            message = re.sub(rf"\b({names})\b", lambda found: self._spell(found[0].upper()), error.message)
            self._note("together", None, message, "see the settings, and the SCOPE_* environment variables")
            return None

    def _part(self, key: str) -> Any:
        return self._given.get(key) or None

    def _spell(self, key: object) -> str:
        return self._spelled.format(key)

    def _listed(self, keys: Iterable[str]) -> str:
        return ", ".join(self._spell(key) for key in keys)

    def _note(self, kind: str, key: str | None, message: str, hint: str) -> None:
        self._problems.append(
            SettingProblem(
                kind, key and self._redaction.text(key), self._redaction.text(message), self._redaction.text(hint)
            ),
        )
