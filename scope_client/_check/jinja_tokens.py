"""The tokens of Jinja templates, for expressions that mention prompts; without Jinja, with its usual delimiters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_OPENING = re.compile(r"\{\{|\{%|\{#")
# Most of a page is this: read at once, if it mentions no prompt.
_PLAIN_EXPRESSION = re.compile(r"""(?:\{\{|\{%[-+]?\s*(\w*))[^'"(\[{}%]*?(?:\}\}|%\})""")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*-?%\}")
_END_OF_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_TOKEN_OF_JINJA = re.compile(
    r"""\s*(?:(?P<text>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")|(?P<name>[^\W\d]\w*)"""
    r"""|(?P<number>\d[\w.]*)|(?P<end>[-+]?(?:\}\}|%\}))|(?P<sign>\*\*|//|[=!<>]=|[^\s'"]))""",
    re.DOTALL,
)
_FUNCTION_NAME = "scope_prompt"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


class Token(NamedTuple):
    """A token of an expression."""

    kind: str
    """"text", "name", "number" or "sign"."""
    text: str
    start: int


class Expression(NamedTuple):
    """What stands within `{{ }}` or `{% %}`."""

    is_tag: bool
    tokens: tuple[Token, ...]
    start: int
    end: int
    flaw: str = ""
    """Why Jinja cannot read it."""


class Comment(NamedTuple):
    """What stands within `{# #}`."""

    text: str
    start: int
    end: int


class Text(NamedTuple):
    """What is printed as it is; `is_raw` if a raw block has Jinja do so."""

    start: int
    end: int
    is_raw: bool = False


def parts_of_jinja(text: str) -> Iterator[Expression | Comment | Text]:
    """The parts of a template, in order; the last one may be an expression that does not end."""
    position = 0
    while True:
        opening = _OPENING.search(text, position)
        if opening is None:
            yield Text(position, len(text))
            return
        start = opening.start()
        yield Text(position, start)
        raw = _RAW.match(text, start)
        if raw is not None:
            end = _END_OF_RAW.search(text, raw.end())
            position = len(text) if end is None else end.end()
            yield Text(raw.end(), position, is_raw=True)
        elif opening[0] == "{#":
            end_of_comment = text.find("#}", start + 2)
            position = len(text) if end_of_comment < 0 else end_of_comment + 2
            yield Comment(text[start : position if end_of_comment < 0 else end_of_comment], start, position)
        else:
            expression = _plain(text, start) or _expression(text, start)
            position = expression.end
            yield expression


def _plain(text: str, start: int) -> Expression | None:
    """An expression without quotes and brackets that mentions no prompt, with the name of the tag alone."""
    found = _PLAIN_EXPRESSION.match(text, start)
    if found is None or _FUNCTION_NAME in found[0] or found[0].endswith("%}") != (text[start + 1] == "%"):
        return None
    tokens = (Token("name", found[1], found.start(1)),) if found[1] else ()
    return Expression(text[start + 1] == "%", tokens, start, found.end())


def _expression(text: str, start: int) -> Expression:
    is_tag = text.startswith("{%", start)
    tokens: list[Token] = []
    open_brackets: list[str] = []
    position = start + 2 + (text[start + 2 : start + 3] in ("-", "+"))
    flaw = "it does not end"
    while True:
        found = _TOKEN_OF_JINJA.match(text, position)
        if found is None:
            break
        kind = str(found.lastgroup)
        value, at = found[kind], found.start(kind)
        if kind == "end" and not open_brackets:
            position = found.end()
            flaw = "" if value.endswith("%}") == is_tag else f"it ends in {value}"
            break
        if kind == "end":  # a bracket is open, so that this is the end of a dictionary, or a flaw
            kind, value = "sign", value[0]
        position = at + len(value)
        if kind == "sign" and value in "([{":
            open_brackets.append(value)
        elif kind == "sign" and value in _BRACKETS:
            opened = open_brackets.pop() if open_brackets else ""
            if opened != _BRACKETS[value]:
                flaw = f"it has {value} where {opened} is open" if opened else f"it has {value} too much"
                break
        tokens.append(Token(kind, value, at))
    return Expression(is_tag, tuple(tokens), start, position, flaw)
