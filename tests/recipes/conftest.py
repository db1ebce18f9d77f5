"""What the tests of the recipes share: models on loopback, and a platform over the recipes' prompts beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from recipes import recipe
from recipes.fakes.server import ModelServer

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def models() -> Iterator[ModelServer]:
    """Fresh ones; `models.environ` is what a program needs to find them."""
    with ModelServer() as started:
        yield started


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    """Serves the prompts of the recipes; `platform.environ` is what a program needs."""
    with LocalPlatform(recipe.PROMPTS) as started:
        yield started


@pytest.fixture
def environ(models: ModelServer, platform: LocalPlatform) -> dict[str, str]:
    """What a recipe finds in its environment."""
    return {**models.environ, **platform.environ}
