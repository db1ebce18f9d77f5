"""The configuration of the process, and the one client that follows it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ._client import ScopeClient
from ._config.configuration import Configuration
from ._fork import renew_in_children

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._config.options import Options


class _Process:
    """What the process has one of."""

    def __init__(self) -> None:
        self.configuration: Configuration | None = None
        self.client: ScopeClient | None = None
        self.after_fork()

    def after_fork(self) -> None:
        self.lock = threading.RLock()


_process = _Process()
renew_in_children(_process)


def configure(**options: Unpack[Options]) -> None:
    """Sets options of the process-wide Configuration; those of an earlier call stay unless they are given again.

    Raises what Configuration raises, and then changes nothing.
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

    Raises MissingApiKeyError where `configure(credentials=...)` was not called before.
    """
    found = _process.client
    if found is None:
        with _process.lock:
            found = _process.client = _process.client or ScopeClient(config=configuration())
    return found


def reset_configuration() -> None:
    """Forgets what `configure` set and closes its client."""
    swap(None)


def swap(replacement: Configuration | None) -> Configuration | None:
    """Puts another Configuration, or none, in the place of what `configure` set, and returns that."""
    with _process.lock:
        former, _process.client = _process.client, None
        before, _process.configuration = _process.configuration, replacement
    if former is not None:
        former.close()
    return before
