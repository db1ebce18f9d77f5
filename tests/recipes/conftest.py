"""What the tests of the recipes share: models on loopback, and a platform beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from recipes.fakes.server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def models() -> Iterator[ModelServer]:
    """Fresh ones; `models.environ` is what a program needs to find them."""
    with ModelServer() as started:
        yield started
