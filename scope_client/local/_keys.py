"""The keys of the local platform: well known on loopback, made up if others reach it or some of them were given."""

from __future__ import annotations

import secrets

from .._config.credentials import ApiKeyCredentials, ClientCredentials
from ..errors import ConfigurationError

LOCAL_ORG_ID = "local-org"
MADE_UP_ID_BYTES = 6
MADE_UP_SECRET_BYTES = 24


def keys_of(given: ApiKeyCredentials | None, *, are_well_known: bool) -> tuple[ApiKeyCredentials, ClientCredentials]:
    """The API key and the client that a platform accepts; well-known ones only if no key was given."""
    if given is None and are_well_known:
        return (
            ApiKeyCredentials(LOCAL_ORG_ID, "local-key", "local-secret"),
            ClientCredentials(LOCAL_ORG_ID, "local-app", "local-app-secret"),
        )
    if given is not None and not isinstance(given, ApiKeyCredentials):
        raise ConfigurationError(f"credentials must be ApiKeyCredentials, got {type(given).__name__}")
    credentials = given or filled_up()
    return credentials, ClientCredentials(credentials.org_id, _made_up_id("app"), _made_up_secret())


def filled_up(
    org_id: str | None = None, api_key: str | None = None, api_secret: str | None = None
) -> ApiKeyCredentials:
    """An API key of these parts; a key or a secret that is not given is one that nobody can guess."""
    return ApiKeyCredentials(
        LOCAL_ORG_ID if org_id is None else org_id,
        _made_up_id("key") if api_key is None else api_key,
        _made_up_secret() if api_secret is None else api_secret,
    )


def _made_up_id(kind: str) -> str:
    return f"local-{kind}-{secrets.token_hex(MADE_UP_ID_BYTES)}"


def _made_up_secret() -> str:
    return secrets.token_urlsafe(MADE_UP_SECRET_BYTES)
