"""What both kinds of templates and the live prompt begin with: a version, and the values that go with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Union

from scope_client import PromptVersion, ScopeClient, ValidationError
from scope_client import client as default_client

from ._errors import missing_input

Fallback = Union[str, Callable[[], str], None]


def read(
    client: ScopeClient | None, name: str, label: str | None, version: str | None, fallback: Fallback
) -> PromptVersion:
    """From the client, or the process-wide one."""
    return (client or default_client()).get_prompt_version(name, label=label, version=version, fallback=fallback)


def checked_partials(version: PromptVersion, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Raises ValidationError for values that the version has no variable for."""
    unknown = [name for name in given or () if name not in version.variables]
    if unknown and not version.is_fallback:
        known = ", ".join(map(repr, version.variables)) or "none"
        raise ValidationError(f"partial_variables has {', '.join(map(repr, unknown))}; the prompt knows {known}")
    return {name: value for name, value in (given or {}).items() if name in version.variables}


def raise_for_missing(needed: Sequence[str], given: Any) -> None:
    """`needed` in the order of the prompt; what is no dict is LangChain's to judge."""
    if isinstance(given, dict):
        missing = [name for name in needed if name not in given]
        if missing:
            raise missing_input(missing, needed)
