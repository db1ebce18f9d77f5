"""Flask apps whose prompts come from a local platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest
from faults.greeting import GREETING
from flask import Flask

from scope_client.local import LocalPlatform
from scope_flask import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": GREETING}) as started:
        yield started


@pytest.fixture
def make_app(platform: LocalPlatform) -> Callable[..., Flask]:
    """An app that leads to the platform, with these keys besides."""

    def make(scope: Scope | None = None, *, name: str = "site", **config: Any) -> Flask:
        app = Flask(name)
        keys = platform.credentials
        app.config.from_mapping(SCOPE_CREDENTIALS=keys, SCOPE_BASE_URL=platform.url, SCOPE_AUTH_API_URL=platform.url)
        app.config.from_mapping(config)
        (scope or Scope()).init_app(app)
        return app

    return make
