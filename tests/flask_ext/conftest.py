"""Flask apps whose prompts come from a local platform."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable

import pytest
from flask import Flask

from scope_client.local import LocalPlatform
from scope_flask import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests does not reach them."""
    for name in list(os.environ):
        if name.startswith(("SCOPE_", "FLASK_")):
            monkeypatch.delenv(name)


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": "Good {{time_of_day}}, {{name}}!"}) as started:
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
