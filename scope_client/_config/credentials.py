"""Credentials: the long-lived keys of an organisation; each kind knows how it buys a token."""

import os
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn, Optional, Protocol, TypeVar, Union, overload, runtime_checkable

from .._callers import stack_level
from .._frames import hides_what_it_was_given
from .._frozen import Frozen
from .._prompt.values import is_none, plain_text
from .._redaction import REDACTED, Secret
from ..errors import ConfigurationError, MissingApiKeyError


@runtime_checkable
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
    _field_names: ClassVar[tuple[str, str, str]]
    auth_type: ClassVar[str]
    """The name of this kind of credentials."""

    @hides_what_it_was_given
    def __new__(cls: type[_Keys], *given: Any, **named: Any) -> _Keys:
        """Credentials of the other kind, if the keywords are those of the other kind."""
        other = _other(cls)
        named = {**dict(zip(cls._field_names, given)), **named}
        if not _has_any(named, other):
            return super().__new__(cls)
        if _has_any(named, cls):
            raise TypeError(f"give {_pair(cls)}, or {_pair(other)}, and not both")
        if other is ApiKeyCredentials:
            warnings.warn(
                "ClientCredentials(api_key=..., api_secret=...) makes ApiKeyCredentials: call that class instead, "
                "or give client_id and client_secret",
                DeprecationWarning,
                stacklevel=stack_level(),
            )
        return other(**{name: value for name, value in named.items() if value is not None})  # type: ignore[return-value]

    @classmethod
    @hides_what_it_was_given
    def from_env(cls: type[_Keys]) -> Union[_Keys, "ApiKeyCredentials", "ClientCredentials"]:
        """The credentials in the environment: of this kind, or of the other if only that is set.

        Returns:
            ApiKeyCredentials from SCOPE_ORG_ID, SCOPE_API_KEY and SCOPE_API_SECRET, or ClientCredentials from
            SCOPE_ORG_ID, SCOPE_CLIENT_ID and SCOPE_CLIENT_SECRET.

        Raises:
            MissingApiKeyError: A variable is missing or empty.
        """
        return from_environment(cls, needed_by=f"{cls.__name__}.from_env()")

    def validate(self) -> None:
        """Does nothing: every part was checked when the credentials were made."""

    def _fill(self, *values: Optional[str]) -> None:
        checked = (_checked(type(self).__name__, field, value) for field, value in zip(self._field_names, values))
        *shown, secret = checked
        self._freeze(**dict(zip(self._field_names, (*shown, Secret(secret)))))

    def to_dict(self) -> dict[str, str]:
        """The `auth_type` and the fields; the secret is redacted."""
        return {"auth_type": self.auth_type, **self._shown()}

    def _shown(self) -> dict[str, str]:
        *shown, _ = ((field, getattr(self, field)) for field in self._field_names)
        return {**dict(shown), self._field_names[-1]: REDACTED}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._shown().items())})"

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
        client_id: With `client_secret`, in place of the API key: this makes ClientCredentials.
        client_secret: See `client_id`.

    Raises:
        MissingApiKeyError: A part is missing or empty.
        ConfigurationError: A part is not text, or holds control characters.
        TypeError: Parts of both kinds are given.
    """

    __slots__ = ("api_key", "api_secret", "org_id")
    _field_names = ("org_id", "api_key", "api_secret")
    token_path = "/v1/auth/sdk-token"  # noqa: S105  # a path
    """The path at `auth_api_url` that hands out tokens."""
    auth_type = "api_key"
    """The name of this kind of credentials."""
    org_id: str
    """The organisation's ID."""
    api_key: str
    """The ID of the key."""
    api_secret: str
    """The key's secret; its repr does not show it."""

    @overload
    def __init__(self, org_id: str, api_key: str, api_secret: str) -> None: ...

    @overload
    def __init__(self, org_id: str, *, client_id: str, client_secret: str) -> None: ...

    @hides_what_it_was_given
    def __init__(
        self,
        org_id: Optional[str] = None,
        api_key: Optional[str] = None,
        api_secret: Optional[str] = None,
        *,
        client_id: Optional[str] = None,
        client_secret: Optional[str] = None,
    ) -> None:
        self._fill(org_id, api_key, api_secret)

    @property
    def client_id(self) -> str:
        """Another name of `api_key`, which is what `ClientCredentials` call it."""
        return self.api_key

    @property
    def client_secret(self) -> str:
        """Another name of `api_secret`."""
        return self.api_secret

    def token_body(self) -> dict[str, str]:
        """The JSON object that buys a token, with the secret."""
        return {"account_id": self.org_id, "key_id": self.api_key, "key_secret": self.api_secret}


