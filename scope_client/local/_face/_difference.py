"""The difference of two versions: their lines, the words within a line, and what is kept beside the text."""

from __future__ import annotations

import bisect
import collections
import difflib
import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from ._messages import as_json_text, shown_messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..._folder.record import VersionRecord

CONTEXT_LINES = 3
MOST_LINES_TO_MATCH = 2_000
MOST_DIFFERING_WORDS_TO_MATCH = 600
MOST_CHARACTERS_SQUARED = 50_000_000  # of the lines of one change; above that, whole lines are marked
PARTS_OF_MOST = 4  # so long may be what is between two anchors
LINE_ENDS = "line ends"
ALIKE_ENOUGH = 0.3  # two lines that share less than this are two lines, and not one that was changed
_DIFFERING_WORDS = re.compile(r"\{\{\w+\}\}|\s+|\w+|[^\w\s]")

Parts = tuple[tuple[bool, str], ...]
Code = tuple[str, int, int, int, int]


class Line(NamedTuple):
    """`kind` is "same", "gone", "new" or "skipped"; `parts` are pairs of whether a piece differs, and its text."""

    kind: str
    parts: Parts = ()
    left_out: int = 0

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.parts)


class Fact(NamedTuple):
    """Something beside the text that differs; None if it is not there."""

    name: str
    old: Optional[Parts]
    new: Optional[Parts]


def lines_that_differ(old: VersionRecord, new: VersionRecord) -> Optional[list[Line]]:
    """The lines of both, with some of those around that are the same; None if the texts are the same."""
    before, after = _lines_of(old), _lines_of(new)
    return None if before == after else list(_with_little_between(list(_lines(before, after))))


def summary_of(lines: Sequence[Line]) -> str:
    """How many lines went and came."""
    gone, came = (sum(line.kind == kind for line in lines) for kind in ("gone", "new"))
    return f"{gone:,} line{'' if gone == 1 else 's'} taken out, {came:,} put in."


def facts_that_differ(old: VersionRecord, new: VersionRecord) -> list[Fact]:
    """Type, line ends, description, variables, tags and metadata, where they are not the same."""
    before, after = _facts(old), _facts(new)
    if not (before[LINE_ENDS] and after[LINE_ENDS]):  # of which a text on one line has none
        del before[LINE_ENDS], after[LINE_ENDS]
    names = [name for name in dict.fromkeys((*before, *after)) if before.get(name, ()) != after.get(name, ())]
    pairs = ((name, before.get(name, ()), after.get(name, ())) for name in names)
    return [Fact(name, _against(gone, came), _against(came, gone)) for name, gone, came in pairs]


def _against(values: tuple[str, ...], others: tuple[str, ...]) -> Optional[Parts]:
    """The values, with a mark on those that are not among the others."""
    parts = [part for value in values for part in ((False, ", "), (value not in others, value))]
    return tuple(parts[1:]) or None


def _facts(version: VersionRecord) -> dict[str, tuple[str, ...]]:
    body = version.to_body()
    metadata = {f"metadata: {key}": (_plainly(value),) for key, value in body["metadata"].items()}
    ends = _line_ends(version.content) if version.type == "text" else ()
    lists = {"variables": tuple(body["variables"]), "tags": tuple(body["tags"])}
    description = () if version.description is None else (version.description,)
    return {"type": (version.type,), LINE_ENDS: ends, "description": description, **lists, **metadata}


def _line_ends(text: str) -> tuple[str, ...]:
    crlf = text.count("\r\n")
    counts = {"CR LF": crlf, "LF": text.count("\n") - crlf}
    return tuple(name for name, count in counts.items() if count)


def _plainly(value: Any) -> str:
    return value if isinstance(value, str) and value else as_json_text(value)


def _lines_of(version: VersionRecord) -> list[str]:
    """Of a chat prompt, the roles and the texts: the JSON text has a whole message on a line."""
    if version.type == "text":
        return version.content.replace("\r\n", "\n").split("\n")
    lines: list[str] = []
    for message in shown_messages(version.content):
        lines.append(f"[{message.role}]{f' {message.name}' if message.name else ''}")
        for kind, text in message.parts:
            lines += [*([] if kind == "text" else [f"{kind}:"]), *text.split("\n")]
    return lines


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    for tag, a, b, c, d in _opcodes(old, new, MOST_LINES_TO_MATCH):
        if tag == "equal":
            yield from (Line("same", ((False, text),)) for text in old[a:b])
            continue
        both = list(zip(old[a:b], new[c:d]))
        is_much = sum(len(gone) * len(came) for gone, came in both) > MOST_CHARACTERS_SQUARED
        pairs = [_whole(*pair) if is_much else _words_that_differ(*pair) for pair in both]
        yield from (Line("gone", parts) for parts, _ in pairs)
        yield from (Line("gone", ((False, text),)) for text in old[a + len(pairs) : b])
        yield from (Line("new", parts) for _, parts in pairs)
        yield from (Line("new", ((False, text),)) for text in new[c + len(pairs) : d])


