"""The app: it registers the checks, and nothing else happens at start-up."""

from __future__ import annotations

from django.apps import AppConfig


class ScopeConfig(AppConfig):
    name = "scope_django"
    verbose_name = "Scope prompts"

    def ready(self) -> None:
        from . import _checks  # noqa: F401  # it registers them
