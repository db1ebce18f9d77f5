"""The keys of the local platform: well known on loopback, made up if others reach it or some of them were given."""

from __future__ import annotations

import secrets
from typing import Any

from .._config.credentials import ApiKeyCredentials, ClientCredentials
from .._wording import shown
from ..errors import ConfigurationError

LOCAL_ORG_ID = "local-org"
WELL_KNOWN_SECRETS = ("local-secret", "local-app-secret")
MADE_UP_ID_BYTES = 6
MADE_UP_SECRET_BYTES = 24


def keys_of(
    api_key: ApiKeyCredentials | None, client: ClientCredentials | None, *, are_well_known: bool
) -> tuple[ApiKeyCredentials, ClientCredentials]:
    """The API key and the client that a platform accepts; well-known ones only if neither was given."""
    _check_kind("credentials", api_key, ApiKeyCredentials)
    _check_kind("client_credentials", client, ClientCredentials)
    if api_key is None and client is None and are_well_known:
        return (
            ApiKeyCredentials(LOCAL_ORG_ID, "local-key", WELL_KNOWN_SECRETS[0]),
            ClientCredentials(LOCAL_ORG_ID, "local-app", WELL_KNOWN_SECRETS[1]),
        )
    given = api_key or client
    org_id = LOCAL_ORG_ID if given is None else given.org_id
    if api_key is not None and client is not None and client.org_id != org_id:
        raise ConfigurationError(
            f"client_credentials must be of the same organisation as credentials, {shown(org_id)}, "
            f"got {shown(client.org_id)}"
        )
    return (
        api_key or ApiKeyCredentials(org_id, _made_up_id("key"), _made_up_secret()),
        client or ClientCredentials(org_id, _made_up_id("app"), _made_up_secret()),
    )


def filled_up(
    org_id: str | None = None,
    api_key: str | None = None,
    api_secret: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
) -> dict[str, Any]:
    """The keywords of a LocalPlatform for these parts; what is not given of a pair is what nobody can guess."""
    if {org_id, api_key, api_secret, client_id, client_secret} == {None}:
        return {}
    org = LOCAL_ORG_ID if org_id is None else org_id
    return {
        "credentials": ApiKeyCredentials(org, *_pair("key", api_key, api_secret)),
        "client_credentials": ClientCredentials(org, *_pair("app", client_id, client_secret)),
    }


def _pair(kind: str, identity: str | None, secret: str | None) -> tuple[str, str]:
    return (
        _made_up_id(kind) if identity is None else identity,
        _made_up_secret() if secret is None else secret,
    )


def _check_kind(argument: str, given: object, kind: type) -> None:
    if given is not None and not isinstance(given, kind):
        raise ConfigurationError(f"{argument} must be {kind.__name__}, got {type(given).__name__}")


def _made_up_id(kind: str) -> str:
    return f"local-{kind}-{secrets.token_hex(MADE_UP_ID_BYTES)}"


def _made_up_secret() -> str:
    return secrets.token_urlsafe(MADE_UP_SECRET_BYTES)
