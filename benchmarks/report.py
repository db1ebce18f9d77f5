"""What `make bench` leaves behind: RESULTS.md, group by group, and the short table of the README."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from .measure import HEADING, Row, cells

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "RESULTS.md"
README = FOLDER.parent / "README.md"
CHARTS = "charts"
FELT = (
    "import scope_client",
    "import, first token, first prompt",
    "cached read",
    "cached render_prompt, 2 kB, 5 variables",
    "cold fetch",
    "64 threads, one cold name",
    "memory of 10,000 cached prompts of 2 kB",
    "Django tag, 2 variables",
    "Flask, 2 variables",
    "LangChain format, 2 kB, 5 variables",
)
INTRODUCTION = """\
# Speed

What `make bench` measured in one run: {how}. A figure is ours over the yardstick's, as a ratio of the
medians of interleaved repetitions, or what its unit says. A bar in a chart is how much of its limit a figure takes up:
the shorter, the better, also where the limit is "at least". Runs differ; compare within a table.
"""


def slug(group: str) -> str:
    """A group's name on the command line and of its chart's file."""
    return group.lower().replace(" ", "-")


def how_taken() -> str:
    return f"Python {platform.python_version()}, {os.cpu_count()} cores"


def write(groups: dict[str, list[Row]]) -> None:
    """Writes RESULTS.md, where the section of the peers stays as it was, and then the README's table."""
    peers = section(_read(RESULTS), "peers") if RESULTS.exists() else ""
    _write(RESULTS, page(groups, peers))
    rows = [row for group in groups.values() for row in group]
    _write(README, with_section(_read(README), "speed", short_table(rows)))


def put_section(name: str, markdown: str) -> None:
    """Replaces what RESULTS.md has between `<!-- name -->` and `<!-- /name -->`."""
    _write(RESULTS, with_section(_read(RESULTS), name, markdown))


def page(groups: dict[str, list[Row]], peers: str) -> str:
    parts = [INTRODUCTION.format(how=how_taken())]
    for group, rows in groups.items():
        lines = markdown_table([HEADING, *map(cells, rows)])
        parts.append(f"## {group}\n\n{lines}\n\n![{group}]({CHARTS}/{slug(group)}.svg)\n")
    return with_section("\n".join([*parts, "<!-- peers -->\n<!-- /peers -->\n"]), "peers", peers)


def short_table(rows: list[Row]) -> str:
    """The rows that users feel; a KeyError where one of them was not measured."""
    measured = {row.what: row for row in rows}
    return markdown_table([HEADING[:4], *(cells(measured[what])[:4] for what in FELT)])


def markdown_table(lines: list[tuple[str, ...]]) -> str:
    heading, *body = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([heading, "|---" * len(lines[0]) + "|", *body])


def section(text: str, name: str) -> str:
    """What stands between the two marks of this name."""
    found = _marked(name).search(text)
    if found is None:
        raise ValueError(f"there is no <!-- {name} --> with a <!-- /{name} --> after it")
    return found["body"].strip("\n")


def with_section(text: str, name: str, markdown: str) -> str:
    body = f"\n{markdown}\n\n" if (markdown := markdown.strip("\n")) else ""
    section(text, name)
    return _marked(name).sub(lambda found: found["start"] + body + found["end"], text)


def _marked(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<start><!-- {name} -->\n)(?P<body>.*?)(?P<end><!-- /{name} -->)", re.DOTALL)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
