"""Prompts from the Scope Platform in Django: `{% scope_prompt %}`, cached in Django's cache framework."""

from __future__ import annotations

from scope_client.frameworks import publish

from ._client import aget_prompt_version, arender_prompt, get_client

__all__ = ["aget_prompt_version", "arender_prompt", "get_client"]

publish(__name__, __all__)
