"""Reads through a client, and what happens behind them. The private names that takes are known in this file alone."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from faults.clock import eventually
from faults.inside import background, is_looking_at_its_folder

from scope_client import ScopeError

if TYPE_CHECKING:
    import pytest
    from faults.clock import ManualClock

    from scope_client import ScopeClient
    from scope_client.local import LocalPlatform


def content(client: ScopeClient, name: str = "greeting", **options: object) -> str:
    return client.get_prompt_version(name, **options).content


def counted(client: ScopeClient, what: str) -> int:
    return client.status().counters[what]


def is_idle(client: ScopeClient) -> bool:
    """Nothing waits or runs in the background of this client."""
    return background(client).is_idle


def wait_until_idle(client: ScopeClient) -> None:
    eventually(lambda: is_idle(client))


def has_looked(client: ScopeClient, clock: ManualClock, *names: str) -> None:
    """Until the client has looked at these prompts in its folder, a second later: reads ask for it, and go on."""
    clock.passes(1)
    for name in names:
        with contextlib.suppress(ScopeError):
            client.get_prompt_version(name)
        eventually(lambda: not is_looking_at_its_folder(client))


def reads(platform: LocalPlatform, name: str | None = None) -> int:
    """How often the platform was asked for a prompt, or for this one."""
    path = "/prompts/" if name is None else f"/prompts/{name}/"
    return sum(path in request.path for request in platform.requests)


def warnings(caplog: pytest.LogCaptureFixture, logger: str | None = None) -> list[str]:
    """What was logged from a warning up: by this logger, or by any."""
    records = (record for record in caplog.records if logger in (None, record.name))
    return [record.getMessage() for record in records if record.levelno >= logging.WARNING]
