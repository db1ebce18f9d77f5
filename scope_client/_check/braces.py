"""Braces: what is said of a value that a template writes out with braces in it, which are printed as they are."""

from __future__ import annotations

from .._wording import shown

OPENING_BRACES = "{{"
FILTERS_THAT_PRINT_THEIR_ARGUMENT = frozenset({"add", "d", "default", "default_if_none", "join", "yesno"})


def braces_mistake(variable: str, text: str) -> str:
    """What is said of a value that a template writes out with braces in it.

    Args:
        variable: The variable of the prompt.
        text: The text that the template writes out.

    Returns:
        One sentence.
    """
    return (
        f"the variable {shown(variable)} is given the text {shown(text)}, which is printed with its braces: "
        f"to pass a value of the template, write it without quotes and braces"
    )
