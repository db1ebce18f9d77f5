"""`version.render` by the size of what it gives, and a cached `render_prompt`, beside a list split in advance."""

from __future__ import annotations

import sys

from scope_client import PromptVersion
from scope_client.local import LocalPlatform

from .measure import Loop, Row, medians, seconds, worked

SIZES = {"200 B": 200, "2 kB": 2_000, "200 kB": 200_000}
LONGEST_VALUE = 10
RENDERS = 200
REPETITIONS = 201
LIMIT = 2.2
LIMIT_CACHED = 3.5


class Sample:
    """A text of this many bytes when rendered, with values for so many variables: its pieces by turns and by place."""

    def __init__(self, size: int, names: list[str]) -> None:
        length = min(LONGEST_VALUE, size // (2 * len(names)))
        self.values = {name: (name * LONGEST_VALUE)[-length:] for name in names}
        literal, longer = divmod(size - length * len(names), len(names) + 1)
        self.pieces = ["x" * (literal + (place < longer)) for place in range(len(names) + 1)]
        for number, name in enumerate(names):
            self.pieces.insert(2 * number + 1, name)
        self.places = [(2 * number + 1, name) for number, name in enumerate(names)]
        parts = enumerate(self.pieces)
        self.content = "".join("{{%s}}" % piece if place % 2 else piece for place, piece in parts)  # noqa: UP031


def rows() -> list[Row]:
    found = []
    for label, size in SIZES.items():
        few, many = Sample(size, list("abcde")), Sample(size, [sys.intern(f"v{number}") for number in range(100)])
        found += [
            _row(f"render, {label}, 5 variables", few_by_us(few), by_hand(few), LIMIT),
            _row(f"render, {label}, 100 variables", many_by_us(many), by_hand(many), LIMIT),
        ]
    few = Sample(SIZES["2 kB"], list("abcde"))
    with LocalPlatform({"p": few.content}) as platform:
        ours = from_the_cache(few, platform)
        cached = _row("cached render_prompt, 2 kB, 5 variables", ours, by_hand(few), LIMIT_CACHED)
    return [*found, cached]


def _row(what: str, ours: Loop, theirs: Loop, limit: float) -> Row:
    rendered, joined = medians(lambda: worked(ours, RENDERS), lambda: worked(theirs, RENDERS), repetitions=REPETITIONS)
    return Row(what, seconds(rendered), f"by hand {seconds(joined)}", rendered / joined, limit)


def few_by_us(sample: Sample) -> Loop:
    version = PromptVersion.from_api({"content": sample.content})
    a, b, c, d, e = sample.values.values()

    def loop(renders: int) -> None:
        for _ in range(renders):
            version.render(a=a, b=b, c=c, d=d, e=e)

    return loop


def many_by_us(sample: Sample) -> Loop:
    version = PromptVersion.from_api({"content": sample.content})
    values = sample.values

    def loop(renders: int) -> None:
        for _ in range(renders):
            version.render(**values)

    return loop


def by_hand(sample: Sample) -> Loop:
    """What fills in any template and checks nothing: the list is copied, its places are set, all is joined."""
    pieces, places, values = sample.pieces, sample.places, sample.values

    def fill(values: dict[str, str]) -> str:
        filled = pieces[:]
        for place, name in places:
            filled[place] = values[name]
        return "".join(filled)

    def loop(renders: int) -> None:
        for _ in range(renders):
            fill(values)

    _check(sample, fill(values))
    return loop


def from_the_cache(sample: Sample, platform: LocalPlatform) -> Loop:
    client = platform.client()
    a, b, c, d, e = sample.values.values()

    def loop(renders: int) -> None:
        for _ in range(renders):
            client.render_prompt("p", {"a": a, "b": b, "c": c, "d": d, "e": e})

    _check(sample, client.render_prompt("p", sample.values))
    return loop


def _check(sample: Sample, text: str) -> None:
    assert PromptVersion.from_api({"content": sample.content}).render(**sample.values) == text
