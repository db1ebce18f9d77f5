"""Seen: what one file shows to the check."""

from __future__ import annotations

from typing import NamedTuple

from .finding import CodeFinding
from .use import Use


class Seen(NamedTuple):
    """What was found in one file, before anything is compared."""

    uses: list[Use]
    """Where it asks for prompts."""
    findings: list[CodeFinding]
    """What is wrong whatever the prompts are, such as a comment that cannot be read (S100)."""
