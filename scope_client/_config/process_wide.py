"""The Configuration of the process: what `configure` set."""

from typing import Optional

from ..errors import MissingApiKeyError
from .configuration import Configuration
from .credentials import ApiKeyCredentials, from_environment
from .options import Options


class _ProcessWide:
    def __init__(self) -> None:
        self.configured: Optional[Configuration] = None


process_wide = _ProcessWide()


def configuration() -> Configuration:
    """The process-wide Configuration: what `configure` set, or else the defaults and the environment."""
    return process_wide.configured or Configuration()


def completed(config: Optional[Configuration], changes: Options) -> Configuration:
    """The options of a client.

    Args:
        config: What they begin with, or None for the process-wide Configuration.
        changes: The options that win over those.

    Returns:
        A Configuration with credentials: those of the environment if nobody has given any.

    Raises:
        MissingApiKeyError: The environment has none either, or they were given as None.
    """
    changed = (config or configuration()).merge(**changes)
    if changed.credentials is not None:
        return changed
    if "credentials" in changes:
        raise MissingApiKeyError("credentials must not be None: a client needs them")
    needed_by = "a client without credentials="
    return changed.merge(credentials=from_environment(ApiKeyCredentials, needed_by=needed_by))
