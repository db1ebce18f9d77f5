"""A Django site whose prompts come from a local platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest
from django_app.caching import Caching, in_a_database_file
from django_app.process import reset_client
from faults.forked import Forking, forking
from faults.greeting import GREETING

from scope_client.local import LocalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# What a command of Django imports before it knows its settings.
OTHERS = (
    *("django.core.management", "django.core.wsgi", "django.db.models", "django.forms", "django.template.loader"),
    *("django.urls", "django.views.generic", "jinja2", "requests"),
)


@pytest.fixture(scope="session")
def ready() -> Iterator[Forking]:
    """Has Django imported, and nothing of ours; warnings are errors in its programs."""
    with forking(*OTHERS, PYTHONWARNINGS="error") as ready:
        yield ready


@pytest.fixture(autouse=True)
def no_client_outlives_a_test() -> Iterator[None]:
    yield
    reset_client()


@pytest.fixture
def caching(request: pytest.FixtureRequest) -> Caching:
    return Caching(request)


@pytest.fixture
def database_file(settings: Any, tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """An SQLite file, which is where caches in a database are."""
    with in_a_database_file(str(tmp_path / "cache.sqlite3"), settings, django_db_blocker) as path:
        yield path


@pytest.fixture
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform({"greeting": GREETING}) as started:
        yield started


@pytest.fixture
def scope_settings(settings: Any, platform: LocalPlatform) -> Callable[..., dict[str, Any]]:
    """Points SCOPE at the platform, with these keys besides."""

    def use(**more: Any) -> dict[str, Any]:
        keys = platform.credentials
        settings.SCOPE = {
            "ORG_ID": keys.org_id,
            "API_KEY": keys.api_key,
            "API_SECRET": str.__str__(keys.api_secret),
            "BASE_URL": platform.url,
            "AUTH_API_URL": platform.url,
            **more,
        }
        return settings.SCOPE  # type: ignore[no-any-return]

    use()
    return use
