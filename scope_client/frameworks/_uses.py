"""PromptUse: where a template asks for a prompt, and what it passes; read without rendering a template."""

from typing import NamedTuple, Optional

from .._check.braces import FILTERS_THAT_PRINT_THEIR_ARGUMENT, OPENING_BRACES, braces_mistake
from .._wording import listed, shown

__all__ = [
    "FILTERS_THAT_PRINT_THEIR_ARGUMENT",
    "OPENING_BRACES",
    "TEMPLATE_FUNCTION",
    "PromptUse",
    "Ref",
    "braces_mistake",
]

TEMPLATE_FUNCTION = "scope_prompt"

Ref = tuple[str, Optional[str], Optional[str]]
"""A name, a label and a version ID, as `ScopeClient.prefetch` takes them."""


class PromptUse(NamedTuple):
    """One place in a template that asks for a prompt."""

    file: str
    """The template's file, or its name if it does not come from a file."""
    line: int
    """The line in it."""
    name: Optional[str]
    """The prompt's name, or None if it is known only when the template is rendered."""
    label: Optional[str] = None
    """The label that the template writes out."""
    version: Optional[str] = None
    """The version ID that the template writes out."""
    variables: tuple[str, ...] = ()
    """The names of the variables that it passes."""
    using: Optional[str] = None
    """The organisation that the template writes out, on a site that has several."""
    is_dynamic: bool = False
    """Whether its name, label, version or organisation is known only when the template is rendered."""
    is_open: bool = False
    """Whether it may pass more than `variables`."""
    mistakes: tuple[str, ...] = ()
    """What is wrong with it, whatever the prompt is."""

    @property
    def place(self) -> str:
        """The file and the line, such as "page.html:3"."""
        return f"{self.file}:{self.line}"

    @property
    def wanted(self) -> Ref:
        """What it asks for; raises ValueError if `is_dynamic`."""
        if self.is_dynamic or self.name is None:
            raise ValueError(f"{self.place} names its prompt when it is rendered")
        return (self.name, None if self.label == "production" else self.label, self.version)

    def __str__(self) -> str:
        name = "a prompt named when rendered" if self.name is None else f"prompt {shown(self.name)}"
        which = (
            f", label {shown(self.label)}" if self.label else f", version {shown(self.version)}" if self.version else ""
        )
        using = f", using {shown(self.using)}" if self.using else ""
        return f"{name}{which}{using}{', with ' + listed(self.variables, written=str) if self.variables else ''}"
