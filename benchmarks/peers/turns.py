"""Repetitions that take turns, and the row of a table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

REPETITIONS = 7
T = TypeVar("T")


class Row(NamedTuple):
    """`cells` has one for each client, in the order of the roster."""

    what: str
    cells: Sequence[str]


def by_turns(*measures: Callable[[], T]) -> list[list[T]]:
    """What each returned, all called once before any is called again."""
    taken: list[list[T]] = [[] for _ in measures]
    for _ in range(REPETITIONS):
        for seen, measure in zip(taken, measures):
            seen.append(measure())
    return taken


def medians(*measures: Callable[[], float]) -> list[float]:
    return [statistics.median(seen) for seen in by_turns(*measures)]


def ratio(value: float) -> str:
    return f"{value:.2f} x" if value < 10 else f"{value:.0f} x"
