"""Runs every benchmark and prints one table; exits with 1 where a limit is missed."""

from __future__ import annotations

import platform
import sys

from . import (
    cached_read,
    cold_fetch,
    django_pages,
    first_import,
    flask_pages,
    fleet,
    langchain_prompts,
    many_names,
    never_down,
    rendering,
    stampede,
    store_hit,
    too_large,
)
from .measure import Row, table

ALL = (
    first_import,
    cached_read,
    rendering,
    cold_fetch,
    stampede,
    too_large,
    never_down,
    store_hit,
    fleet,
    many_names,
    django_pages,
    flask_pages,
    langchain_prompts,
)


def main() -> int:
    rows: list[Row] = []
    for module in ALL:
        rows += module.rows()
        print(f"measured {module.__name__.split('.')[-1]}", file=sys.stderr, flush=True)
    print(f"Python {platform.python_version()}, one run, medians of interleaved repetitions\n")
    print(table(rows))
    missed = [row for row in rows if not row.is_met]
    print(f"\n{len(rows) - len(missed)} of {len(rows)} limits met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
