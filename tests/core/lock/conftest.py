"""A lock of three prompts, of which one has a later version as its latest, and clients that it locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.locking import GREETING, NEWEST, NEWS, REVIEW, write_lock

if TYPE_CHECKING:
    from pathlib import Path

    from scope_client import ScopeClient


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return write_lock(tmp_path / "project", [GREETING, REVIEW, NEWS], latest=[NEWEST])


@pytest.fixture
def bare_lock(tmp_path: Path) -> Path:
    """Without the folder, as where nobody deployed it."""
    return write_lock(tmp_path / "bare", [GREETING, REVIEW, NEWS], latest=[NEWEST], has_copies=False)


@pytest.fixture
def bodies() -> dict[str, Any]:
    """What a platform has of each, by the path of its version."""
    return {f"/api/v1/prompts/{each['name']}/versions/{each['id']}": each for each in (GREETING, REVIEW, NEWS, NEWEST)}


@pytest.fixture
def make_locked(make_client: Callable[..., ScopeClient], lock: Path) -> Callable[..., ScopeClient]:
    return lambda **options: make_client(**{"lock": lock, "max_retries": 0, "cache_ttl": 100, **options})
