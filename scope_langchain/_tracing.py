"""Which version was used, on the runs that LangChain traces."""

from __future__ import annotations

from typing import Any

from scope_client import PromptVersion

METADATA_PREFIX = "scope.prompt."


def trace_metadata(version: PromptVersion) -> dict[str, Any]:
    """`scope.prompt.name`, `.id`, `.version`, `.version_id` and `.is_fallback`, as far as they are known.

    With `chain.with_config(metadata=trace_metadata(version))` the root run and the model's run carry them too.
    """
    known = {
        "name": version.name,
        "id": version.prompt_id,
        "version": version.version_number,
        "version_id": version.id,
        "is_fallback": version.is_fallback or None,
    }
    return {METADATA_PREFIX + key: value for key, value in known.items() if value is not None}


def trace_tags(version: PromptVersion) -> list[str]:
    """`scope:` and the prompt's name, and the version's own tags."""
    return [f"scope:{version.name}", *version.tags]
