"""The app: it registers the system checks, and does nothing else at start-up."""

from __future__ import annotations

from django.apps import AppConfig


class ScopeConfig(AppConfig):
    """The configuration of the app `scope_django`."""

    name = "scope_django"
    """The app's package."""
    verbose_name = "Scope prompts"
    """What Django calls the app in its pages."""

    def ready(self) -> None:
        """Registers the checks."""
        from . import _checks  # noqa: F401  # the import registers them
