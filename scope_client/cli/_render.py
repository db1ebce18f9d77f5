"""`scope render`: the content of a version with its variables filled in."""

from __future__ import annotations

from typing import Any

import click

from ..frameworks import ARGUMENTS
from ..frameworks import _arguments as arguments
from ..frameworks import _commands as commands
from ._reader import as_parameter, asks_for_a_version, show


@click.command()
@asks_for_a_version
@click.option(
    "-v",
    "--var",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    callback=as_parameter(arguments.pairs),
    help=ARGUMENTS["var"],
)
@click.option(
    "--vars-file",
    "filed",
    metavar="FILE",
    callback=as_parameter(arguments.filed),
    help=ARGUMENTS["vars_file"],
)
def render(given: dict[str, str], filed: dict[str, Any], **asked: Any) -> None:
    """Print a prompt with its variables filled in. NAME is its name or ID; a chat prompt gives JSON."""
    show(commands.render, values={**filed, **given}, **asked)
