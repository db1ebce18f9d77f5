"""`version.render` and a cached `render_prompt`, beside a list that was split in advance."""

from __future__ import annotations

import sys
from time import thread_time
from typing import Any

from scope_client import PromptVersion
from scope_client.local import LocalPlatform

from .measure import Row, compare, loop

SIZE, VALUE_SIZE = 2_000, 10
RENDERS, REPETITIONS = 200, 201


class Sample:
    """A text of SIZE bytes when rendered, with values for so many variables."""

    def __init__(self, count: int) -> None:
        self.names = [sys.intern(f"v{number}") for number in range(count)]
        self.values = {name: (name * VALUE_SIZE)[-VALUE_SIZE:] for name in self.names}
        self.literal = "x" * (SIZE // count - VALUE_SIZE)
        self.content = "".join(f"{self.literal}{{{{{name}}}}}" for name in self.names)
        self.version = PromptVersion.from_api({"content": self.content})

    def row(self, what: str, statement: str, **names: Any) -> Row:
        """Ours is a statement; by hand the list is copied, its places are set, and all is joined."""
        pieces = [piece for name in self.names for piece in (self.literal, name)]
        places = [(2 * number + 1, name) for number, name in enumerate(self.names)]

        def fill(values: dict[str, str]) -> str:
            filled = pieces[:]
            for place, name in places:
                filled[place] = values[name]
            return "".join(filled)

        names = {**self.values, "values": self.values, "version": self.version, "fill": fill, **names}
        assert eval(statement, names) == fill(self.values)
        ours, by_hand = (loop(each, timer=thread_time, **names) for each in (statement, "fill(values)"))
        return compare(what, ours, "by hand", by_hand, RENDERS, REPETITIONS)


def rows() -> list[Row]:
    few, many = Sample(5), Sample(100)
    one_by_one = "v0=v0, v1=v1, v2=v2, v3=v3, v4=v4"
    written_out = '{"v0": v0, "v1": v1, "v2": v2, "v3": v3, "v4": v4}'
    with LocalPlatform({"p": few.content}) as platform:
        cached = f'client.render_prompt("p", {written_out})'
        return [
            few.row("render, 2 kB, 5 variables", f"version.render({one_by_one})"),
            many.row("render, 2 kB, 100 variables", "version.render(**values)"),
            few.row("cached render_prompt, 2 kB, 5 variables", cached, client=platform.client()),
        ]
