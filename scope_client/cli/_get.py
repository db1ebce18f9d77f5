"""`scope get`: the content of a version, as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from . import _terminal as terminal
from ._reader import asks_for_a_version, read

if TYPE_CHECKING:
    from .. import PromptVersion


@click.command()
@asks_for_a_version
def get(name: str, label: str | None, version: str | None, as_json: bool) -> None:
    """Print a prompt as it is. NAME is its name or ID; facts about it go to standard error."""
    found = read(name, label, version)
    if as_json:
        terminal.say(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        terminal.note(_facts(found))
        terminal.say(found.content)


def _facts(found: PromptVersion) -> str:
    variables = ", ".join(found.variables) or "none"
    metadata = json.dumps(dict(found.metadata), ensure_ascii=False)
    identity = f"{found.name}, version {found.version_number} ({found.id}), {found.status}, {found.type}"
    return f"{identity}; variables: {variables}; metadata: {metadata}"
