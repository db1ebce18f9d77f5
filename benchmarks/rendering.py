"""`version.render` of 2 kB with five variables, beside a list split in advance, filled and joined by hand."""

from __future__ import annotations

import time

from scope_client import PromptVersion

from .measure import Row, medians, seconds

RENDERS = 100_000
LIMIT = 2.5
LITERAL = "x" * 340
PIECES = [LITERAL, "a", LITERAL, "b", LITERAL, "c", LITERAL, "d", LITERAL, "e", LITERAL]
VALUES = {name: name * 10 for name in "abcde"}


def rows() -> list[Row]:
    content = LITERAL + "".join("{{%s}}%s" % (name, LITERAL) for name in VALUES)  # noqa: UP031  # braces
    version = PromptVersion.from_api({"content": content})
    assert version.render(**VALUES) == by_hand(VALUES)
    render = version.render

    def ours() -> float:
        started = time.perf_counter()
        for _ in range(RENDERS):
            render(a="aaaaaaaaaa", b="bbbbbbbbbb", c="cccccccccc", d="dddddddddd", e="eeeeeeeeee")
        return (time.perf_counter() - started) / RENDERS

    def theirs() -> float:
        started = time.perf_counter()
        for _ in range(RENDERS):
            by_hand(VALUES)
        return (time.perf_counter() - started) / RENDERS

    rendered, joined = medians(ours, theirs)
    return [Row("render, 2 kB, 5 variables", seconds(rendered), f"by hand {seconds(joined)}", rendered / joined, LIMIT)]


def by_hand(values: dict[str, str]) -> str:
    filled = PIECES[:]
    filled[1] = values["a"]
    filled[3] = values["b"]
    filled[5] = values["c"]
    filled[7] = values["d"]
    filled[9] = values["e"]
    return "".join(filled)
