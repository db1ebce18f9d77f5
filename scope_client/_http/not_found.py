"""What a 404 means: that there is no such prompt, or that none of its versions is in production."""

from __future__ import annotations

import re

from .._foreign_text import printable
from .._prompt.ref import PromptRef
from .._wording import shown
from ..errors import NoProductionVersionError, NotFoundError, ScopeError


def explained(error: NotFoundError, ref: PromptRef) -> ScopeError:
    """The error for the caller: for production, the API has one status for both, and tells them apart by the code."""
    if error.http_status != 404 or ref.label != "production":
        return error
    if error.error_code == "prompt_not_found" or _is_about_the_prompt(error.message, printable(ref.name)):
        return error
    doubt = "" if error.error_code else " (or does not exist: the platform did not say which; check base_url too)"
    return NoProductionVersionError(
        f"prompt {shown(ref.name)} has no production version{doubt}: publish one, or ask for label='latest'",
        prompt_id=ref.name,
        http_status=error.http_status,
        http_body=error.http_body,
        error_code=error.error_code,
        request_id=error.request_id,
    )


def _is_about_the_prompt(message: str, name: str) -> bool:
    """Whether the message says that the prompt itself is missing; its name may hold any of these words."""
    nameless = _without(name, message)
    if re.search("production|publish|version", nameless, re.IGNORECASE):
        return False
    first = re.search("prompt", message, re.IGNORECASE)  # one expression for both would look on from every "prompt"
    is_missing = first is not None and re.search("not (found|exist)", message[first.end() :], re.IGNORECASE)
    return bool(is_missing or re.search("(no such|unknown) prompt", message, re.IGNORECASE))


def _without(name: str, text: str) -> str:
    """The text without the first place at which the name stands as a word of its own."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if not (_is_of_a_word(text[at - 1 : at]) or _is_of_a_word(text[end : end + 1])):
            return text[:at] + text[end:]
        at = text.find(name, at + 1)
    return text


def _is_of_a_word(char: str) -> bool:
    return char.isalnum() or char == "_"
