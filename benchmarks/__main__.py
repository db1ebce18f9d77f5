"""Measures all groups, or those that are named, and exits with 1 where a limit is missed."""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from importlib.util import find_spec

from . import report
from .measure import Row, alone, cells, table

GROUPS = {
    "Start": ("first_import", "whole_process"),
    "Read": ("cached_read", "store_hit"),
    "Render": ("rendering",),
    "Fetch": ("cold_fetch", "stampede", "too_large"),
    "Memory": ("memory", "many_names"),
    "Never down": ("never_down", "fleet"),
    "Many names": ("zipf",),
    "Adapters": ("django_pages", "flask_pages", "langchain_prompts"),
}


def main(arguments: list[str]) -> int:
    known = [report.slug(group) for group in GROUPS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("group", nargs="*", help=f"{', '.join(known)}; all of them, written down, by default")
    names = parser.parse_args(arguments).group
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"no such group: {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = [group for group in GROUPS if report.slug(group) in names or not names]
    if not names and not find_spec("matplotlib"):
        sys.exit("the charts need matplotlib: make bench installs it")
    groups = {group: _measured(group) for group in chosen}
    rows = [row for group in groups.values() for row in group]
    print(f"{report.how_taken()}, one run, medians of interleaved repetitions\n\n{table(rows)}\n")
    if not names:
        _keep(groups)
    return _verdict(rows)


def _measured(group: str) -> list[Row]:
    rows: list[Row] = []
    for module in GROUPS[group]:
        started = time.monotonic()
        rows += alone(f"{__package__}.{module}:rows")
        print(f"{group}: {module} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return rows


def _keep(groups: dict[str, list[Row]]) -> None:
    drawing = import_module("benchmarks.drawing")
    for group, rows in groups.items():
        drawing.draw(group, rows, report.FOLDER / report.CHARTS / f"{report.slug(group)}.svg")
    report.write(groups)


def _verdict(rows: list[Row]) -> int:
    missed = [row for row in rows if not row.is_met]
    print(f"{len(rows) - len(missed)} of {len(rows)} limits met")
    for row in missed:
        what, _, _, figure, limit, _ = cells(row)
        print(f"MISSED: {what}: {figure}, {limit}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
