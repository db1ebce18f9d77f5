"""What a run leaves behind: a table on the screen, RESULTS.md group by group, and what README and the manual show."""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from .drawing import drawing
from .limits import IN_THE_DRAWING, IN_THE_README
from .measure import Row

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "RESULTS.md"
README = FOLDER.parent / "README.md"
MANUAL = FOLDER.parent / "docs" / "performance.md"
DRAWING = FOLDER.parent / "docs" / "_static" / "speed.svg"
HEADING = ("what", "ours", "yardstick", "figure", "limit", "")
INTRODUCTION = """\
# Speed

What `make bench` measured in one run: {how}.
A figure is ours over the yardstick's, as a ratio of the medians of repetitions that take turns. Runs differ: compare
within a table.
"""
PEERS = "<!-- peers -->\n<!-- /peers -->\n"

Line = Sequence[str]


def how_taken() -> str:
    """The date, the Python and the machine."""
    python, cores = platform.python_version(), os.cpu_count()
    return f"{datetime.date.today()}, Python {python}, {platform.system()} on {_processor()}, {cores} cores"


def _processor() -> str:
    """Linux names it in a file only."""
    listing = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", listing.read_text(), re.MULTILINE) if listing.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def write(groups: dict[str, list[Row]]) -> None:
    """Writes RESULTS.md, in which the section of the peers stays as it was, the tables of README and of the manual, and
    the manual's drawing.
    """
    peers = section(RESULTS.read_text("utf-8"), "peers") if RESULTS.exists() else ""
    parts = [INTRODUCTION.format(how=how_taken())]
    parts += [f"## {group}\n\n{markdown([HEADING, *map(cells, rows)])}\n" for group, rows in groups.items()]
    RESULTS.write_text(with_section("\n".join([*parts, PEERS]), "peers", peers), "utf-8")
    measured = {row.what: row for rows in groups.values() for row in rows}
    README.write_text(with_section(README.read_text("utf-8"), "speed", _table(measured, IN_THE_README)), "utf-8")
    told = f"Measured in one run: {how_taken()}.\n\n{_table(measured, list(measured))}"
    MANUAL.write_text(with_section(MANUAL.read_text("utf-8"), "speed", told), "utf-8")
    DRAWING.write_text(drawing([(what, round(measured[what].figure, 2)) for what in IN_THE_DRAWING]), "utf-8")


def _table(measured: dict[str, Row], wanted: Sequence[str]) -> str:
    return markdown([HEADING[:4], *(cells(measured[what])[:4] for what in wanted)])


def write_peers(table: str) -> None:
    for page in (RESULTS, MANUAL):
        page.write_text(with_section(page.read_text("utf-8"), "peers", table), "utf-8")


def cells(row: Row) -> tuple[str, ...]:
    """What a table shows of a row, under HEADING."""
    return row.what, row.ours, row.yardstick, f"{row.figure:.2f} x", str(row.limit), "met" if row.is_met else "MISSED"


def text(rows: Sequence[Row]) -> str:
    """The rows in columns of even width, for a screen."""
    lines = [HEADING, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def markdown(lines: Sequence[Line]) -> str:
    """A Markdown table, of which the first line is the heading."""
    heading, *body = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([heading, "|---" * len(lines[0]) + "|", *body])


def section(text: str, name: str) -> str:
    """What stands between `<!-- name -->` and `<!-- /name -->`."""
    found = _marked(name).search(text)
    if found is None:
        raise ValueError(f"there is no <!-- {name} --> with a <!-- /{name} --> after it")
    return found["body"].strip("\n")


def with_section(text: str, name: str, content: str) -> str:
    """The text with other content between the two marks of this name."""
    section(text, name)
    body = f"\n{content}\n\n" if (content := content.strip("\n")) else ""
    return _marked(name).sub(lambda found: found["start"] + body + found["end"], text)


def _marked(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<start><!-- {name} -->\n)(?P<body>.*?)(?P<end><!-- /{name} -->)", re.DOTALL)
