"""Jinja templates: the calls in one that ask for prompts; without Jinja."""

from __future__ import annotations

import re

from .asked import Asked, Said, Told, Wrong
from .jinja_calls import read_expression
from .jinja_tokens import Comment, Text, parts_of_jinja

_MENTIONED = "scope_prompt"
_PRINTED_CALL = re.compile(r"\{[ \t]+[{%][^{}%]*\bscope_prompt[ \t]*\(")
_BLANK_IN_SIGN = "the expression begins with a blank between its two signs, so Jinja prints it as text: write {{ or {%"


def told_by_jinja(text: str) -> Told:
    """What Jinja would make of a template that mentions prompts."""
    asked: list[Asked] = []
    wrong: list[Wrong] = []
    said: list[Said] = []
    for part in parts_of_jinja(text):
        if isinstance(part, Comment):
            said.append(Said(part.start, part.end, part.text))
        elif isinstance(part, Text):
            if not part.is_raw:
                printed = _PRINTED_CALL.finditer(text, part.start, part.end)
                wrong += (Wrong(found.start(), found.end(), "S107", _BLANK_IN_SIGN) for found in printed)
        elif _MENTIONED in text[part.start : part.end]:
            more, flaws = read_expression(part)
            asked += more
            wrong += flaws
    return Told(tuple(asked), tuple(wrong), tuple(said))
