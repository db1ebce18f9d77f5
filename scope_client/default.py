"""The configuration of the process, and the one client that follows it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .client import ScopeClient
from .configuration import Configuration

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .configuration import Options

_lock = threading.Lock()
_configuration: Configuration | None = None
_client: ScopeClient | None = None


def configure(**options: Unpack[Options]) -> None:
    """Sets options of the process-wide Configuration; those of an earlier call stay unless they are given again.

    Raises what Configuration raises, and then changes nothing.
    """
    global _configuration, _client
    with _lock:
        _configuration = Configuration(**options) if _configuration is None else _configuration.merge(**options)
        former, _client = _client, None
    if former is not None:
        former.close()


def configuration() -> Configuration:
    """The process-wide Configuration: what `configure` set, or else the defaults and the environment."""
    return _configuration or Configuration()


def client() -> ScopeClient:
    """The client of the process-wide Configuration, made on first use and shared by all who call this.

    Raises MissingApiKeyError where `configure(credentials=...)` was not called before.
    """
    global _client
    found = _client
    if found is None:
        with _lock:
            found = _client = _client or ScopeClient(config=configuration())
    return found


def reset_configuration() -> None:
    """Forgets what `configure` set and closes its client."""
    swap(None)


def swap(replacement: Configuration | None) -> Configuration | None:
    """Puts another Configuration, or none, in the place of what `configure` set, and returns that."""
    global _configuration, _client
    with _lock:
        former, _client = _client, None
        before, _configuration = _configuration, replacement
    if former is not None:
        former.close()
    return before
