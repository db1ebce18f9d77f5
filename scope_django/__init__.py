"""Prompts from the Scope Platform in Django: `{% scope_prompt %}`, cached in Django's cache framework."""

from __future__ import annotations

from scope_client.frameworks import missing_extra, publish

try:
    from ._client import aget_prompt_version, arender_prompt, get_client
    from ._shortcuts import arender
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(missing_extra("scope_django", ("django",), "django", error), name=error.name) from error

__all__ = ["aget_prompt_version", "arender", "arender_prompt", "get_client"]

publish(__name__, __all__)
