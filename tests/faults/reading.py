"""Reads through a client, and what happens behind them. The private names that takes are known in this file alone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from faults.clock import eventually

if TYPE_CHECKING:
    import pytest

    from scope_client import ScopeClient


def content(client: ScopeClient, name: str = "greeting", **options: object) -> str:
    return client.get_prompt_version(name, **options).content


def counted(client: ScopeClient, what: str) -> int:
    return client.status().counters[what]


def is_idle(client: ScopeClient) -> bool:
    """Nothing waits or runs in the background of this client."""
    background = client._background
    return not (background._waiting or background._running)


def wait_until_idle(client: ScopeClient) -> None:
    eventually(lambda: is_idle(client))


def warnings(caplog: pytest.LogCaptureFixture, logger: str) -> list[str]:
    """What this logger has warned of, or worse."""
    records = (record for record in caplog.records if record.name == logger)
    return [record.getMessage() for record in records if record.levelno >= logging.WARNING]
