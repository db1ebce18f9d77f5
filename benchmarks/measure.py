"""Interleaved repetitions, medians, and rows that hold a figure against its limit."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import NamedTuple

REPETITIONS = 9


class Row(NamedTuple):
    """`figure` is a ratio, or a count or size where `unit` says so; met at most at `limit`, or at least at it."""

    what: str
    ours: str
    yardstick: str
    figure: float
    limit: float
    unit: str = "x"
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


def medians(*measures: Callable[[], float], repetitions: int = REPETITIONS) -> list[float]:
    """The median of each, all measured by turns so that a slow moment of the machine hits all of them."""
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(repetitions):
        for times, measure in zip(taken, measures):
            times.append(measure())
    return [statistics.median(times) for times in taken]


def seconds(value: float) -> str:
    """A time with its unit, three figures."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def table(rows: list[Row]) -> str:
    cells = [("what", "ours", "yardstick", "figure", "limit", "")]
    for row in rows:
        bound = "at least" if row.at_least else "at most"
        figure, limit = f"{row.figure:.2f} {row.unit}", f"{bound} {row.limit:g} {row.unit}"
        cells.append((row.what, row.ours, row.yardstick, figure, limit, "ok" if row.is_met else "MISSED"))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells)
