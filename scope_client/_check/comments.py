"""Comments: what `scope: uses greeting(name)` and `scope: ignore[S102]` say, in a comment of any language."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._wording import listed, nearest, shown
from .finding import CODES

_REMARK = re.compile(
    r"""(?:^|[#;])[ \t]*scope:[ \t]*(?P<word>[a-z][a-z-]*)(?P<rest>(?:[^\n"'#]|"[^"\n]*"|'[^'\n]*')*)""",
    re.IGNORECASE | re.MULTILINE,
)
_CODES_IN_BRACKETS = re.compile(r"\[([^\]]*)\]")
_NAME_OF_A_PROMPT = re.compile(
    r"""[ \t]*(?:"(?P<quoted>[^"\n]+)"|'(?P<single>[^'\n]+)'|(?P<plain>(?!:)[^\s,()"'=;#]+))"""
)
_SAID_VARIABLES = re.compile(r"[ \t]*\(([^()]*)\)")
_SAID_OPTION = re.compile(r"""[ \t]+(label|version)=(?:"([^"\n]+)"|'([^'\n]+)'|([^\s,()"';#]+))""")
_COMMA_BETWEEN_USES = re.compile(r"[ \t]*,")
_END_OF_A_REMARK = re.compile(r"[ \t]*(?:$|;|-{2})")
_SAID_VARIABLE = re.compile(r"[^,\s](?:[^,]*[^,\s])?")
_AND_MORE = ("...", "**")
_HOW_TO_WRITE = "write 'scope: uses greeting(name)' or 'scope: ignore[S102]'"


class SaidVariable(NamedTuple):
    """A variable that a comment names."""

    name: str
    start: int
    """Where it begins in the text of the comment."""


class SaidUse(NamedTuple):
    """A use that a comment tells of, for code that cannot be read: `uses NAME(variable, ...) label=LABEL`."""

    name: str
    start: int
    """Where the name begins in the text of the comment."""
    given: tuple[SaidVariable, ...] = ()
    renders: bool = False
    """Whether variables are named, be it none: `uses greeting()`."""
    is_open: bool = False
    """Whether "..." stands among them."""
    label: str | None = None
    version: str | None = None


class Remarks(NamedTuple):
    """What a comment says to `scope check`."""

    uses: tuple[SaidUse, ...] = ()
    ignored: frozenset[str] | None = frozenset()
    """The codes to ignore at its place; None for all of them."""
    mistakes: tuple[tuple[str, int], ...] = ()
    """What is wrong with it, in a sentence, and where in the text."""

    def __bool__(self) -> bool:
        return bool(self.uses or self.mistakes or self.ignored is None or self.ignored)


class _NotUnderstoodError(Exception):
    def __init__(self, message: str, start: int) -> None:
        super().__init__(message)
        self.mistake = (message, start)


def remarks(text: str) -> Remarks:
    """What the text of a comment says, with its sign (`#`, `{#`) or without; of several lines too.

    Args:
        text: The comment. One that says nothing to `scope check` has no uses, ignores nothing and has no mistakes.
    """
    if "scope:" not in text.lower():
        return Remarks()
    uses: list[SaidUse] = []
    ignored: frozenset[str] | None = frozenset()
    mistakes: list[tuple[str, int]] = []
    for found in _REMARK.finditer(text.replace("{#", " #")):
        said = _remark(text, found)
        uses += said.uses
        mistakes += said.mistakes
        ignored = None if ignored is None or said.ignored is None else ignored | said.ignored
    return Remarks(tuple(uses), ignored, tuple(mistakes))


def _remark(text: str, found: re.Match[str]) -> Remarks:
    word, start, end = found["word"].lower(), found.start("rest"), found.end()
    try:
        if word == "uses":
            return Remarks(uses=tuple(_uses(text, start, end)))
        if word == "ignore":
            return Remarks(ignored=_codes(text, start, end))
        if _is_meant(word, found["rest"]):
            raise _NotUnderstoodError(f"the comment 'scope: {word}' is not known; {_HOW_TO_WRITE}", found.start("word"))
    except _NotUnderstoodError as error:
        return Remarks(mistakes=(error.mistake,))
    return Remarks()


def _is_meant(word: str, rest: str) -> bool:
    """Whether it is a misspelt word of ours, and not somebody's own, such as "scope: session"."""
    if rest.startswith("["):
        return nearest(word, ["ignore"]) is not None
    one_name = r":?[ \t]+(?:\S+\(|\S+[ \t]*$)"  # and not a sentence, such as "scope: use it with care"
    return word.startswith("us") and re.match(one_name, rest) is not None


def _codes(text: str, start: int, end: int) -> frozenset[str] | None:
    """The codes in brackets; None if there are no brackets."""
    brackets = _CODES_IN_BRACKETS.match(text, start, end)
    if brackets is None:
        bare = re.compile(r"[ \t:=(\[]*([A-Z]?\d{3}\b.*)").match(text, start, end)
        if bare or text[start:end].startswith("["):
            written = text[start:end].strip()
            raise _NotUnderstoodError(
                f"'scope: ignore' has its codes in brackets, got {shown(written)}; {_HOW_TO_WRITE}", start
            )
        return None
    codes = [code.strip().upper() for code in brackets[1].split(",") if code.strip()]
    unknown = [code for code in codes if code not in CODES]
    if unknown or not codes:
        got = listed(unknown) if unknown else "no code"
        raise _NotUnderstoodError(
            f"'scope: ignore[...]' takes codes from {min(CODES)} to {max(CODES)}, got {got}", start
        )
    return frozenset(codes)


def _uses(text: str, start: int, end: int) -> list[SaidUse]:
    found = []
    while True:
        name = _NAME_OF_A_PROMPT.match(text, start, end)
        if name is None:
            written = text[start:end].strip()
            got = shown(written) if written else "nothing"
            raise _NotUnderstoodError(
                f"'scope: uses' is followed by the name of a prompt, got {got}; {_HOW_TO_WRITE}", start
            )
        use, start = _use(text, name, end)
        found.append(use)
        comma = _COMMA_BETWEEN_USES.match(text, start, end)
        if comma is None:
            break
        start = comma.end()
    if _END_OF_A_REMARK.match(text, start, end) is None:
        got = shown(text[start:end].strip())
        raise _NotUnderstoodError(f"'scope: uses {found[-1].name}' cannot be followed by {got}; {_HOW_TO_WRITE}", start)
    return found


def _use(text: str, name: re.Match[str], end: int) -> tuple[SaidUse, int]:
    kind = str(name.lastgroup)
    use = SaidUse(name[kind], name.start(kind))
    at = name.end()
    variables = _SAID_VARIABLES.match(text, at, end)
    if variables is not None:
        said = [SaidVariable(each[0], each.start()) for each in _SAID_VARIABLE.finditer(text, *variables.span(1))]
        given = tuple(each for each in said if each.name not in _AND_MORE)
        use = use._replace(given=given, renders=True, is_open=len(given) < len(said))
        at = variables.end()
    option = _SAID_OPTION.match(text, at, end)
    if option is not None:
        written = option[2] or option[3] or option[4]
        use = use._replace(label=written) if option[1] == "label" else use._replace(version=written)
        at = option.end()
    return use, at
