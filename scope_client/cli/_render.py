"""`scope render`: the content of a version with its variables filled in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..errors import ValidationError
from ..frameworks import _commands as commands
from . import _terminal as terminal
from ._reader import asks_for_a_version, read

_MUST_BE = 'it must be a file with a JSON object such as {"name": "Alice"}'


def _pairs(context: click.Context, parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    try:
        return commands.pairs(pairs)
    except ValidationError as error:
        raise click.BadParameter(error.message, context, parameter) from None


def _from_file(context: click.Context, parameter: click.Parameter, path: str | None) -> dict[str, Any]:
    try:
        values = {} if path is None else json.loads(Path(path).read_bytes())
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    except (ValueError, RecursionError) as error:
        wrong = f"is not JSON ({error})"
    else:
        if isinstance(values, dict):
            return values
        wrong = f"holds a JSON {type(values).__name__}"
    raise click.BadParameter(f"{path!r} {wrong}; {_MUST_BE}", context, parameter)


@click.command()
@asks_for_a_version
@click.option(
    "-v",
    "--var",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_pairs,
    help="The value of one variable; repeat it for more.",
)
@click.option(
    "--vars-file", "filed", metavar="FILE", callback=_from_file, help="A JSON object of values; -v wins over it."
)
def render(
    name: str,
    label: str | None,
    version: str | None,
    as_json: bool,
    given: dict[str, str],
    filed: dict[str, Any],
) -> None:
    """Print a prompt with its variables filled in. NAME is its name or ID; a chat prompt gives JSON."""
    found = read(name, label, version)
    values = {**filed, **given}
    text = found.render(**values)
    if as_json:
        identity = {"name": found.name, "version_number": found.version_number, "id": found.id}
        whole = {**identity, "text": text, "messages": found.messages(**values)}
        text = json.dumps(whole, indent=2, ensure_ascii=False)
    terminal.say(text)
