"""Answer: what a catalogue has for one ref: a version, or why there is none."""

from __future__ import annotations

from typing import NamedTuple

from .._prompt.prompt_version import PromptVersion


class Answer(NamedTuple):
    """A version; without one, `code` and `message` say what a use of it is told."""

    version: PromptVersion | None = None
    """What a use is compared with."""
    code: str = ""
    """One of `CODES`, if there is no version; "" too for what this catalogue cannot know."""
    message: str = ""
    """What follows the prompt's name in a sentence, such as "does not exist"; without a code, why it is not known."""
    may_be_misspelt: bool = False
    """Whether the nearest of the names that there are is worth a word."""
    is_certain: bool = True
    """Whether it is known that there is no such prompt, and not only that there is no such version."""


def unknown_prompt(where: str = "", advice: str = "") -> Answer:
    """There is no prompt of this name.

    Args:
        where: Where it is not, such as " in the folder 'prompts'".
        advice: What to do.
    """
    return Answer(None, "S101", f"does not exist{where}{advice}", may_be_misspelt=True)


def unknown_version(version_id: str, owner: str | None, where: str = "") -> Answer:
    """The prompt has no version of this ID.

    Args:
        version_id: The ID.
        owner: The prompt that has it, if one is known.
        where: Where it is not.
    """
    of = f", which is one of prompt {owner!r}" if owner is not None else ""
    return Answer(None, "S104", f"has no version {version_id!r}{where}{of}")
