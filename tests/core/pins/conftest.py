"""A local platform with one prompt, and clients of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Callable

import pytest

from scope_client import ScopeClient
from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"chat": "v1 {{name}}"}) as started:
        yield started


@pytest.fixture
def new_client(platform: LocalPlatform) -> Iterator[Callable[..., ScopeClient]]:
    """Each keeps nothing for longer than a moment, so that a promotion is seen at once unless a read is pinned."""
    with contextlib.ExitStack() as opened:

        def make(**options: Any) -> ScopeClient:
            return opened.enter_context(platform.client(**{"cache_ttl": 0, "max_retries": 0, **options}))

        yield make


@pytest.fixture
def client(new_client: Callable[..., ScopeClient]) -> ScopeClient:
    return new_client()


@pytest.fixture
def promote(platform: LocalPlatform) -> Callable[[str], str]:
    """Puts this text into production, and gives the ID of its version."""
    return lambda content: platform.publish("chat", content).id
