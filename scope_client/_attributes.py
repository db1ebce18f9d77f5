"""Attributes: the facts of a version as traces have them."""

from __future__ import annotations

from typing import Optional, Union

from ._attribute_names import (
    FLAG_KEY,
    FLAG_PROVIDER,
    FLAG_VARIANT,
    ID_OF_PROMPT,
    ID_OF_VERSION,
    IS_FALLBACK,
    LABEL_ASKED_FOR,
    PROMPT_NAME,
    PROMPT_VERSION,
    READ_SOURCE,
)
from ._foreign_text import printable
from ._prompt.prompt_version import PromptVersion

FLAG_PROVIDER_OF_ROLLOUTS = "scope"
Facts = dict[str, Union[str, bool]]


def facts_of(
    version: PromptVersion, *, source: Optional[str] = None, label: Optional[str] = None, variant: Optional[str] = None
) -> Facts:
    """The attributes of a version, without those that are not known; never a value of a variable, or the text.

    A fallback has no version.

    Args:
        version: The version.
        source: How it was read, as `PromptRead.source` has it.
        label: The label that was asked for.
        variant: The variant of a rollout that it was chosen for.

    Returns:
        The values by name, each text or a bool.
    """
    number, is_one = version.version_number, not version.is_fallback
    named: dict[str, str | None] = {
        PROMPT_NAME: version.name,
        PROMPT_VERSION: (version.id if number is None else str(number)) if is_one else None,
        ID_OF_PROMPT: version.prompt_id,
        ID_OF_VERSION: version.id if is_one else None,
        LABEL_ASKED_FOR: label,
        READ_SOURCE: source,
    }
    if variant is not None:
        named.update({FLAG_KEY: version.name, FLAG_VARIANT: variant, FLAG_PROVIDER: FLAG_PROVIDER_OF_ROLLOUTS})
    facts: Facts = {name: printable(value) for name, value in named.items() if value}
    if version.is_fallback:
        facts[IS_FALLBACK] = True
    return facts
