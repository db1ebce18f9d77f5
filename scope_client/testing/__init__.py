"""What users' own tests are given: the pytest plugin, and a client over a mapping."""

from __future__ import annotations

from ._prompts_client import Given, PromptsClient

__all__ = ["Given", "PromptsClient"]
