"""`scope bump`: a lock brought up to date, with a report for a pull request."""

from __future__ import annotations

from typing import Any

import click

from ._many_values import TakesManyValues
from ._pull import REPORT_FORMATS, takes_a_lock


@click.command(cls=TakesManyValues)
@click.argument("name", nargs=-1)
@takes_a_lock
@click.option(
    "--code",
    multiple=True,
    type=click.Path(exists=True),
    metavar="PATH...",
    help="The code and templates to hold against the new versions. By default what `scope check` looks at.",
)
@click.option("--safe", is_flag=True, help="Leave versions out that break calls.")
@click.option("--check", is_flag=True, help="Write nothing but the report. Exits with 1 if there is something to bump.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), metavar="REPORT", help="Write the report into this file."
)
@click.option("--format", type=click.Choice(REPORT_FORMATS), help="The report's form. By default text, or as its file.")
def bump(**given: Any) -> int:
    """Bring a lock and its folder up to date, and report what changes.

    The report is for a pull request: which words, variables and model settings change, which calls that touches, and
    whether it breaks them. Exits with 1 if it does, with 2 if it fails. NAME is a prompt of the lock, by default each.
    """
    from ._bump_work import run_bump

    return run_bump(**given)
