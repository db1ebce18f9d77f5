"""Prompts from the Scope Platform in Flask: an extension, a Jinja function, and commands."""

from __future__ import annotations

from scope_client.frameworks import publish

from ._blueprint import health
from ._extension import Scope, current_scope

__all__ = ["Scope", "current_scope", "health"]

publish(__name__, ["Scope"])
