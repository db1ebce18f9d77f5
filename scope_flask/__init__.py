"""Prompts from the Scope Platform in Flask: an extension, a Jinja function, and commands."""

from __future__ import annotations

from scope_client.frameworks import missing_extra, publish

try:
    from ._blueprint import health
    from ._extension import Scope, current_scope
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(missing_extra("scope_flask", ("flask",), "flask", error), name=error.name) from error

__all__ = ["Scope", "current_scope", "health"]

publish(__name__, ["Scope"])
