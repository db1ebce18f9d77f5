"""`scope get`: the content of a version, as it is."""

from __future__ import annotations

from typing import Any

import click

from ..frameworks import _commands as commands
from ._reader import asks_for_a_version, show


@click.command()
@asks_for_a_version
def get(**asked: Any) -> None:
    """Print a prompt as it is. NAME is its name or ID; facts about it go to standard error."""
    show(commands.get, **asked)
