"""Measures all groups and writes the results down, or measures the groups that are named.

Exits with 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module

from . import report
from .limits import GROUPS
from .measure import Row, alone


def main(arguments: list[str]) -> int:
    known = [group.lower() for group in GROUPS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("group", nargs="*", help=f"{', '.join(known)}; without any, all")
    names = parser.parse_args(arguments).group
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"no such group: {', '.join(unknown)}; there are {', '.join(known)}")
    groups = {group: measured(group) for group in GROUPS if group.lower() in names or not names}
    rows = [row for group in groups.values() for row in group]
    print(f"{report.how_taken()}\n\n{report.text(rows)}\n")
    if not names:
        report.write(groups)
    return verdict(rows)


def measured(group: str) -> list[Row]:
    """The rows of a group, which a module of its name measures in a process of its own."""
    started = time.monotonic()
    rows: list[Row] = alone(import_module(f"{__package__}.{group.lower()}").rows)
    assert [row.what for row in rows] == list(GROUPS[group]), f"{group} measures other rows than it has limits for"
    print(f"{group} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return rows


def verdict(rows: list[Row]) -> int:
    missed = [row for row in rows if not row.is_met]
    print(f"{len(rows) - len(missed)} of {len(rows)} limits met")
    for row in missed:
        print(f"MISSED: {row.what}: {row.figure:.2f} x, {row.limit}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
