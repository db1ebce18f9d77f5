"""Django's tag: what `{% scope_prompt "greeting" name=user as text %}` asks for, as Django reads it, but without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .._wording import shown
from .asked import Asked, Value, Wrong
from .braces import FILTERS_THAT_PRINT_THEIR_ARGUMENT, OPENING_BRACES, braces_mistake

_OPTIONS_OF_THE_TAG = frozenset({"label", "version", "fallback", "variables", "using", "rollout_key"})
_WHAT_THE_TAG_EXPECTS = 'write it as {% scope_prompt "greeting" name=user.first_name %}'
# As django.utils.text.smart_split parts them: blanks within quotes do not.
_BIT = re.compile(r"""(?:[^\s'"]*(?:(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')[^\s'"]*)+)|\S+""")
_TRANSLATED = ('_("', "_('")
_KEY_AND_ITS_VALUE = re.compile(r"(\w+)=(.+)", re.DOTALL)
_TEXT = r"""(?:"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')"""
_CONSTANT = rf"(?:_\({_TEXT}\)|{_TEXT})"
_VARIABLE_OR_NUMBER = r"(?:[\w.]+|[-+.]?\d[\d.e]*)"
_FILTER = re.compile(rf"\s*\|\s*(\w+)(?::(?:({_CONSTANT})|({_VARIABLE_OR_NUMBER})))?")
_EXPRESSION = re.compile(rf"(?:({_CONSTANT})|({_VARIABLE_OR_NUMBER}))((?:{_FILTER.pattern})*)")
_PRIVATE = re.compile(r"_|.*\._")
_NUMBER = re.compile(r"[-+]?\d[\d_]*")


class _RaisedError(Exception):
    """Django raises a TemplateSyntaxError."""


class _Bit(NamedTuple):
    text: str
    start: int


class _Expression(NamedTuple):
    constant: str | None
    """The text that it writes out, if it is nothing else."""
    printed: tuple[str, ...]
    """The texts written out in it that may be printed."""


def read_tag(contents: str, offset: int, start: int, end: int) -> tuple[list[Asked], list[Wrong]]:
    """What a tag asks for, and what is wrong with it.

    Args:
        contents: What is within the tag, without the blanks around it.
        offset: Where that begins in the template.
        start: Where the tag begins.
        end: Where it ends.
    """
    try:
        return _read(list(_bits(contents, offset))[1:], start, end)
    except _RaisedError as error:
        message = f"the tag scope_prompt cannot be read: {error}; {_WHAT_THE_TAG_EXPECTS}"
        return [], [Wrong(start, end, "S100", message)]


def _read(bits: list[_Bit], start: int, end: int) -> tuple[list[Asked], list[Wrong]]:
    bits = _without_as(bits)
    if not bits or bits[0].text == "with" or _KEY_AND_ITS_VALUE.fullmatch(bits[0].text):
        raise _RaisedError("it has no name")
    name = _expression(bits[0].text)
    options, variables = _keywords(bits[1:])
    if "label" in options and "version" in options:
        raise _RaisedError("it has a label and a version, and takes one of them (after 'with' they are variables)")
    written = {key: options[key].constant for key in ("label", "version", "using") if key in options}
    asked = Asked(
        start,
        end,
        start if name.constant is None else bits[0].start,
        name.constant,
        label=written.get("label"),
        version=written.get("version"),
        using=written.get("using"),
        is_dynamic=name.constant is None or None in written.values(),
        given=tuple(
            Value(key, at, None if value.constant is None else "text") for key, (value, at) in variables.items()
        ),
        is_open="variables" in options,
        kind="text" if "fallback" in options and options["fallback"].constant is not None else None,
    )
    wrong = [
        Wrong(at, end, "S107", braces_mistake(key, text), name.constant, key)
        for key, (value, at) in variables.items()
        for text in value.printed
    ]
    return [asked], wrong


def _keywords(bits: list[_Bit]) -> tuple[dict[str, _Expression], dict[str, tuple[_Expression, int]]]:
    """The options, and the variables with their places."""
    options: dict[str, _Expression] = {}
    variables: dict[str, tuple[_Expression, int]] = {}
    is_after_with = False
    for bit in bits:
        if bit.text == "with" and not is_after_with:
            is_after_with = True
            continue
        pair = _KEY_AND_ITS_VALUE.fullmatch(bit.text)
        if pair is None:
            raise _RaisedError(f"it has {shown(bit.text)} where a variable is expected, such as name=user")
        key, value = pair.groups()
        is_option = key in _OPTIONS_OF_THE_TAG and not is_after_with
        if key in (options if is_option else variables):
            raise _RaisedError(f"it is given {shown(key)} twice")
        if is_option:
            options[key] = _expression(value)
        else:
            variables[key] = (_expression(value), bit.start)
    if bits and bits[-1].text == "with":
        raise _RaisedError("it has nothing after 'with'")
    return options, variables


def _bits(contents: str, offset: int) -> Iterator[_Bit]:
    """As Token.split_contents of Django parts them."""
    start = 0
    sentinel = ""
    for found in _BIT.finditer(contents):
        if not sentinel:
            start = found.start()
            if found[0].startswith(_TRANSLATED):
                sentinel = f"{found[0][2]})"
        if not sentinel or found[0].endswith(sentinel):
            yield _Bit(contents[start : found.end()], offset + start)
            sentinel = ""
    if sentinel:
        raise _RaisedError("a translated text in it does not end")


def _without_as(bits: list[_Bit]) -> list[_Bit]:
    if all(bit.text != "as" for bit in bits):
        return bits
    if len(bits) < 2 or bits[-2].text != "as" or not bits[-1].text.isidentifier():
        raise _RaisedError("it has no variable name after 'as', at the end")
    return bits[:-2]


def _expression(text: str) -> _Expression:
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise _RaisedError(f"{shown(text)} is not a value of a template")
    filters = [each.groups() for each in _FILTER.finditer(found[3])]
    for variable in (found[2], *(argument for _, _, argument in filters)):
        if variable and _PRIVATE.match(variable) and not _NUMBER.fullmatch(variable):
            raise _RaisedError(f"{shown(variable)} begins with an underscore, or an attribute in it does")
    printing = [argument for name, argument, _ in filters if name in FILTERS_THAT_PRINT_THEIR_ARGUMENT]
    texts = [_unquoted(each) for each in (found[1], *printing) if each]
    is_plain = bool(found[1]) and not filters and not found[1].startswith("_(")
    return _Expression(texts[0] if is_plain else None, tuple(each for each in texts if OPENING_BRACES in each))


def _unquoted(constant: str) -> str:
    quoted = constant[2:-1] if constant.startswith("_(") else constant
    quote = quoted[0]
    return quoted[1:-1].replace(f"\\{quote}", quote).replace("\\\\", "\\")
