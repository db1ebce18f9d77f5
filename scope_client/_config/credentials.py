"""Credentials: the long-lived keys of an organisation; each kind knows how it buys a token."""

import os
from collections.abc import Mapping
from typing import Any, NoReturn, Protocol, TypeVar, Union

from .._frames import hides_what_it_was_given
from .._frozen import Frozen
from .._redaction import REDACTED, Secret
from ..errors import ConfigurationError, MissingApiKeyError


class Credentials(Protocol):
    """What a client needs of credentials: any object with these three members will do."""

    @property
    def org_id(self) -> str:
        """The organisation's ID."""

    @property
    def token_path(self) -> str:
        """The path at `auth_api_url` that hands out tokens; it starts with a slash."""

    def token_body(self) -> Mapping[str, str]:
        """The JSON object to post there, with the secret; it is asked for anew with each token."""


_Keys = TypeVar("_Keys", bound="_Keyring")


class _Keyring(Frozen):
    """Frozen text fields, of which the last is secret."""

    __slots__ = ()
    _field_names: tuple[str, str, str]

    @classmethod
    @hides_what_it_was_given
    def from_env(cls: type[_Keys]) -> _Keys:
        """The credentials in the environment variables; MissingApiKeyError names those that are unset or empty."""
        parts = read_parts(cls, {})
        missing = [f"SCOPE_{key}" for key, part in parts.items() if not part]
        if missing:
            raise MissingApiKeyError(
                f"{cls.__name__}.from_env() needs {', '.join(missing)}: set "
                f"{'it' if len(missing) == 1 else 'them'} in the environment, "
                f"or pass {', '.join(field + '=' for field in cls._field_names)} to {cls.__name__}"
            )
        return cls(*parts.values())

    def _fill(self, *values: str) -> None:
        checked = (_checked(type(self).__name__, field, value) for field, value in zip(self._field_names, values))
        *shown, secret = checked
        self._freeze(**dict(zip(self._field_names, (*shown, Secret(secret)))))

    def to_dict(self) -> dict[str, str]:
        """The fields; the secret is redacted."""
        *shown, _ = ((field, getattr(self, field)) for field in self._field_names)
        return {**dict(shown), self._field_names[-1]: REDACTED}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.to_dict().items())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds a secret and does not pickle: "
            f"call {type(self).__name__}.from_env() in the process that needs it"
        )


class ApiKeyCredentials(_Keyring):
    """An API key and its secret, which buy tokens at /v1/auth/sdk-token.

    Args:
        org_id: As the field; so are the others.
        api_key: As the field.
        api_secret: As the field.

    Raises:
        MissingApiKeyError: A part is missing or empty.
        ConfigurationError: A part is not text, or holds control characters.
    """

    __slots__ = ("api_key", "api_secret", "org_id")
    _field_names = ("org_id", "api_key", "api_secret")
    token_path = "/v1/auth/sdk-token"  # noqa: S105  # a path
    """The path at `auth_api_url` that hands out tokens."""
    org_id: str
    """The organisation's ID."""
    api_key: str
    """The ID of the key."""
    api_secret: str
    """The key's secret; its repr does not show it."""

    @hides_what_it_was_given
    def __init__(self, org_id: str, api_key: str, api_secret: str) -> None:
        self._fill(org_id, api_key, api_secret)

    def token_body(self) -> dict[str, str]:
        """The JSON object that buys a token, with the secret."""
        return {"account_id": self.org_id, "key_id": self.api_key, "key_secret": self.api_secret}


class ClientCredentials(_Keyring):
    """The platform's newer scheme: a client ID and its secret, which buy tokens at /v1/auth/applications/login.

    Args:
        org_id: As the field; so are the others.
        client_id: As the field.
        client_secret: As the field.

    Raises:
        MissingApiKeyError: A part is missing or empty.
        ConfigurationError: A part is not text, or holds control characters.
    """

    __slots__ = ("client_id", "client_secret", "org_id")
    _field_names = ("org_id", "client_id", "client_secret")
    token_path = "/v1/auth/applications/login"  # noqa: S105  # a path
    """The path at `auth_api_url` that hands out tokens."""
    org_id: str
    """The organisation's ID."""
    client_id: str
    """The client's ID."""
    client_secret: str
    """The client's secret; its repr does not show it."""

    @hides_what_it_was_given
    def __init__(self, org_id: str, client_id: str, client_secret: str) -> None:
        self._fill(org_id, client_id, client_secret)

    def token_body(self) -> dict[str, str]:
        """The JSON object that buys a token, with the secret."""
        return {"account_id": self.org_id, "client_id": self.client_id, "client_secret": self.client_secret}


Kind = Union[type[ApiKeyCredentials], type[ClientCredentials]]


def setting_keys(kind: type[_Keyring]) -> tuple[str, ...]:
    """The names of the parts in settings, the secret last: "API_KEY" is SCOPE_API_KEY in the environment."""
    return tuple(field.upper() for field in kind._field_names)


SECRET_VARIABLES = tuple(f"SCOPE_{setting_keys(kind)[-1]}" for kind in (ApiKeyCredentials, ClientCredentials))
"""The environment variables that hold a secret."""


def kind_in_environment() -> Kind:
    """ClientCredentials if the environment has a client ID and no API key, and else ApiKeyCredentials."""
    has_client_alone = os.environ.get("SCOPE_CLIENT_ID") and not os.environ.get("SCOPE_API_KEY")
    return ClientCredentials if has_client_alone else ApiKeyCredentials


def read_parts(kind: type[_Keyring], given: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of credentials of this kind, as settings and the environment have them.

    Args:
        kind: The kind of credentials.
        given: The settings. A part that is empty or None there is taken from the environment.

    Returns:
        Each part by its setting key, the secret last. A part that neither has is empty or None.
    """
    keys = setting_keys(kind)
    return {key: _part(key, given, is_secret=key == keys[-1]) for key in keys}


def _part(key: str, given: Mapping[str, Any], *, is_secret: bool) -> Any:
    value = given.get(key) or os.environ.get(f"SCOPE_{key}")
    return Secret(value) if is_secret and isinstance(value, str) else value


def _checked(kind: str, field: str, value: object) -> str:
    if value is None or value == "":
        raise MissingApiKeyError(f"{kind} needs {field}: it must be text that is not empty")
    if not isinstance(value, str):
        raise ConfigurationError(f"{field} must be text, got {type(value).__name__}")
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ConfigurationError(f"{field} must not contain line breaks or other control characters")
    return value