class ClientCredentials(_Keyring):
    """The platform's newer scheme: a client ID and its secret, which buy tokens at /v1/auth/applications/login.

    Args:
        org_id: As the field; so are the others.
        client_id: As the field.
        client_secret: As the field.
        api_key: With `api_secret`, in place of the client: this makes ApiKeyCredentials, and is deprecated.
        api_secret: See `api_key`.

    Raises:
        MissingApiKeyError: A part is missing or empty.
        ConfigurationError: A part is not text, or holds control characters.
        TypeError: Parts of both kinds are given.
    """

    __slots__ = ("client_id", "client_secret", "org_id")
    _field_names = ("org_id", "client_id", "client_secret")
    token_path = "/v1/auth/applications/login"  # noqa: S105  # a path
    """The path at `auth_api_url` that hands out tokens."""
    auth_type = "client_credentials"
    """The name of this kind of credentials."""
    org_id: str
    """The organisation's ID."""
    client_id: str
    """The client's ID."""
    client_secret: str
    """The client's secret; its repr does not show it."""

    @overload
    def __init__(self, org_id: str, client_id: str, client_secret: str) -> None: ...

    @overload
    def __init__(self, org_id: str, *, api_key: str, api_secret: str) -> None: ...

    @hides_what_it_was_given
    def __init__(
        self,
        org_id: Optional[str] = None,
        client_id: Optional[str] = None,
        client_secret: Optional[str] = None,
        *,
        api_key: Optional[str] = None,
        api_secret: Optional[str] = None,
    ) -> None:
        self._fill(org_id, client_id, client_secret)

    @property
    def api_key(self) -> str:
        """Another name of `client_id`, which is what `ApiKeyCredentials` call it."""
        return self.client_id

    @property
    def api_secret(self) -> str:
        """Another name of `client_secret`."""
        return self.client_secret

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
    """The kind that `from_environment` takes if it need not take another one."""
    return _fitting(ApiKeyCredentials)


def from_environment(kind: type[_Keys], *, needed_by: str) -> Union[_Keys, ApiKeyCredentials, ClientCredentials]:
    """The credentials in the environment.

    Args:
        kind: The kind to take, unless the environment has more of the other kind.
        needed_by: What the error says that it needs them.

    Raises:
        MissingApiKeyError: A variable is missing or empty.
    """
    fits = _fitting(kind)
    parts = read_parts(fits, {})
    missing = [f"SCOPE_{key}" for key, part in parts.items() if not part]
    if missing:
        pairs = " or ".join(
            " with ".join(f"SCOPE_{key}" for key in setting_keys(each)[1:]) for each in (kind, _other(kind))
        )
        raise MissingApiKeyError(
            f"{needed_by} needs SCOPE_ORG_ID in the environment, and {pairs}; "
            f"not set {'is' if len(missing) == 1 else 'are'} {', '.join(missing)}"
        )
    return fits(*parts.values())


def _other(kind: type[_Keyring]) -> Kind:
    return ApiKeyCredentials if issubclass(kind, ClientCredentials) else ClientCredentials


def _fitting(kind: type[_Keys]) -> Union[type[_Keys], Kind]:
    other = _other(kind)
    return other if _set_of(other) > _set_of(kind) else kind


def _set_of(kind: type[_Keyring]) -> tuple[bool, bool, bool]:
    """What the environment has of the kind, to be compared: both its ID and its secret, its ID, its secret."""
    has_id, has_secret = (bool(os.environ.get(f"SCOPE_{key}")) for key in setting_keys(kind)[1:])
    return has_id and has_secret, has_id, has_secret


def _has_any(named: Mapping[str, object], kind: type[_Keyring]) -> bool:
    return any(named.get(field) is not None for field in kind._field_names[1:])


def _pair(kind: type[_Keyring]) -> str:
    return " and ".join(kind._field_names[1:])


def read_parts(
    kind: type[_Keyring], given: Mapping[str, Any], environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """The parts of credentials of this kind, as settings and the environment have them.

    Args:
        kind: The kind of credentials.
        given: The settings. A part that is empty or None there is taken from the environment.
        environ: The environment.

    Returns:
        Each part by its setting key, the secret last. A part that neither has is empty or None.
    """
    keys = setting_keys(kind)
    return {key: _part(key, given, environ, is_secret=key == keys[-1]) for key in keys}


def _part(key: str, given: Mapping[str, Any], environ: Mapping[str, str], *, is_secret: bool) -> Any:
    value = given.get(key) or environ.get(f"SCOPE_{key}")
    return Secret(value) if is_secret and isinstance(value, str) else value


def _checked(kind: str, field: str, value: object) -> str:
    if is_none(value) or value == "":
        raise MissingApiKeyError(f"{kind} needs {field}: it must be text that is not empty")
    if not isinstance(value, str):
        raise ConfigurationError(f"{field} must be text, got {type(value).__name__}")
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ConfigurationError(f"{field} must not contain line breaks or other control characters")
    return value if issubclass(type(value), str) else plain_text(value)
