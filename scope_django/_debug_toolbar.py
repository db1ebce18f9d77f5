"""The panel of django-debug-toolbar that counts the calls of caches.

It follows a backend that `caches` makes in a request, and follows it for that request's panel ever after, unless it
finds the backend in `caches` when the request ends. A DjangoStore's own backends are not there, and outlive requests.
"""

from __future__ import annotations

import sys
from typing import Any

_PANEL_OF_BACKEND = "_djdt_panel"


def is_unseen_by_toolbar(cache: Any) -> bool:
    """Whether a request is being watched and the backend was made when none was."""
    return _current_panel() is not None and not hasattr(cache, _PANEL_OF_BACKEND)


def show_to_toolbar(cache: Any) -> None:
    """Its next calls count in the panel of the current request, or nowhere if there is none."""
    if hasattr(cache, _PANEL_OF_BACKEND):
        setattr(cache, _PANEL_OF_BACKEND, _current_panel())


def _current_panel() -> Any:
    panel = getattr(sys.modules.get("debug_toolbar.panels.cache"), "CachePanel", None)
    current = getattr(panel, "current_instance", None)
    return None if current is None else current()
