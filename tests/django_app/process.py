"""What no public name shows of the client of a Django process: only this file knows it by its private name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scope_django._client import _process, reset_client

if TYPE_CHECKING:
    from scope_client import ScopeClient

__all__ = ["client_of_the_process", "lock", "reset_client"]


def client_of_the_process() -> ScopeClient | None:
    """None if no one has asked for it."""
    return next(iter(_process.clients.values()), None)


def lock() -> Any:
    """Whoever makes the client has it."""
    return _process.lock
