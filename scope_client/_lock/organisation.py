"""Organisation: whose prompts a lock is of."""

from __future__ import annotations

from .._config.configuration import Configuration
from .._config.rules import is_loopback
from .._wording import shown
from ..errors import ConfigurationError
from .lock_file import Lock


def check_organisation(lock: Lock, config: Configuration) -> None:
    """Raises ConfigurationError if the credentials are of another one; a platform on this machine may have any."""
    own = getattr(config.credentials, "org_id", None)
    if own == lock.organisation or is_loopback(config.base_url):
        return
    raise ConfigurationError(
        f"the lock {shown(lock.path)} is of the organisation {shown(lock.organisation)}, and the credentials are of "
        f"{shown(own)}: give the credentials of the same organisation, or a lock of this one"
    )
