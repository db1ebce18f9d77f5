"""`scope check`: the prompts that code and templates use, compared with those that there are."""

from __future__ import annotations

from typing import Any

import click

from .._check.printing import CHECK_FORMATS
from ..frameworks import ARGUMENTS, LABELS

_AGAINST = "The word platform, a folder of prompts, or a lock; by default the lock of SCOPE_LOCK, else the platform."

_NO_CACHE = "Look at all files anew, and keep nothing in .scope_cache for the next run."


@click.command()
@click.argument("path", nargs=-1)
@click.option("--against", metavar="WHAT", help=_AGAINST)
@click.option("--label", type=click.Choice(LABELS), help=ARGUMENTS["promoted"])
@click.option("--lock", metavar="FILE", help=ARGUMENTS["lock"])
@click.option("--exclude", multiple=True, metavar="PATTERN", help=ARGUMENTS["exclude"])
@click.option("--strict/--no-strict", default=None, help=ARGUMENTS["strict"])
@click.option("--baseline", metavar="FILE", help=ARGUMENTS["baseline"])
@click.option("--write-baseline", is_flag=True, help=ARGUMENTS["write_baseline"])
@click.option("-v", "--verbose", is_flag=True, help=ARGUMENTS["verbose"])
@click.option("--format", type=click.Choice(CHECK_FORMATS), help=ARGUMENTS["format"])
@click.option("--no-cache", is_flag=True, help=_NO_CACHE)
@click.option("--json", is_flag=True, help=ARGUMENTS["json"])
def check(**given: Any) -> int:
    """Compare the prompts that code and templates use with those that there are.

    PATH is a file or a folder, by default the current one. Nothing is run or imported. Exits with 1 if something is
    wrong, with 2 if it cannot be found out. [tool.scope.check] in pyproject.toml has the same options.
    """
    from ._check_work import run_check

    return run_check(**given)
