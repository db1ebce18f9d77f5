"""Prints the table, and puts it into RESULTS.md."""

from __future__ import annotations

from .. import report
from . import table


def main() -> None:
    markdown = table()
    print(markdown)
    if report.RESULTS.exists():
        report.put_section("peers", markdown)
    else:
        print(f"\nkept nowhere: `make bench` writes {report.RESULTS.name}, and then this table has a place in it")


if __name__ == "__main__":
    main()
