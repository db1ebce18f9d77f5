"""`scope render`: the content of a version with its variables filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._prompt.jsonvalue import as_json, parse
from ..errors import ValidationError
from ..frameworks import ARGUMENTS
from ..frameworks import _commands as commands
from ._reader import asks_for_a_version, show

_VARS_FILE_MUST_BE = 'it must be a file with a JSON object such as {"name": "Alice"}'


def _pairs(context: click.Context, parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    try:
        return commands.pairs(pairs)
    except ValidationError as error:
        raise click.BadParameter(error.message, context, parameter) from None


def _from_file(context: click.Context, parameter: click.Parameter, path: str | None) -> dict[str, Any]:
    try:
        values = {} if path is None else as_json(parse(Path(path).read_bytes()))
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    except (ValueError, RecursionError) as error:
        wrong = f"is not JSON ({error})"
    else:
        if isinstance(values, dict):
            return values
        wrong = f"holds a JSON {type(values).__name__}"
    raise click.BadParameter(f"{path!r} {wrong}; {_VARS_FILE_MUST_BE}", context, parameter)


@click.command()
@asks_for_a_version
@click.option(
    "-v",
    "--var",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_pairs,
    help=ARGUMENTS["var"],
)
@click.option(
    "--vars-file", "filed", metavar="FILE", callback=_from_file, help="A JSON object of values; -v wins over it."
)
def render(given: dict[str, str], filed: dict[str, Any], **asked: Any) -> None:
    """Print a prompt with its variables filled in. NAME is its name or ID; a chat prompt gives JSON."""
    show(commands.render, values={**filed, **given}, **asked)