def _words_that_differ(old: str, new: str) -> tuple[Parts, Parts]:
    before, after = _DIFFERING_WORDS.findall(old), _DIFFERING_WORDS.findall(new)
    codes = _opcodes(before, after, MOST_DIFFERING_WORDS_TO_MATCH)
    shared = sum(len("".join(before[a:b])) for tag, a, b, _, _ in codes if tag == "equal")
    if shared < ALIKE_ENOUGH * max(len(old), len(new)):
        return _whole(old, new)
    gone = ((tag != "equal", "".join(before[a:b])) for tag, a, b, _, _ in codes)
    came = ((tag != "equal", "".join(after[c:d])) for tag, _, _, c, d in codes)
    return tuple(part for part in gone if part[1]), tuple(part for part in came if part[1])


def _whole(old: str, new: str) -> tuple[Parts, Parts]:
    return ((False, old),), ((False, new),)


def _opcodes(old: list[str], new: list[str], most: int) -> list[Code]:
    """As difflib has them; what begins and ends alike is left out of its work, which grows with the square."""
    start = _shared(old, new)
    end = _shared(old[start:][::-1], new[start:][::-1])
    middle = old[start : len(old) - end], new[start : len(new) - end]
    codes = _by_anchors(*middle, most) if max(map(len, middle)) > most else _matched(*middle)
    shifted = _shifted(codes, start, start)
    head = [("equal", 0, start, 0, start)] if start else []
    tail = [("equal", len(old) - end, len(old), len(new) - end, len(new))] if end else []
    return [*head, *shifted, *tail]


def _by_anchors(old: list[str], new: list[str], most: int) -> list[Code]:
    """For what would take long: between items that both have once, in the same order, and there only if it is short."""
    codes: list[Code] = []
    a = c = 0
    for b, d in [*_in_order(_once_in_both(old, new)), (len(old), len(new))]:
        gap = old[a:b], new[c:d]
        is_long = max(map(len, gap)) > most // PARTS_OF_MOST
        found = [("replace", 0, len(gap[0]), 0, len(gap[1]))] if is_long else _matched(*gap)
        codes += [*_shifted(found, a, c), ("equal", b, b + 1, d, d + 1)]
        a, c = b + 1, d + 1
    return codes[:-1]


def _once_in_both(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    counts, places = (collections.Counter(old), collections.Counter(new)), {item: at for at, item in enumerate(new)}
    return [(at, places[item]) for at, item in enumerate(old) if all(count[item] == 1 for count in counts)]


def _in_order(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The most of these pairs whose second numbers rise, too."""
    lowest: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, (_, place) in enumerate(pairs):
        length = bisect.bisect_left(lowest, place)
        before.append(ends[length - 1] if length else -1)
        lowest[length : length + 1], ends[length : length + 1] = [place], [at]
    found = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def _matched(old: list[str], new: list[str]) -> list[Code]:
    return [*difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()]


def _shifted(codes: list[Code], old: int, new: int) -> list[Code]:
    return [(tag, a + old, b + old, c + new, d + new) for tag, a, b, c, d in codes]


def _shared(old: list[str], new: list[str]) -> int:
    """How many of the first ones are the same."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(old, new)))


def _with_little_between(lines: list[Line]) -> Iterator[Line]:
    """Long runs of lines that are the same are counted, but for those next to a difference."""
    runs = [list(run) for _, run in itertools.groupby(lines, lambda line: line.kind == "same")]
    for place, run in enumerate(runs):
        if run[0].kind != "same":
            yield from run
            continue
        head = CONTEXT_LINES if place else 0
        tail = CONTEXT_LINES if place < len(runs) - 1 else 0
        left_out = len(run) - head - tail
        if left_out <= 1:
            yield from run
            continue
        yield from run[:head]
        yield Line("skipped", left_out=left_out)
        yield from run[len(run) - tail :]
