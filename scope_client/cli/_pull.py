"""`scope pull`: versions of the platform become the files of a folder and a lock."""

from __future__ import annotations

from typing import Any

import click

from ..frameworks import LABELS
from ._many_values import TakesManyValues

REPORT_FORMATS = ("text", "json", "github", "markdown")
takes_a_lock = click.option(
    "--lock",
    envvar="SCOPE_LOCK",
    show_envvar=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The lock. By default scope.lock.",
)


@click.command(cls=TakesManyValues)
@click.argument("name", nargs=-1)
@click.option(
    "--used-by",
    multiple=True,
    type=click.Path(exists=True),
    metavar="PATH...",
    help="Pull the prompts that the code and the templates in these files and folders use.",
)
@click.option(
    "-o", "--output", type=click.Path(), metavar="FOLDER", help="The folder of the files. By default that of the lock."
)
@takes_a_lock
@click.option("--label", type=click.Choice(LABELS), help="Which versions to pull. By default those in production.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@click.option(
    "--locked", is_flag=True, help="Leave the lock as it is; write the files of its versions that are missing."
)
@click.option("--check", is_flag=True, help="Write nothing; tell what has moved on. Exits with 1 if anything has.")
@click.option("--format", type=click.Choice(REPORT_FORMATS), default="text", help="How to print it.")
def pull(**given: Any) -> int:
    """Write prompts of the platform into a folder, and lock their versions.

    Without a NAME, all prompts of the lock are brought up to date. With --locked, the folder is put back as the lock
    says; --force then overwrites files that were edited by hand.
    """
    from ._lock_work import run_pull

    return run_pull(**given)
