"""Escaping: how the name of a prompt is written as a path, on any disk, and the name that a path stands for.

| in a name | in a path |
|---|---|
| `/` | a folder: `support/greeting` |
| what a disk refuses or takes for the same | its UTF-8 octets, each as `%` and two digits: `a:b` is `a%3Ab` |
| `%` before two hexadecimal digits | `%25` |
| nothing before, between or after slashes | `%` |
| a part that is too long for a disk | several folders, of which all but the last end in `%+` |
| the sixteenth slash, and those after it | `%2F` |
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .._wording import shown
from ..errors import ConfigurationError

MAX_PATH_PARTS = 16
MAX_PART_BYTES = 180  # with what is added to it, less than the 255 of most disks
GOES_ON = "%+"
_EMPTY_PART = "%"

_WRITTEN_OCTETS = re.compile("(?:%[0-9A-Fa-f]{2})+")
_LIKE_OCTETS = re.compile("%(?=[0-9A-Fa-f]{2})")
# Control characters, what Windows has other uses for, and what a disk or a reader may not see at all.
_UNFIT = re.compile(
    '[\x00-\x1f\x7f-\x9f/<>:"\\\\|?*\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e'
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)
_LIKE_A_VERSION = re.compile(r"v[0-9]+(?:\W.*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_UNFIT_ENDINGS = (".", " ", ".md", GOES_ON)
_RESERVED = re.compile(
    r"readme|node_modules|git~[0-9]+"
    "|(?:con|prn|aux|nul|conin[$]|conout[$]|clock[$]|(?:com|lpt)[0-9\xb9\xb2\xb3]) *(?:[.].*)?",
    re.IGNORECASE | re.DOTALL,
)


def path_of(name: str) -> str:
    """The path of a prompt's files in a folder: relative, with forward slashes and without the ending.

    Two names have two paths; `paths_of` has those that also differ for a disk that tells no upper from lower case.
    Raises ConfigurationError for a name that UTF-8 cannot hold.
    """
    return _path([_Part(part, is_first=depth == 0) for depth, part in enumerate(_parts(name))])


def paths_of(names: Iterable[str]) -> dict[str, str]:
    """The path of each name, such that a disk that tells no upper from lower case holds them side by side.

    Upper-case letters are written as octets in what such a disk would take for one. The paths depend on which names
    there are, and not on their order. Raises what `path_of` raises.
    """
    parts = {name: _parts(name) for name in names}
    alike: dict[tuple[tuple[str, ...], str], set[str]] = {}
    for each in parts.values():
        for depth, part in enumerate(each):
            alike.setdefault((tuple(each[:depth]), folded(part)), set()).add(part)

    def written(each: list[str], depth: int) -> _Part:
        others = alike[tuple(each[:depth]), folded(each[depth])]
        return _Part(each[depth], depth == 0, _How.PLAIN if len(others) == 1 else _How.WITHOUT_CASE)

    return {name: _path([written(each, depth) for depth in range(len(each))]) for name, each in parts.items()}


def paths_beside(name: str, *, is_first: bool) -> Iterator[str]:
    """Paths of a name, the plainest first; in each the first part is written in another way, the last one all escaped.

    Args:
        name: The name, or what is left of it below a folder.
        is_first: Whether no folder of prompts is above it.
    """
    first, *more = _parts(name)
    below = [_Part(part, is_first=False) for part in more]
    for how in _How:
        yield _path([_Part(first, is_first, how), *below])


def name_of(path: str) -> str:
    """The name of the prompt whose files are at a path; for a path that nobody has escaped it is the same text."""
    *folders, last = path.split("/")
    pieces = []
    for folder in folders:
        goes_on, text = read_part(folder)
        pieces.append(text if goes_on else f"{text}/")
    return "".join([*pieces, read_last_part(last)])


def read_part(folder: str) -> tuple[bool, str]:
    """Whether the name of a folder goes on in one of those in it, without a slash; and what it stands for in a name."""
    if folder.endswith(GOES_ON):
        return True, _decoded(folder[: -len(GOES_ON)])
    return False, read_last_part(folder)


def read_last_part(stem: str) -> str:
    """What the last part of a path stands for in a name."""
    return "" if stem == _EMPTY_PART else _decoded(stem)


def is_like_a_version(stem: str) -> bool:
    """Whether people may take a file of this name in a folder for a version: v1, v01, v2-old."""
    return _LIKE_A_VERSION.fullmatch(stem) is not None


class _How(enum.Enum):
    """What is escaped of a part: what no disk holds; upper-case letters too, if others are alike; or all of it."""

    PLAIN = 0
    WITHOUT_CASE = 1
    ESCAPED = 2


class _Part(NamedTuple):
    """What is between two slashes of a name; after the last slash that makes a folder, all that follows."""

    text: str
    is_first: bool
    how: _How = _How.PLAIN


def _path(parts: Iterable[_Part]) -> str:
    return "/".join([written for part in parts for written in _written(part)])


def _parts(name: str) -> list[str]:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"a prompt's name must be text that UTF-8 can hold, got {shown(name)}") from None
    return name.split("/", MAX_PATH_PARTS - 1)


def _written(part: _Part) -> Iterator[str]:
    """One part of a name as parts of a path: one, unless it is long."""
    if not part.text:
        yield _EMPTY_PART
        return
    signs = _signs(part.text, part.how)
    if part.how is _How.PLAIN and sum(map(_bytes_of, signs)) > MAX_PART_BYTES:
        signs = _signs(part.text, _How.WITHOUT_CASE)  # for several parts may begin alike
    pieces = _pieces(signs)
    for place, piece in enumerate(pieces):
        is_last = place == len(pieces) - 1
        guarded = _guarded(piece, is_first=part.is_first and place == 0, is_last=is_last)
        yield guarded if is_last else f"{guarded}{GOES_ON}"


def _signs(text: str, how: _How) -> list[str]:
    """The text as it is written, a text for each of its characters."""
    if how is _How.ESCAPED:
        return list(map(_octets, text))
    unfit = {found.start() for found in (*_UNFIT.finditer(text), *_LIKE_OCTETS.finditer(text))}
    is_usual, keeps_case = unicodedata.is_normalized("NFC", text), how is _How.PLAIN
    return [
        _octets(char)
        if at in unfit or not (is_usual or char.isascii()) or not (keeps_case or char == folded(char))
        else char
        for at, char in enumerate(text)
    ]


def _pieces(signs: list[str]) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    size = 0
    for sign in signs:
        size += _bytes_of(sign)
        if size > MAX_PART_BYTES:
            pieces.append([])
            size = _bytes_of(sign)
        pieces[-1].append(sign)
    return pieces


def _guarded(signs: list[str], *, is_first: bool, is_last: bool) -> str:
    """A part of a path that means nothing else to a reader or a system."""
    text = "".join(signs)
    if text.startswith(".") or _RESERVED.fullmatch(text) or (not is_first and is_like_a_version(text)):
        signs = [_octets(signs[0]), *signs[1:]]
    if is_last:
        for ending in _UNFIT_ENDINGS:
            if text.lower().endswith(ending) and len(signs) >= len(ending):
                at = len(signs) - len(ending)
                signs = [*signs[:at], _octets(signs[at]), *signs[at + 1 :]]
        if text == _EMPTY_PART:
            signs = [_octets(text)]
    return "".join(signs)


def _bytes_of(sign: str) -> int:
    return len(sign.encode())


def _octets(sign: str) -> str:
    return sign if len(sign) > 1 else "".join([f"%{octet:02X}" for octet in sign.encode()])


def _decoded(text: str) -> str:
    return _WRITTEN_OCTETS.sub(_text_of, text) if "%" in text else text


def _text_of(octets: re.Match[str]) -> str:
    try:
        return bytes.fromhex(octets[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return octets[0]


def folded(part: str) -> str:
    """The same for names of files that are one to some disk."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).casefold())
