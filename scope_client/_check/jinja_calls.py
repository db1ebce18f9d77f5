"""Calls of `scope_prompt` in the expressions of Jinja templates: what they ask for, and what they pass."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .asked import Asked, Value, Wrong
from .braces import FILTERS_THAT_PRINT_THEIR_ARGUMENT, OPENING_BRACES, braces_mistake
from .jinja_tokens import Expression, Token

_FUNCTION = "scope_prompt"
_CALL_OF_JINJA = 'in a Jinja template a prompt is a call, {{ scope_prompt("greeting", name=user.first_name) }}'
_WORDS_THAT_NAME = ("macro", "block", "endblock", "import", "set", "for", "as")
_WORDS_FOR_NOTHING = ("none", "None")


class _Argument(NamedTuple):
    key: str
    """"" for one by position; "*" and "**" for those that are unpacked."""
    start: int
    value: Sequence[Token]


def read_expression(expression: Expression) -> tuple[list[Asked], list[Wrong]]:
    """What an expression that mentions the function asks for, and what is wrong with it."""
    tokens = expression.tokens
    asked: list[Asked] = []
    wrong: list[Wrong] = []
    span = expression.start, expression.end
    depth = 0
    for place, token in enumerate(tokens):
        depth += _depth(token)
        if token.kind != "name" or token.text != _FUNCTION or _is_another(tokens, place):
            continue
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if after is not None and after.text == "(":
            found, flaws = _read_call(list(_arguments(tokens, place + 2)), token, span)
            asked.append(found)
            wrong += flaws
        elif after is not None and after.kind == "text":
            wrong.append(Wrong(*span, "S100", f"Jinja cannot read {after.text} after scope_prompt: {_CALL_OF_JINJA}"))
        elif depth or (tokens[place - 1].text == "=" and place):
            asked.append(Asked(*span, token.start, is_dynamic=True, is_open=True))
    if expression.flaw and any(token.text == _FUNCTION for token in tokens):
        return [], [Wrong(*span, "S100", f"Jinja cannot read this expression: {expression.flaw}; {_CALL_OF_JINJA}")]
    return asked, wrong


def _is_another(tokens: Sequence[Token], place: int) -> bool:
    """Whether it is an attribute, a filter or a keyword of this name, or is given this name here."""
    before = tokens[place - 1].text if place else ""
    after = tokens[place + 1].text if place + 1 < len(tokens) else ""
    return before in (".", "|", *_WORDS_THAT_NAME) or after == "=" or after == "is"


def _depth(token: Token) -> int:
    if token.kind != "sign":
        return 0
    return 1 if token.text in "([{" else -1 if token.text in ")]}" else 0


def _parts(tokens: Sequence[Token], separator: str = ",") -> Iterator[list[Token]]:
    """The tokens up to the bracket that closes, parted where no other bracket is open."""
    part: list[Token] = []
    depth = 0
    for token in tokens:
        depth += _depth(token)
        if depth < 0:
            break
        if depth == 0 and token.kind == "sign" and token.text == separator:
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _arguments(tokens: Sequence[Token], start: int) -> Iterator[_Argument]:
    for part in _parts(tokens[start:]):
        if not part:
            continue
        first = part[0]
        if first.text in ("*", "**") and first.kind == "sign":
            yield _Argument(first.text, first.start, part[1:])
        elif first.kind == "name" and len(part) > 1 and part[1].text == "=":
            yield _Argument(first.text, first.start, part[2:])
        else:
            yield _Argument("", first.start, part)


def _read_call(arguments: list[_Argument], function: Token, span: tuple[int, int]) -> tuple[Asked, list[Wrong]]:
    keywords = {each.key: each for each in arguments if each.key not in ("", "*", "**")}
    positional = [each for each in arguments if each.key in ("", "*")]
    first = positional[0] if positional and not positional[0].key else None
    name = None if first is None else constant(first.value)
    written = {key: keywords.pop(key) for key in ("label", "version", "using") if key in keywords}
    variables = keywords.pop("variables", None)
    named, is_whole = ([], True) if variables is None else _members(variables.value)
    fallback = keywords.pop("fallback", None)
    keywords.pop("rollout_key", None)
    values = [*keywords.values(), *named]
    asked = Asked(
        *span,
        function.start if first is None or name is None else first.start,
        name,
        label=_constant_of(written.get("label")),
        version=_constant_of(written.get("version")),
        using=_constant_of(written.get("using")),
        is_dynamic=name is None or any(not _is_known(each.value) for each in written.values()),
        given=tuple(Value(each.key, each.start, _kind(each.value)) for each in values),
        # `using` names the organisation on a Django site, and is a variable like any other in a Flask app.
        is_open=not is_whole or "using" in written or any(each.key == "**" for each in arguments),
        kind=None if fallback is None else {"text": "text", "messages": "chat"}.get(str(_kind(fallback.value))),
    )
    wrong = [
        Wrong(each.start, span[1], "S107", braces_mistake(each.key, text), name, each.key)
        for each in values
        for text in _printed_texts(each.value)
        if OPENING_BRACES in text
    ]
    flaw = _flaw_of(arguments)
    if flaw:
        wrong.append(Wrong(*span, "S100", f"Jinja cannot read this call: {flaw}; {_CALL_OF_JINJA}"))
    return asked, wrong


def _flaw_of(arguments: list[_Argument]) -> str:
    """Why Jinja cannot read the arguments, or ""."""
    kinds = ["=" if each.key not in ("", "*", "**") else each.key for each in arguments]
    if any(len(list(_parts(each.value, "="))) > 1 for each in arguments):
        return "there is no comma between two of its arguments"
    if any(not kind and any(kinds[:place]) for place, kind in enumerate(kinds)):
        return "an argument without a name comes after one with a name"
    if "**" in kinds[:-1] or kinds.count("*") > 1:
        return "nothing may come after **, and * may come once"
    return ""


def _constant_of(argument: _Argument | None) -> str | None:
    return None if argument is None else constant(argument.value)


def constant(tokens: Sequence[Token]) -> str | None:
    """The text that an expression writes out, if it is nothing else: in parts, or in brackets, too."""
    while len(tokens) > 2 and tokens[0].text == "(" and tokens[-1].text == ")":
        tokens = tokens[1:-1]
    if not tokens or any(token.kind != "text" for token in tokens):
        return None
    return "".join(_unescaped(token.text[1:-1]) for token in tokens)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        return codecs.decode(text.encode("ascii", "backslashreplace"), "unicode-escape")
    except ValueError:
        return text


def _is_known(tokens: Sequence[Token]) -> bool:
    return constant(tokens) is not None or (len(tokens) == 1 and tokens[0].text in _WORDS_FOR_NOTHING)


def _members(tokens: Sequence[Token]) -> tuple[list[_Argument], bool]:
    """The values by their keys of a dictionary that is written out, and whether these are all."""
    if len(tokens) == 1 and tokens[0].text in _WORDS_FOR_NOTHING:
        return [], True
    if not tokens or tokens[0].text != "{" or len(list(_parts(tokens))) != 1 or tokens[-1].text != "}":
        return [], False
    found: list[_Argument] = []
    is_whole = True
    for part in _parts(tokens[1:-1]):
        key, *value = _parts(part, ":")
        text = constant(key)
        if text is None:
            is_whole = False
        else:
            found.append(_Argument(text, key[0].start, value[0] if value else ()))
    return found, is_whole


def _kind(tokens: Sequence[Token]) -> str | None:
    if constant(tokens) is not None:
        return "text"
    is_messages = len(tokens) > 2 and tokens[0].text == "[" and tokens[1].text == "{" and tokens[-1].text == "]"
    return "messages" if is_messages else None


def _printed_texts(tokens: Sequence[Token]) -> Iterator[str]:
    """The texts that are a part of what a value prints: not those that are only compared, or given to a function."""
    depth_of_others: list[int] = []
    depth = 0
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else None
        if token.kind == "sign" and token.text in "([{":
            depth += 1
            if before is not None and _takes_arguments(tokens, place):
                depth_of_others.append(depth)
        elif token.kind == "sign" and token.text in ")]}":
            if depth_of_others and depth_of_others[-1] == depth:
                depth_of_others.pop()
            depth -= 1
        elif token.kind == "text" and not depth_of_others and not _is_compared(tokens, place):
            yield _unescaped(token.text[1:-1])


def _takes_arguments(tokens: Sequence[Token], place: int) -> bool:
    """Whether a bracket opens the arguments of something that does not print them, or an index."""
    before = tokens[place - 1]
    if before.kind != "name" and before.text not in (")", "]"):
        return False
    if before.text in ("if", "else", "or", "and", "not", "in"):
        return False
    is_filter = place > 1 and tokens[place - 2].text == "|"
    return not (is_filter and before.text in FILTERS_THAT_PRINT_THEIR_ARGUMENT)


def _is_compared(tokens: Sequence[Token], place: int) -> bool:
    """Whether a text stands beside `in`, `==` and the like, or is the key of a dictionary."""
    signs = ("in", "==", "!=", "<", ">", "<=", ">=", "is")
    around = [tokens[each].text for each in (place - 1, place + 1) if 0 <= each < len(tokens)]
    return any(each in signs for each in around) or (place + 1 < len(tokens) and tokens[place + 1].text == ":")
