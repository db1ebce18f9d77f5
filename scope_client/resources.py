"""The names under which programs of the platform's own SDK import what a client returns."""

from ._prompt.prompt_version import PromptVersion

Resource = PromptVersion

__all__ = ["PromptVersion", "Resource"]
