"""One URL: what becomes of a secret if only one of the platform's two URLs leads away from the hosted platform."""

from __future__ import annotations

import warnings

from .._callers import stack_level
from .configuration import DEFAULT_AUTH_API_URL, DEFAULT_BASE_URL, Configuration


def warn_of_one_url(config: Configuration) -> None:
    """Warns if the credentials, or their tokens, go to the hosted platform while the rest goes somewhere else.

    Without the URL itself, which may be a secret under a wrong name. With `warnings`, since most programs have not set
    up `logging` at the time they make a client.
    """
    if config.base_url != DEFAULT_BASE_URL and config.auth_api_url == DEFAULT_AUTH_API_URL:
        _warn(
            f"base_url leads away from the hosted platform, and auth_api_url is still {DEFAULT_AUTH_API_URL}: "
            "the secret of the credentials goes there. Set auth_api_url (SCOPE_AUTH_API_URL) too"
        )
    if config.auth_api_url != DEFAULT_AUTH_API_URL and config.base_url == DEFAULT_BASE_URL:
        _warn(
            f"auth_api_url leads away from the hosted platform, and base_url is still {DEFAULT_BASE_URL}: "
            "the tokens of the one go to the other. Set base_url (SCOPE_API_URL) too"
        )


def _warn(said: str) -> None:
    warnings.warn(said, UserWarning, stacklevel=stack_level())
