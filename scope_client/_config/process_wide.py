"""The Configuration of the process: what `configure` set."""

from typing import Optional

from ..errors import MissingApiKeyError
from .configuration import Configuration
from .credentials import ApiKeyCredentials, from_environment
from .options import Options


class _ProcessWide:
    def __init__(self) -> None:
        self.configured: Optional[Configuration] = None
        self.of_test: Options = {}
        """Where the platform of a test is. It wins over what a framework's settings say."""


process_wide = _ProcessWide()


def configuration() -> Configuration:
    """The process-wide Configuration: what `configure` set, or else the defaults and the environment."""
    return process_wide.configured or Configuration()


def completed(config: Optional[Configuration], changes: Options) -> Configuration:
    """The options of a client.

    Args:
        config: What they begin with. None for the process-wide Configuration, with the credentials of the environment
            if it has none.
        changes: The options that win over those.

    Returns:
        A Configuration with credentials.

    Raises:
        MissingApiKeyError: There are no credentials.
    """
    changed = (config or configuration()).merge(**changes)
    if changed.credentials is not None:
        return changed
    if config is None and "credentials" not in changes:
        found = from_environment(ApiKeyCredentials, needed_by="a client without credentials=")
        return changed.merge(credentials=found)
    raise MissingApiKeyError("a client needs credentials: pass credentials=ApiKeyCredentials.from_env()")
