"""Imported constants: what the modules of a project, which a file imports, give their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable, Optional

Constants = Mapping[str, tuple[str, ...]]
"""The texts that each name of a module may be: {"GREETING": ("greeting",), "Prompt.HELLO": ("hello",)}. What going
through a list, a dict or an enum gives, and what a Literal allows, stands under its name with brackets:
{"NAMES[]": ("a", "b")}; the values of a dict under "PROMPTS{}", and one of them under "PROMPTS['mail']"; and
{"prompt()": ()} is a function."""
ConstantsOf = Callable[[str], Optional[Constants]]
"""Gives the constants of an imported module, by its dotted name; None for one that is not known."""
