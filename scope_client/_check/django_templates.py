"""Django templates: the tags in one that ask for prompts, and what Django prints as text; without Django.

What ends where is decided as Django's lexer does it, which knows nothing of quotes: a tag ends at the first `%}` on its
line, and what has none there is text.
"""

from __future__ import annotations

import re

from .asked import Asked, Said, Told, Wrong
from .django_tag import read_tag

_TOKEN = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}")
_NAME_OF_A_TAG = re.compile(r"\S*")
_PRINTED_OPENING = re.compile(r"\{(?:[{%]|[ \t]+[{%])\s*scope_prompt\b")
_CODE_ON_A_PAGE = re.compile(r"<(/?)(?:pre|code)\b", re.IGNORECASE)
_CALL_OR_ARGUMENT = re.compile(r"scope_prompt(?:\s*\(|\s+['\"])")
_LIKE_THE_TAG = re.compile(r"[-+]?\s*scope_prompt\b")
_USED_AS_A_TAG = 'in a Django template a prompt is a tag, {% scope_prompt "greeting" name=user.first_name %}'
_ENDS_LATER = "the tag scope_prompt does not end on its line, so Django prints it as text: write it on one line"
_HAS_A_BLANK = "the tag scope_prompt begins with a blank between its two signs, so Django prints it as text: write {% "


def told_by_django(text: str) -> Told:
    """What Django would make of a template that mentions prompts."""
    return _Reader(text).told()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._asked: list[Asked] = []
        self._wrong: list[Wrong] = []
        self._said: list[Said] = []
        self._end_of_verbatim = ""
        self._comment: int | None = None

    def told(self) -> Told:
        position = 0
        for token in _TOKEN.finditer(self._text):
            self._see_text(position, token.start())
            position = token.end()
            self._see_token(token[0], token.start(), token.end())
        self._see_text(position, len(self._text))
        return Told(tuple(self._asked), tuple(self._wrong), tuple(self._said))

    def _see_token(self, token: str, start: int, end: int) -> None:
        contents = token[2:-2].strip()
        if self._end_of_verbatim:
            if token.startswith("{%") and contents == self._end_of_verbatim:
                self._end_of_verbatim = ""
            return
        if token.startswith("{%"):
            if contents[:9] in ("verbatim", "verbatim "):
                self._end_of_verbatim = f"end{contents}"
            self._see_block(contents, start, end)
        elif self._comment is not None:
            return
        elif token.startswith("{#"):
            self._said.append(Said(start, end, token[:-2]))
        elif _CALL_OR_ARGUMENT.match(contents):
            message = f"Django cannot read {{{{ scope_prompt ... }}}}: {_USED_AS_A_TAG}"
            self._wrong.append(Wrong(start, end, "S100", message))

    def _see_block(self, contents: str, start: int, end: int) -> None:
        name = _NAME_OF_A_TAG.match(contents)[0]  # type: ignore[index]  # it matches nothing, too
        if self._comment is not None:
            if contents == "endcomment":
                self._said.append(Said(self._comment, start, self._text[self._comment : start]))
                self._comment = None
        elif name == "comment":
            self._comment = end
        elif name == "scope_prompt":
            asked, wrong = read_tag(contents, self._text.index(contents, start), start, end)
            self._asked += asked
            self._wrong += wrong
        elif _LIKE_THE_TAG.match(contents):
            message = f"Django has no tag {name}: {_USED_AS_A_TAG}"
            self._wrong.append(Wrong(start, end, "S100", message))

    def _see_text(self, start: int, end: int) -> None:
        if self._end_of_verbatim or self._comment is not None or self._text.find("scope_prompt", start, end) < 0:
            return
        for found in _PRINTED_OPENING.finditer(self._text, start, end):
            is_apart = found[0][1] in " \t"
            if is_apart and self._is_shown_code(found.start()):
                continue
            message = f"{_HAS_A_BLANK}without it" if is_apart else _ENDS_LATER
            self._wrong.append(Wrong(found.start(), found.end(), "S107", message))

    def _is_shown_code(self, offset: int) -> bool:
        """Whether it is within <pre> or <code>: a page that shows how to write the tag."""
        tags = [found[1] for found in _CODE_ON_A_PAGE.finditer(self._text, 0, offset)]
        return tags.count("") > tags.count("/")
