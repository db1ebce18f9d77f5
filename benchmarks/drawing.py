"""One chart per group: each figure as a share of its limit, so that rows of all units stand side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.figure import Figure

from .measure import Row, cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, ROW, MARGIN, ABOVE, BELOW = 9.0, 0.5, 0.15, 0.35, 0.35  # inches
LONGEST = 1.5
MET, MISSED, TRACK, INK, QUIET = "#4c78a8", "#d9480f", "#e9edf2", "#24292f", "#6e7781"
STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "scope",
    "text.color": INK,
    "text.parse_math": False,
}


def draw(group: str, rows: list[Row], file: Path) -> None:
    """Writes the chart as SVG, the same bytes for the same rows."""
    with matplotlib.rc_context(STYLE):
        inside, height = ROW * len(rows), ABOVE + ROW * len(rows) + BELOW
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((MARGIN / WIDTH, BELOW / height, 1 - 2 * MARGIN / WIDTH, inside / height))
        for place, row in enumerate(rows):
            _bar(axes, place, row)
        _frame(axes, group, len(rows))
        file.parent.mkdir(exist_ok=True)
        figure.savefig(file, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})


def share(row: Row) -> float:
    """How much of its limit a figure takes up, no more than LONGEST."""
    used, allowed = (row.limit, row.figure) if row.at_least else (row.figure, row.limit)
    if allowed:
        return min(used / allowed, LONGEST)
    return LONGEST if used else 0.0


def _bar(axes: Axes, place: int, row: Row) -> None:
    what, _, _, figure, limit, _ = cells(row)
    axes.barh(place, 1, height=0.26, color=TRACK)
    axes.barh(place, share(row), height=0.26, color=MET if row.is_met else MISSED)
    above = {"xytext": (0, 6), "textcoords": "offset points", "va": "bottom"}
    axes.annotate(what, (0, place), ha="left", **above)
    axes.annotate(f"{figure}, {limit}", (LONGEST, place), ha="right", color=INK if row.is_met else MISSED, **above)


def _frame(axes: Axes, group: str, rows: int) -> None:
    axes.set_title(group, loc="left", fontweight="bold")
    axes.set_xlim(0, LONGEST)
    axes.set_ylim(rows - 0.65, -0.65)
    axes.axvline(1, color=QUIET, linewidth=1, linestyle=(0, (3, 3)))
    axes.set_xticks([0, 0.5, 1, LONGEST], ["0", "50%", "100% of the limit, shorter is better", ""])
    axes.set_yticks([])
    axes.tick_params(length=0, labelcolor=QUIET)
    axes.spines[:].set_visible(False)
