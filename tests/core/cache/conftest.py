"""Processes of a fleet by one clock, over one store."""

from __future__ import annotations

import pytest
from faults.clock import ManualClock
from faults.clocked_store import ClockedStore
from faults.rig import Rig


@pytest.fixture
def store(clock: ManualClock) -> ClockedStore:
    return ClockedStore(clock)


@pytest.fixture
def rig(clock: ManualClock, store: ClockedStore) -> Rig:
    return Rig(clock, store)


@pytest.fixture
def neighbour(clock: ManualClock, store: ClockedStore) -> Rig:
    """Another process of the fleet."""
    return Rig(clock, store)
