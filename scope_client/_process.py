"""What a process has one of: its configuration, and the client that follows it."""

import threading
from typing import Optional

from ._client import ScopeClient
from ._config.configuration import Configuration
from ._config.options import Options, Unpack
from ._fork import renew_in_children
from ._frames import hides_what_it_was_given


class _Process:
    def __init__(self) -> None:
        self.configuration: Optional[Configuration] = None
        self.client: Optional[ScopeClient] = None
        self.after_fork()

    def after_fork(self) -> None:
        self.lock = threading.RLock()


_process = _Process()
renew_in_children(_process)


@hides_what_it_was_given
def configure(**options: Unpack[Options]) -> None:
    """Sets options of the process-wide Configuration; those of an earlier call stay unless they are given again.

    Args:
        options: The options, as keywords.

    Raises:
        ConfigurationError: An option has a value that it must not have; nothing was changed.
        TypeError: There is no such option; nothing was changed.
    """
    with _process.lock:
        before = _process.configuration
        _process.configuration = Configuration(**options) if before is None else before.merge(**options)
        former, _process.client = _process.client, None
    if former is not None:
        former.close()


def configuration() -> Configuration:
    """The process-wide Configuration: what `configure` set, or else the defaults and the environment."""
    return _process.configuration or Configuration()


def client() -> ScopeClient:
    """The client of the process-wide Configuration, made on first use and shared by all who call this.

    Raises MissingApiKeyError if `configure(credentials=...)` was not called before.
    """
    found = _process.client
    if found is None:  # the lock is for the first callers alone
        with _process.lock:
            found = _process.client = _process.client or ScopeClient(config=configuration())
    return found


def made_client() -> Optional[ScopeClient]:
    """The client that `client` returns, or None if it would have to make it, which may read files."""
    return _process.client


def reset_configuration() -> None:
    """Forgets what `configure` set and closes its client."""
    swap(None)


def swap(replacement: Optional[Configuration]) -> Optional[Configuration]:
    """Replaces what `configure` set, closes its client, and returns the former Configuration."""
    with _process.lock:
        former, _process.client = _process.client, None
        before, _process.configuration = _process.configuration, replacement
    if former is not None:
        former.close()
    return before
